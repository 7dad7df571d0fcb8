package net

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"
)

// measures lists the measures in the order of the table.
var measures = []struct {
	name string
	run  func(b *testing.B, s subject)
}{
	{"ping-pong 128 B", pingPong},
	{"stream 32 KiB", stream},
	{"open and close", openClose},
	{"set deadline", setDeadline},
	{"keep-alive GET", keepAlive},
	{"fresh server", fresh},
	{"idle pair", idle},
}

func BenchmarkNet(b *testing.B) {
	for _, m := range measures {
		b.Run(m.name, func(b *testing.B) {
			for _, s := range subjects {
				b.Run(s.name, func(b *testing.B) {
					b.ReportAllocs()
					m.run(b, s)
				})
			}
		})
	}
}

// pingPong sends 128 bytes there and back.
func pingPong(b *testing.B, s subject) {
	n := s.listen(b)
	defer n.Close()
	c, echo := n.pair(b)
	defer c.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 128)
		for {
			if _, err := io.ReadFull(echo, buf); err != nil {
				return
			}
			if _, err := echo.Write(buf); err != nil {
				return
			}
		}
	}()
	buf := make([]byte, 128)
	for b.Loop() {
		_, err := c.Write(buf)
		check(b, err)
		_, err = io.ReadFull(c, buf)
		check(b, err)
	}
	b.StopTimer()
	c.Close()
	<-done
	echo.Close()
}

// stream writes 32 KiB at a time to a goroutine that reads everything.
func stream(b *testing.B, s subject) {
	n := s.listen(b)
	defer n.Close()
	c, sink := n.pair(b)
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 32<<10)
		for {
			if _, err := sink.Read(buf); err != nil {
				return
			}
		}
	}()
	buf := make([]byte, 32<<10)
	b.SetBytes(int64(len(buf)))
	for b.Loop() {
		_, err := c.Write(buf)
		check(b, err)
	}
	c.Close()
	<-done
	sink.Close()
}

// openClose dials, accepts and closes both ends.
func openClose(b *testing.B, s subject) {
	n := s.listen(b)
	defer n.Close()
	accepted := make(chan net.Conn)
	go func() {
		for {
			c, err := n.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	for b.Loop() {
		c, err := n.dial(b.Context(), "tcp", "api.test:80")
		check(b, err)
		server := <-accepted
		// The dialer resets, so that loopback TCP does not run out of ports.
		if l, ok := c.(interface{ SetLinger(int) error }); ok {
			l.SetLinger(0)
		}
		c.Close()
		server.Close()
	}
}

// setDeadline moves a deadline that is far in the future.
func setDeadline(b *testing.B, s subject) {
	n := s.listen(b)
	defer n.Close()
	c, server := n.pair(b)
	defer server.Close()
	defer c.Close()
	at := time.Now().Add(time.Hour)
	for b.Loop() {
		at = at.Add(time.Millisecond)
		check(b, c.SetDeadline(at))
	}
}

var hello = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello") })

// keepAlive makes one GET after another over one connection.
func keepAlive(b *testing.B, s subject) {
	n := s.listen(b)
	srv := &http.Server{Handler: hello}
	served := make(chan struct{})
	go func() {
		defer close(served)
		srv.Serve(n)
	}()
	tr := &http.Transport{DialContext: n.dial}
	client := &http.Client{Transport: tr}
	get(b, client, "http://api.test/")
	for b.Loop() {
		get(b, client, "http://api.test/")
	}
	b.StopTimer()
	tr.CloseIdleConnections()
	srv.Close()
	<-served
}

// fresh starts a server, makes a client, sends one GET, and stops both. Over TCP the
// server is made by httptest.NewServer.
func fresh(b *testing.B, s subject) {
	for b.Loop() {
		if s.name == "tcp" {
			srv := httptest.NewServer(hello)
			get(b, srv.Client(), srv.URL)
			srv.Close()
			continue
		}
		n := s.listen(b)
		srv := &http.Server{Handler: hello}
		served := make(chan struct{})
		go func() {
			defer close(served)
			srv.Serve(n)
		}()
		tr := &http.Transport{DialContext: n.dial}
		get(b, &http.Client{Transport: tr}, "http://api.test/")
		tr.CloseIdleConnections()
		srv.Close()
		<-served
	}
}

func get(b *testing.B, c *http.Client, url string) {
	resp, err := c.Get(url)
	check(b, err)
	body, err := io.ReadAll(resp.Body)
	check(b, err)
	resp.Body.Close()
	if string(body) != "hello" {
		b.Fatalf("got %q", body)
	}
}

// idle measures the memory of open connections on which nothing was sent. The figure
// does not include the kernel's memory.
func idle(b *testing.B, s subject) {
	n := s.listen(b)
	defer n.Close()
	const pairs = 1000
	var conns []net.Conn
	before := heap()
	for b.Loop() {
		if len(conns) >= 2*pairs {
			continue
		}
		for range pairs {
			c, server := n.pair(b)
			conns = append(conns, c, server)
		}
	}
	b.ReportMetric(float64(heap()-before)/pairs, "B/pair")
	b.ReportMetric(0, "ns/op")
	for _, c := range conns {
		c.Close()
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
