package faultnet_test

import (
	"fmt"
	"io"
	"net/http"

	"github.com/halfopen/halfopen/faultnet"
)

// A server and a client on a network without ports.
func ExampleNet() {
	n := new(faultnet.Net)
	l, err := n.Listen("tcp", "api.test:80")
	if err != nil {
		panic(err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "hello")
	})}
	go srv.Serve(l)
	defer srv.Close()

	tr := &http.Transport{DialContext: n.DialContext}
	defer tr.CloseIdleConnections()
	resp, err := (&http.Client{Transport: tr}).Get("http://api.test/")
	if err != nil {
		panic(err)
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	fmt.Println(string(b))
	// Output: hello
}

// A rule makes every dial to one address fail, until it is lifted.
func ExampleNet_Install() {
	n := new(faultnet.Net)
	l, _ := n.Listen("tcp", "api.test:80")
	defer l.Close()

	lift := n.Install(faultnet.On("dial * api.test:80", faultnet.Refuse))
	_, err := n.Dial("tcp", "api.test:80")
	fmt.Println(err)
	lift()
	c, err := n.Dial("tcp", "api.test:80")
	fmt.Println(err)
	c.Close()
	// Output:
	// dial tcp 198.18.0.1:80: connect: connection refused
	// <nil>
}

// What is held is pending, by name, until it is let go.
func ExampleNet_Hold() {
	n := new(faultnet.Net)
	l, _ := n.Listen("tcp", "api.test:80")
	defer l.Close()
	c, _ := n.Dial("tcp", "api.test:80")

	release := n.Hold("c1 client->server")
	io.WriteString(c, "hello")
	c.Close()
	for _, e := range n.Pending() {
		fmt.Printf("%s: %q\n", e, e.Bytes())
	}
	release()
	s, _ := l.Accept()
	b, _ := io.ReadAll(s)
	fmt.Printf("%s\n", b)
	s.Close()
	// Output:
	// c1 client->server data: "hello"
	// hello
}
