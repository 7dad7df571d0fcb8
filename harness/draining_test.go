package harness_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/halfopen/halfopen/harness"
)

// drainer is a transport over one connection at a time. A body that is closed
// early is read to its end for as long as patience says; what that came to decides
// whether the connection serves again.
type drainer struct {
	net      *harness.Net
	patience time.Duration
	keeps    bool // its idle connection from everybody
	mu       sync.Mutex
	idle     net.Conn
	free     chan net.Conn // what has been drained, for a request that waits
}

func (d *drainer) take(req *http.Request) (net.Conn, error) {
	d.mu.Lock()
	c := d.idle
	d.idle = nil
	d.mu.Unlock()
	if c != nil {
		return c, nil
	}
	return d.net.DialContext(req.Context(), "tcp", "api.test:80")
}

func (d *drainer) RoundTrip(req *http.Request) (*http.Response, error) {
	if d.free != nil && req.URL.Path == "/waits" {
		if c := <-d.free; !d.keeps {
			d.idle = c
		} else {
			<-req.Context().Done()
			return nil, req.Context().Err()
		}
	}
	c, err := d.take(req)
	if err != nil {
		return nil, err
	}
	if err := req.Write(c); err != nil {
		return nil, err
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), req)
	if err == nil {
		resp.Body = &drained{resp.Body, d, c}
	}
	return resp, err
}

func (d *drainer) put(c net.Conn) {
	if d.free != nil {
		d.free <- c
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.idle = c
}

func (d *drainer) CloseIdleConnections() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.idle != nil {
		d.idle.Close()
		d.idle = nil
	}
}

type drained struct {
	io.ReadCloser
	d *drainer
	c net.Conn
}

func (b *drained) Close() error {
	end := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, b.ReadCloser)
		end <- err
	}()
	go func() {
		select {
		case err := <-end:
			if err == nil {
				b.d.put(b.c)
				return
			}
		case <-time.After(b.d.patience):
		}
		b.c.Close()
	}()
	return nil
}

// half has r1 close its body when half of it has come.
func half(t *harness.T, d *drainer) *harness.Conn {
	t.Peer("api.test:80")
	d.net = t.Net
	r1 := t.Get("r1", d, "http://api.test/")
	c1 := t.Conn("c1")
	c1.WantRequest("GET / HTTP/1.1\r\n")
	c1.Send("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf")
	r1.WantStatus(http.StatusOK)
	r1.CloseBody()
	return c1
}

// A connection on which a body that was closed early is read to its end is
// neither idle nor lost; what happens to it then is seen.
func TestDraining(t *testing.T) {
	idle := func(t *harness.T, n int) {
		if got := t.Net.IdleConns(); len(got) != n {
			t.Errorf("got %v idle, want %d", got, n)
		}
	}
	for _, tt := range []struct {
		name string
		body func(t *harness.T)
		want string
	}{
		{"the rest comes", func(t *harness.T) {
			c1 := half(t, &drainer{patience: time.Second})
			idle(t, 0)
			t.Advance(20 * time.Millisecond)
			c1.Send("rest")
			idle(t, 1)
		}, "held"},
		{"it never comes", func(t *harness.T) {
			half(t, &drainer{patience: time.Second})
			idle(t, 0)
		}, "held"},
		{"it comes when the test is over", func(t *harness.T) {
			c1 := half(t, &drainer{patience: time.Second})
			time.AfterFunc(10*time.Millisecond, func() { c1.Server().Write([]byte("rest")) })
		}, "held"},
		{"it never comes, and that is waited for", func(t *harness.T) {
			half(t, &drainer{patience: time.Hour})
		}, "c1 to api.test:80: still open 5s after a body on it was closed before its end, opened for r1, last used by r1"},
		{"it has come, and the connection is in no pool", func(t *harness.T) {
			c1 := half(t, &drainer{patience: time.Second, free: make(chan net.Conn, 1)})
			c1.Send("rest")
		}, "c1 to api.test:80: still open after the idle connections were closed, opened for r1, last used by r1"},
		{"a request waits for it", func(t *harness.T) {
			d := &drainer{patience: time.Second, free: make(chan net.Conn, 1)}
			c1 := half(t, d)
			r2 := t.Get("r2", d, "http://api.test/waits")
			r2.WantPending()
			c1.Send("rest")
			c1.Respond(http.StatusOK, "r2's own")
			r2.WantBody("r2's own")
			d.idle = <-d.free
		}, "held"},
		{"a request waits although it has come", func(t *harness.T) {
			d := &drainer{patience: time.Second, free: make(chan net.Conn, 1), keeps: true}
			c1 := half(t, d)
			r2 := t.Get("r2", d, "http://api.test/waits")
			c1.Send("rest")
			r2.Cancel()
		}, "r2: waits while c1 to api.test:80 is idle"},
	} {
		r := harness.TestReport(tt.name, tt.body)
		got := "held"
		if i := slices.IndexFunc(r.Failures, func(f harness.Failure) bool { return f.Kind != "goroutine" }); i >= 0 {
			got = r.Failures[i].Text
		}
		if got != tt.want {
			t.Errorf("%s: got %s, want %s\n%s", tt.name, got, tt.want, r)
		}
	}
}

// Requests that explorations start find a connection that is being drained, at
// any point of that, and no request is accused.
func TestDrainingExplored(t *testing.T) {
	for _, path := range []string{"/half", "/late", "/bytes/100000"} {
		x, err := harness.ExploreReport(path, harness.Bounds{Schedules: 600}, nil, func(t *harness.T) {
			t.Serve("api.test:80", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch r.URL.Path {
				case "/half":
					io.WriteString(w, "half")
					w.(http.Flusher).Flush()
					<-r.Context().Done()
				case "/late":
					io.WriteString(w, "half")
					w.(http.Flusher).Flush()
					time.Sleep(10 * time.Millisecond) // virtual
					io.WriteString(w, "rest")
				default:
					harness.Pages(w, r)
				}
			}))
			tr := t.Net.Transport()
			tr.MaxConnsPerHost = 1
			t.Get("r1", tr, "http://api.test/")
			t.MayCloseIdle(tr)
			if resp, err := t.Client(tr).Get("http://api.test" + path); err == nil {
				resp.Body.Close()
			}
		})
		if err != nil || len(x.Findings) > 0 || x.Schedules < 50 {
			t.Errorf("%s: got %v\n%s", path, err, x)
		}
	}
}

// What the harness reads off the wire is what net/http reads: the response is
// whole when, and not before, net/http has come to the end of its body.
func TestFraming(t *testing.T) {
	for _, tt := range []struct{ method, response string }{
		{"GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"},
		{"GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
		{"GET", "HTTP/1.1 200 OK\ncontent-length:  5 \n\nhello"},
		{"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"},
		{"GET", "HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\nContent-Length: 3\r\n\r\n5;a=b\r\nhello\r\nA\r\n0123456789\r\n0\r\nT: t\r\n\r\n"},
		{"GET", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"},
		{"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"},
		{"GET", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n"},
		{"GET", "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n"},
		{"CONNECT", "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 2\r\n\r\nno"},
		{"GET", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"},
	} {
		for cut := range len(tt.response) + 1 {
			whole := cut == len(tt.response)
			if got := harness.Whole(tt.method, tt.response[:cut]); got != whole {
				t.Errorf("%s, %q: got whole: %v", tt.method, tt.response[:cut], got)
			}
		}
		req, _ := http.NewRequest(tt.method, "http://api.test/", nil)
		br := bufio.NewReader(strings.NewReader(tt.response))
		resp, err := http.ReadResponse(br, req)
		for err == nil && resp.StatusCode/100 == 1 {
			resp, err = http.ReadResponse(br, req)
		}
		if err == nil {
			_, err = io.Copy(io.Discard, resp.Body)
		}
		if err != nil || br.Buffered() > 0 {
			t.Errorf("%s, %q: net/http has %v, and %d bytes left", tt.method, tt.response, err, br.Buffered())
		}
	}
	// Responses that only the end of the connection ends, and one that no client understands.
	for _, tt := range []struct{ method, response string }{
		{"GET", "HTTP/1.1 200 OK\r\n\r\nhello"},
		{"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"},
		{"GET", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nok"},
		{"GET", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"},
		{"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n"},
		{"GET", "HTTP/1.1 101 Switching Protocols\r\nContent-Length: 0\r\n\r\n"},
		{"CONNECT", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
		{"GET", "HTTP/1.1 2xx OK\r\nContent-Length: 0\r\n\r\n"},
		{"GET", "SSH-2.0-x\r\nContent-Length: 0\r\n\r\n"},
		{"GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more"},
	} {
		if harness.Whole(tt.method, tt.response) {
			t.Errorf("%s, %q: got whole", tt.method, tt.response)
		}
	}
}
