package pool

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// The rows compare the two transports in one run, against one server each, over
// loopback TCP.
func Benchmark(b *testing.B) {
	for _, row := range []struct {
		name string
		f    func(*testing.B, http.RoundTripper, string)
	}{
		{"get", benchGet},
		{"64KiB", benchBody},
		{"parallel64", benchParallel},
		{"dial", benchGet},
		{"limit8", benchParallel},
		{"post", benchPost},
	} {
		for _, subject := range []string{"nethttp", "pool"} {
			b.Run(row.name+"/"+subject, func(b *testing.B) {
				url := benchServer(b)
				rt, done := benchTransport(subject, row.name)
				defer done()
				b.ReportAllocs()
				row.f(b, rt, url)
			})
		}
	}
}

// BenchmarkPool is the pool alone: the peer is a goroutine that answers without
// parsing, so that what is left is the transport.
func BenchmarkPool(b *testing.B) {
	for _, row := range []string{"get", "parallel64", "limit8", "dial"} {
		for _, subject := range []string{"nethttp", "pool"} {
			b.Run(row+"/"+subject, func(b *testing.B) {
				rt, done := benchTransport(subject, row)
				defer done()
				switch rt := rt.(type) {
				case *Transport:
					rt.DialContext = dialParrot
				case *http.Transport:
					rt.DialContext = dialParrot
				}
				b.ReportAllocs()
				if row == "get" || row == "dial" {
					benchGet(b, rt, "http://api.test/")
				} else {
					benchParallel(b, rt, "http://api.test/")
				}
			})
		}
	}
}

func benchTransport(subject, row string) (http.RoundTripper, func()) {
	limit, noKeep := 0, row == "dial"
	if row == "limit8" {
		limit = 8
	}
	if subject == "pool" {
		tr := &Transport{MaxIdleConnsPerHost: 100, MaxConnsPerHost: limit, DisableKeepAlives: noKeep}
		return tr, tr.CloseIdleConnections
	}
	tr := &http.Transport{MaxIdleConnsPerHost: 100, MaxConnsPerHost: limit, DisableKeepAlives: noKeep}
	return tr, tr.CloseIdleConnections
}

func benchServer(b *testing.B) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	big := make([]byte, 64<<10)
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/big" {
			w.Write(big)
			return
		}
		io.Copy(io.Discard, r.Body)
		io.WriteString(w, "hello")
	})}
	go srv.Serve(l)
	b.Cleanup(func() { srv.Close() })
	return "http://" + l.Addr().String() + "/"
}

func once(b *testing.B, rt http.RoundTripper, req *http.Request) {
	resp, err := rt.RoundTrip(req)
	if err != nil {
		b.Error(err)
		return
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		b.Error(err)
	}
	resp.Body.Close()
}

func benchGet(b *testing.B, rt http.RoundTripper, url string) {
	req, _ := http.NewRequest("GET", url, nil)
	for b.Loop() {
		once(b, rt, req)
	}
}

func benchBody(b *testing.B, rt http.RoundTripper, url string) {
	b.SetBytes(64 << 10)
	benchGet(b, rt, url+"big")
}

func benchPost(b *testing.B, rt http.RoundTripper, url string) {
	for b.Loop() {
		req, _ := http.NewRequest("POST", url, strings.NewReader("payload"))
		once(b, rt, req)
	}
}

// benchParallel has 64 clients, however many processors there are.
func benchParallel(b *testing.B, rt http.RoundTripper, url string) {
	var wg sync.WaitGroup
	work := make(chan struct{}, 1024)
	for range 64 {
		wg.Go(func() {
			req, _ := http.NewRequest("GET", url, nil)
			for range work {
				once(b, rt, req)
			}
		})
	}
	for b.Loop() {
		work <- struct{}{}
	}
	close(work)
	wg.Wait()
}

// parrot answers each write with one response: requests of these benchmarks
// fit in one.
type parrot struct {
	net.Conn
	heard  chan struct{}
	closed chan struct{}
	once   sync.Once
	left   []byte
}

func dialParrot(context.Context, string, string) (net.Conn, error) {
	return &parrot{heard: make(chan struct{}, 1), closed: make(chan struct{})}, nil
}

const parroted = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

func (p *parrot) Write(b []byte) (int, error) {
	select {
	case p.heard <- struct{}{}:
		return len(b), nil
	case <-p.closed:
		return 0, net.ErrClosed
	}
}

func (p *parrot) Read(b []byte) (int, error) {
	if len(p.left) == 0 {
		select {
		case <-p.heard:
			p.left = []byte(parroted)
		case <-p.closed:
			return 0, net.ErrClosed
		}
	}
	n := copy(b, p.left)
	p.left = p.left[n:]
	return n, nil
}

func (p *parrot) Close() error         { p.once.Do(func() { close(p.closed) }); return nil }
func (p *parrot) LocalAddr() net.Addr  { return addr("parrot") }
func (p *parrot) RemoteAddr() net.Addr { return addr("parrot") }
