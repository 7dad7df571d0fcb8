package pool_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/halfopen/halfopen/pool"
)

func getPage(c *http.Client, url string) {
	resp, err := c.Get(url)
	if err != nil {
		log.Print(err)
		return
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, resp.Body)
}

func ExampleTransport() {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {}))
	defer srv.Close()

	tr := &pool.Transport{MaxConnsPerHost: 8, IdleConnTimeout: time.Minute}
	defer tr.CloseIdleConnections()
	client := &http.Client{Transport: tr, Timeout: 10 * time.Second}
	for range 3 {
		getPage(client, srv.URL)
	}

	stats := tr.Stats()
	fmt.Println("dials:", stats.Dials)
	fmt.Println("reuses:", stats.Reuses)
	// Output:
	// dials: 1
	// reuses: 2
}

func ExampleTransport_Ledger() {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "hello")
	}))
	defer srv.Close()
	// A name in place of a port that changes from run to run.
	dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, srv.Listener.Addr().String())
	}

	tr := &pool.Transport{DialContext: dial}
	defer tr.CloseIdleConnections()
	client := &http.Client{Transport: tr}
	resp, err := client.Get("http://api.test/leaky")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(tr.Ledger()) // it names the request whose body is still open
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	fmt.Print(tr.Ledger())
	// Output:
	//   id  state     served  host                            holder
	//    1  active         1  http://api.test:80              GET http://api.test/leaky
	//   id  state     served  host                            holder
	//    1  idle           1  http://api.test:80              -
}

func ExampleTransport_onClose() {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
	}))
	defer srv.Close()

	closed := make(chan pool.Cause, 1)
	tr := &pool.Transport{OnClose: func(_ pool.Entry, why pool.Cause) { closed <- why }}
	getPage(&http.Client{Transport: tr}, srv.URL)
	fmt.Println(<-closed)
	fmt.Println(tr.Stats().Closed)
	// Output:
	// finished
	// finished 1
}

func ExampleCloseError() {
	// A server that closes each connection at once.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	defer l.Close()
	go func() {
		for c, err := l.Accept(); err == nil; c, err = l.Accept() {
			c.Close()
		}
	}()

	tr := &pool.Transport{}
	req, _ := http.NewRequest("GET", "http://"+l.Addr().String(), nil)
	_, err = tr.RoundTrip(req)
	fmt.Printf("%T\n", err)
	// Output:
	// *pool.CloseError
}
