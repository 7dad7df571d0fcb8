package harness_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness"
)

// interrupting is a transport whose CloseIdleConnections closes connections in use, too.
type interrupting struct {
	*http.Transport
	conns []net.Conn
}

func newInterrupting(t *harness.T) *interrupting {
	tr := &interrupting{Transport: t.Net.Transport()}
	tr.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := t.Net.DialContext(ctx, network, addr)
		tr.conns = append(tr.conns, c)
		return c, err
	}
	return tr
}

func (tr *interrupting) CloseIdleConnections() {
	for _, c := range tr.conns {
		c.Close()
	}
	tr.Transport.CloseIdleConnections()
}

// sharing is a transport that gives the result of the first request to those that come while
// it is under way.
type sharing struct {
	*http.Transport
	mu    sync.Mutex
	first chan struct{}
	err   error
}

func (s *sharing) RoundTrip(req *http.Request) (*http.Response, error) {
	s.mu.Lock()
	if s.first != nil {
		s.mu.Unlock()
		<-s.first
		return nil, s.err
	}
	s.first = make(chan struct{})
	s.mu.Unlock()
	resp, err := s.Transport.RoundTrip(req)
	s.err = err
	close(s.first)
	return resp, err
}

// ofLength sends a body of five bytes in a request that says how many it has. The transport closes the
// connection when it has read the body, and says that it is closed.
func ofLength(t *harness.T, length int64) {
	t.Peer("api.test:80")
	req, _ := http.NewRequest("POST", "http://api.test/", struct{ io.Reader }{strings.NewReader("five5")})
	req.ContentLength = length
	t.Start("r1", between{t.Net.Transport(), func(tr *http.Transport, req *http.Request) (*http.Response, error) {
		c, err := tr.DialContext(req.Context(), "tcp", "api.test:80")
		if err != nil {
			return nil, err
		}
		io.Copy(io.Discard, req.Body)
		req.Body.Close()
		c.Close()
		return nil, fmt.Errorf("write: %w", net.ErrClosed)
	}}, req)
}

var causes = []struct {
	name string
	run  func(t *harness.T)
	want string
}{
	{"closed in use", func(t *harness.T) {
		t.Peer("api.test:80")
		tr := newInterrupting(t)
		startAt(t, "r1", tr)
		tr.CloseIdleConnections()
	}, "r1: failed without a cause: "},
	{"says what happened there", func(t *harness.T) {
		t.Peer("api.test:80")
		tr := newInterrupting(t)
		startAt(t, "r1", tr)
		tr.CloseIdleConnections()
	}, "; c1: r1 was sent on it, 0 bytes came back, the client closed it, and neither a fault nor its peer has ended it"},
	{"a body that is longer than the request says", func(t *harness.T) { ofLength(t, 3) }, "held"},
	{"a body that is shorter than the request says", func(t *harness.T) { ofLength(t, 10) }, "held"},
	{"a body of the length that the request says", func(t *harness.T) { ofLength(t, 5) }, "r1: failed without a cause: "},
	{"reset by its peer", func(t *harness.T) {
		t.Peer("api.test:80")
		r := startAt(t, "r1", newInterrupting(t))
		t.Conn("c1").Reset()
		r.WantErr(syscall.ECONNRESET)
	}, "held"},
	{"ended by its peer", func(t *harness.T) {
		t.Peer("api.test:80")
		r := startAt(t, "r1", newInterrupting(t))
		t.Conn("c1").Fin()
		r.WantErr(io.EOF)
	}, "held"},
	{"broken by a fault", func(t *harness.T) {
		t.Peer("api.test:80")
		r := startAt(t, "r1", newInterrupting(t))
		t.Conn("c1").Break(syscall.EHOSTUNREACH)
		r.WantErr(syscall.EHOSTUNREACH)
	}, "held"},
	{"a call that fails", func(t *harness.T) {
		t.Peer("api.test:80")
		v, _ := faultnet.ParseVerdict("error:ECONNRESET")
		t.Net.Fault("c1 client write", v)
		startAt(t, "r1", newInterrupting(t)).WantErr(syscall.ECONNRESET)
	}, "held"},
	{"split is no fault", func(t *harness.T) {
		t.Serve("api.test:80", nil)
		t.Net.Fault("c1 server->client data", faultnet.Split(1))
		startAt(t, "r1", between{t.Net.Transport(), func(tr *http.Transport, req *http.Request) (*http.Response, error) {
			if resp, err := tr.RoundTrip(req); err == nil {
				resp.Body.Close()
			}
			return nil, fmt.Errorf("reading: %w", io.ErrUnexpectedEOF)
		}})
	}, "r1: failed without a cause: reading: unexpected EOF; c1: r1 was sent on it, "},
	{"closed by the test", func(t *harness.T) {
		t.Peer("api.test:80")
		r := startAt(t, "r1", newInterrupting(t))
		t.Conn("c1").HangUp()
		r.WantErr(net.ErrClosed)
	}, "held"},
	{"an answer that is none", func(t *harness.T) {
		t.Peer("api.test:80")
		startAt(t, "r1", newInterrupting(t))
		t.Conn("c1").Send("HTTP/1.1 200 OK\r\nno colon\r\n\r\n")
	}, "held"},
	{"another one was cancelled", func(t *harness.T) {
		t.Peer("api.test:80")
		tr := &sharing{Transport: t.Net.Transport()}
		r1 := startAt(t, "r1", tr)
		startAt(t, "r2", tr)
		r1.Cancel()
	}, "r2: context canceled, and it was not cancelled"},
	{"it was cancelled itself", func(t *harness.T) {
		t.Peer("api.test:80")
		r1 := startAt(t, "r1", &sharing{Transport: t.Net.Transport()})
		r1.Cancel()
		r1.WantErr(context.Canceled)
	}, "held"},
	{"by Request.Cancel", func(t *harness.T) {
		t.Peer("api.test:80")
		req, _ := http.NewRequest("GET", "http://api.test/", nil)
		quit := make(chan struct{})
		//lint:ignore SA1019 Request.Cancel is part of what net/http promises, deprecated or not.
		req.Cancel = quit
		t.Start("r1", t.Net.Transport(), req)
		close(quit)
		t.Settle()
	}, "held"},
	{"late at once", func(t *harness.T) { startAt(t, "r1", returning(t, os.ErrDeadlineExceeded)) },
		"r1: i/o timeout, and no time has passed"},
	{"late after a time", func(t *harness.T) {
		t.Peer("api.test:80")
		tr := t.Net.Transport()
		tr.ResponseHeaderTimeout = time.Second
		r := startAt(t, "r1", tr)
		t.Advance(time.Second)
		if r.Err() == nil {
			t.Error("got no error, want a timeout")
		}
	}, "held"},
	{"an error of its own", func(t *harness.T) { startAt(t, "r1", returning(t, errors.New("no, thanks"))) }, "held"},
	{"not valid", func(t *harness.T) {
		req, _ := http.NewRequest("GET", "http://api.test/", nil)
		req.URL.Scheme = "gopher"
		t.Start("r1", t.Net.Transport(), req)
	}, "held"},
	{"its dial was refused", func(t *harness.T) {
		t.Net.Fault("dial", faultnet.Refuse)
		startAt(t, "r1", t.Net.Transport()).WantErr(syscall.ECONNREFUSED)
	}, "held"},
	{"one dial for two", func(t *harness.T) {
		t.Net.Hold("dial")
		tr := &sharing{Transport: t.Net.Transport()}
		startAt(t, "r1", tr)
		r2 := startAt(t, "r2", tr)
		t.Net.WantDial().Refuse()
		r2.WantErr(syscall.ECONNREFUSED)
		t.Net.Release("dial")
	}, "held"},
	{"a dial that does not say for which it is", func(t *harness.T) {
		t.Net.Fault("dial", faultnet.TimeOut)
		tr := t.Net.Transport()
		tr.DialContext = func(_ context.Context, network, addr string) (net.Conn, error) {
			return t.Net.DialContext(context.Background(), network, addr)
		}
		startAt(t, "r1", tr).WantErr(syscall.ETIMEDOUT)
	}, "held"},
	{"one connection for two, reset in its handshake", func(t *harness.T) {
		t.Peer("api.test:80")
		tr := &greeting{t: t}
		startAt(t, "r1", tr)
		r2 := startAt(t, "r2", tr)
		t.Conn("c1").Reset()
		r2.WantErr(syscall.ECONNRESET)
	}, "held"},
	{"one connection for two, given up in its handshake", func(t *harness.T) {
		t.Serve("api.test:80", nil)
		tr := &greeting{t: t}
		startAt(t, "r1", tr)
		startAt(t, "r2", tr)
		tr.c.Close()
	}, ": failed without a cause: "},
	{"the dial of another one", func(t *harness.T) {
		t.Peer("api.test:80")
		t.Net.Fault("dial d1", faultnet.Refuse)
		var failed error
		tr := between{t.Net.Transport(), func(tr *http.Transport, req *http.Request) (*http.Response, error) {
			resp, err := tr.RoundTrip(req)
			if failed == nil {
				failed = err
			} else if err == nil {
				resp.Body.Close()
				err = failed
			}
			return nil, err
		}}
		startAt(t, "r1", tr)
		r2 := startAt(t, "r2", tr)
		t.Conn("c1").Respond(204, "")
		r2.Await()
	}, "r2: dial tcp "},
	{"a body that ends early", func(t *harness.T) {
		t.Serve("api.test:80", nil)
		r := t.Get("r1", between{t.Net.Transport(), func(tr *http.Transport, req *http.Request) (*http.Response, error) {
			resp, err := tr.RoundTrip(req)
			resp.Body = &endsEarly{resp.Body}
			return resp, err
		}}, "http://api.test/bytes/100")
		r.WantBrokenBody(io.ErrUnexpectedEOF)
	}, "r1: failed without a cause: unexpected EOF; c1: r1 was sent on it, "},
	{"a body that is cut", func(t *harness.T) {
		t.Serve("api.test:80", nil)
		t.Net.Fault("c1 server->client data", faultnet.Cut(150))
		t.Get("r1", t.Net.Transport(), "http://api.test/bytes/100").WantBrokenBody(io.ErrUnexpectedEOF)
	}, "held"},
	{"allowed", func(t *harness.T) {
		t.Allow("cause", "this transport says so of everything")
		startAt(t, "r1", returning(t, net.ErrClosed))
	}, "held"},
	{"allowed for one", func(t *harness.T) {
		tr := returning(t, net.ErrClosed)
		t.Allow("cause", "it is the first", "r1")
		startAt(t, "r1", tr)
		startAt(t, "r2", tr)
	}, "r2: failed without a cause"},
	{"allowed, and there is no such oracle", func(t *harness.T) { t.Allow("causes", "a slip") },
		"unknown oracle \"causes\" (did you mean \"cause\"?); there are: limit, "},
	{"allowed without a reason", func(t *harness.T) { t.Allow("cause", " ") }, "allow cause: the reason is missing"},
}

func startAt(t *harness.T, name string, rt http.RoundTripper) *harness.Request {
	return t.Get(name, rt, "http://api.test/")
}

// greeting is a transport all of whose requests wait for one connection and its handshake. They call the hook GetConn, and none has the connection before that.
type greeting struct {
	t    *harness.T
	mu   sync.Mutex
	c    net.Conn
	done chan struct{}
	err  error
}

func (g *greeting) RoundTrip(req *http.Request) (*http.Response, error) {
	if trace := httptrace.ContextClientTrace(req.Context()); trace != nil && trace.GetConn != nil {
		trace.GetConn(req.URL.Host)
	}
	g.mu.Lock()
	if g.done == nil {
		g.done = make(chan struct{})
		go func() {
			defer close(g.done)
			if g.c, g.err = g.t.Net.DialContext(req.Context(), "tcp", "api.test:80"); g.err == nil {
				io.WriteString(g.c, "hello?")
				_, g.err = g.c.Read(make([]byte, 10))
				g.c.Close()
			}
		}()
	}
	g.mu.Unlock()
	<-g.done
	return nil, g.err
}

// returning makes a transport that has that error for each request.
func returning(t *harness.T, err error) http.RoundTripper {
	return between{t.Net.Transport(), func(*http.Transport, *http.Request) (*http.Response, error) { return nil, err }}
}

// A request does not fail without a cause of its own; whatever has one may fail.
func TestErrorsHaveCauses(t *testing.T) {
	for _, c := range causes {
		t.Run(c.name, func(t *testing.T) {
			got := first(harness.TestReport(c.name, c.run))
			if (c.want == "held") != (got == "held") || !strings.Contains(got, c.want) {
				t.Errorf("got %s\nwant %s", got, c.want)
			}
		})
	}
}

// endsEarly is a body whose Read fails before its end.
type endsEarly struct{ io.ReadCloser }

func (b *endsEarly) Read(p []byte) (int, error) {
	n, _ := b.ReadCloser.Read(p[:min(len(p), 10)])
	return n, io.ErrUnexpectedEOF
}
