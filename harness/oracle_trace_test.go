package harness_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"testing"
	"time"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness"
)

// lying is net/http's transport, with a trace that is not what happens.
type lying struct {
	*http.Transport
	lie func(name string, true, told *httptrace.ClientTrace)
}

func (l lying) RoundTrip(req *http.Request) (*http.Response, error) {
	trace := httptrace.ContextClientTrace(req.Context())
	told := *trace
	l.lie(req.Header.Get(harness.RequestHeader), trace, &told)
	return l.Transport.RoundTrip(req.WithContext(&lyingContext{req.Context(), trace, &told}))
}

type lyingContext struct {
	context.Context
	trace, told *httptrace.ClientTrace
}

func (c *lyingContext) Value(key any) any {
	v := c.Context.Value(key)
	if v == c.trace {
		return c.told
	}
	return v
}

// swallowing is a connection that nothing is written on.
type swallowing struct{ net.Conn }

func (c swallowing) Write(b []byte) (int, error) { return len(b), nil }
func (c swallowing) NetConn() net.Conn           { return c.Conn }

var lies = []struct {
	name string
	lie  func(name string, trace, told *httptrace.ClientTrace)
	run  func(t *harness.T, rt http.RoundTripper)
	want string
}{
	{"new", lieAbout(func(info *httptrace.GotConnInfo) { info.Reused = false }), twoPages,
		"r2: GotConn says that c1 is new, and another request was sent on it before"},
	{"not idle", lieAbout(func(info *httptrace.GotConnInfo) { info.WasIdle, info.IdleTime = false, 0 }), twoPages,
		"r2: GotConn says that c1 was not idle, and it was"},
	{"idle for longer", lieAbout(func(info *httptrace.GotConnInfo) { info.IdleTime++ }), twoPages,
		"r2: GotConn says that c1 was idle for 1m0.000000001s, and bytes arrived on it 1m0s ago"},
	{"put back too early", func(_ string, trace, told *httptrace.ClientTrace) {
		told.GotFirstResponseByte = func() { trace.PutIdleConn(nil) }
	}, func(t *harness.T, rt http.RoundTripper) {
		t.Peer("api.test:80")
		r1 := t.Get("r1", rt, "http://api.test/")
		t.Conn("c1").Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no")
		t.Conn("c1").Send("k")
		r1.Finish()
	}, "r1: PutIdleConn says that c1 is idle, and its response has not come to its end"},
	{"not put back", func(_ string, trace, told *httptrace.ClientTrace) {
		told.PutIdleConn = func(error) { trace.PutIdleConn(errors.New("no room")) }
	}, twoPages, "r1: PutIdleConn says that c1 did not become idle (no room), and it is open"},
	{"not written", func(string, *httptrace.ClientTrace, *httptrace.ClientTrace) {}, func(t *harness.T, rt http.RoundTripper) {
		rt.(lying).DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := t.Net.DialContext(ctx, network, addr)
			return swallowing{c}, err
		}
		t.Serve("api.test:80", nil)
		t.Get("r1", rt, "http://api.test/").Cancel()
	}, "r1: WroteRequest says that it was written, and c1 has brought nothing of it"},
	{"not called", func(_ string, _, told *httptrace.ClientTrace) { told.WroteRequest = nil }, twoPages,
		"r1: answered, and WroteRequest was never called"},

	{"as it is", func(string, *httptrace.ClientTrace, *httptrace.ClientTrace) {}, twoPages, "held"},
	{"no room", func(string, *httptrace.ClientTrace, *httptrace.ClientTrace) {}, func(t *harness.T, rt http.RoundTripper) {
		rt.(lying).MaxIdleConnsPerHost = -1
		twoPages(t, rt)
	}, "held"},
	{"from hand to hand", func(string, *httptrace.ClientTrace, *httptrace.ClientTrace) {}, func(t *harness.T, rt http.RoundTripper) {
		rt.(lying).MaxConnsPerHost = 1
		t.Serve("api.test:80", nil)
		r1 := t.Get("r1", rt, "http://api.test/")
		r2 := t.Get("r2", rt, "http://api.test/")
		r1.Finish()
		r2.Finish()
	}, "held"},
	{"parked", func(string, *httptrace.ClientTrace, *httptrace.ClientTrace) {}, func(t *harness.T, rt http.RoundTripper) {
		t.Gates("GotConn", "WroteRequest", "PutIdleConn")
		t.Serve("api.test:80", nil)
		t.Net.Hold("gate")
		r1 := t.Get("r1", rt, "http://api.test/status/204")
		for range 3 {
			t.Advance(time.Second)
			t.Net.Next(1)
		}
		t.Net.Release("gate")
		r1.Finish()
		t.Get("r2", rt, "http://api.test/").Finish()
	}, "held"},
	{"allowed", func(_ string, _, told *httptrace.ClientTrace) { told.WroteRequest = nil }, func(t *harness.T, rt http.RoundTripper) {
		t.Allow("trace", "it calls some hooks only")
		twoPages(t, rt)
	}, "held"},
}

// twoPages gets a page, and another one a minute later.
func twoPages(t *harness.T, rt http.RoundTripper) {
	t.Serve("api.test:80", nil)
	t.Get("r1", rt, "http://api.test/").Finish()
	t.Advance(time.Minute)
	t.Get("r2", rt, "http://api.test/").Finish()
}

// lieAbout has GotConn say something else of r2.
func lieAbout(change func(info *httptrace.GotConnInfo)) func(string, *httptrace.ClientTrace, *httptrace.ClientTrace) {
	return func(name string, trace, told *httptrace.ClientTrace) {
		told.GotConn = func(info httptrace.GotConnInfo) {
			if name == "r2" {
				change(&info)
			}
			trace.GotConn(info)
		}
	}
}

// What the hooks of httptrace say is what happened on the wire.
func TestTraceAgrees(t *testing.T) {
	for _, c := range lies {
		t.Run(c.name, func(t *testing.T) {
			got := first(harness.TestReport(c.name, func(t *harness.T) { c.run(t, lying{t.Net.Transport(), c.lie}) }))
			if got != c.want && !strings.HasPrefix(got, c.want+" ") {
				t.Errorf("got %s\nwant %s", got, c.want)
			}
		})
	}
}

// A rate limiter in front of a transport is right to have a request wait, and to let a later
// one pass; the transport itself is not.
func TestLimitersWait(t *testing.T) {
	run := func(held string) string {
		return first(harness.TestReport(t.Name(), func(t *harness.T) {
			t.Serve("api.test:80", nil)
			tr := t.Net.Transport()
			limited := between{tr, func(tr *http.Transport, req *http.Request) (*http.Response, error) {
				ctx, late := req.Context(), req.Header.Get(harness.RequestHeader) == "r2"
				if late && held == "in front" {
					time.Sleep(time.Second) // virtual
				}
				if late && held == "behind" {
					httptrace.ContextClientTrace(ctx).GetConn("")
					time.Sleep(time.Second) // virtual
				}
				return tr.RoundTrip(req)
			}}
			t.Get("r1", limited, "http://api.test/").Finish()
			r2 := t.Get("r2", limited, "http://api.test/")
			t.Get("r3", limited, "http://api.test/").Finish()
			r2.Await()
			r2.Finish()
		}))
	}
	if got := run("in front"); got != "held" {
		t.Errorf("a limiter in front: got %s", got)
	}
	if got, want := run("behind"), "r2: waits while c1 to api.test:80 is idle"; !strings.HasPrefix(got, want) {
		t.Errorf("a transport that waits: got %s, want %s", got, want)
	}
}

// A request that failed in its transport, and is sent again after a while by what is in front of that,
// waits for no connection meanwhile. Once it asks again it does, as far as hooks tell that.
func TestBackOffWaits(t *testing.T) {
	for _, refused := range []bool{true, false} {
		for _, hooks := range []bool{true, false} {
			for _, asks := range []bool{true, false} {
				name := fmt.Sprint("refused: ", refused, ", hooks: ", hooks, ", asks: ", asks)
				got, want := first(harness.TestReport(name, func(t *harness.T) { backOff(t, refused, hooks, asks) })), "held"
				if asks && hooks {
					want = "r2: waits while c1 to api.test:80 is idle"
				}
				if got != want && !strings.HasPrefix(got, want+" ") {
					t.Errorf("%s: got %s, want %s", name, got, want)
				}
			}
		}
	}
}

// backOff has a request fail with its dial, or when it has a connection, and wait a second before
// it is sent again.
func backOff(t *harness.T, refused, hooks, asks bool) {
	t.Serve("api.test:80", nil)
	tr := t.Net.Transport()
	lost := false
	tr.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := t.Net.DialContext(ctx, network, address)
		if err == nil && lost {
			c.Close()
			return nil, errors.New("no handshake")
		}
		return c, err
	}
	retries := between{tr, func(tr *http.Transport, req *http.Request) (*http.Response, error) {
		first := req
		if !hooks {
			first = req.WithContext(faultnet.WithOwner(context.Background(), faultnet.Owner(req.Context())))
		}
		resp, err := tr.RoundTrip(first)
		if err == nil {
			return resp, nil
		}
		if trace := httptrace.ContextClientTrace(first.Context()); asks && trace != nil {
			trace.GetConn("")
		}
		time.Sleep(time.Second) // virtual
		return tr.RoundTrip(first)
	}}
	r1 := t.Get("r1", retries, "http://api.test/")
	if lost = !refused; refused {
		t.Net.Fault("dial", faultnet.Refuse, faultnet.First(1))
	}
	r2 := t.Get("r2", retries, "http://api.test/")
	lost = false
	r1.Finish()
	t.Get("r3", retries, "http://api.test/").Finish()
	r2.Await()
	r2.Finish()
}

// A request that the code under test makes by itself is not known to the harness: the connection on
// which it waits for its answer, or whose answer is not read, is not idle. The next request of
// the harness on it is known again.
func TestStrangeRequests(t *testing.T) {
	for _, path := range []string{"/hang", "/bytes/100"} {
		got := first(harness.TestReport(path, func(t *harness.T) {
			t.Serve("api.test:80", nil)
			tr := t.Net.Transport()
			var bodies []io.Closer
			ctx, cancel := context.WithCancel(t.Context())
			strange := func() {
				go func() {
					req, _ := http.NewRequestWithContext(ctx, "GET", "http://api.test"+path, nil)
					if resp, err := tr.RoundTrip(req); err == nil {
						bodies = append(bodies, resp.Body)
					}
				}()
				t.Settle()
			}
			strange()
			t.Get("r1", tr, "http://api.test/").Finish() // dials: c1 is in use
			strange()                                    // on c2
			t.Get("r2", tr, "http://api.test/").Finish() // dials
			open, idle, want := len(t.Net.OpenConns()), len(t.Net.IdleConns()), 1
			if path != "/hang" {
				want = 3 // as far as the wire shows
			}
			if open != 3 || idle != want {
				t.Errorf("got %d connections, %d of them idle; want 3, and %d", open, idle, want)
			}
			cancel()
			for _, b := range bodies {
				b.Close()
			}
			t.Settle()
		}))
		if got != "held" {
			t.Errorf("%s: got %s", path, got)
		}
	}
	late := func(tr *http.Transport, req *http.Request) (*http.Response, error) {
		if req.Header.Get(harness.RequestHeader) == "r2" {
			httptrace.ContextClientTrace(req.Context()).GetConn("")
			time.Sleep(time.Second) // virtual
		}
		return tr.RoundTrip(req)
	}
	got := first(harness.TestReport(t.Name(), func(t *harness.T) {
		t.Serve("api.test:80", nil)
		tr := between{t.Net.Transport(), late}
		req, _ := http.NewRequestWithContext(t.Context(), "GET", "http://api.test/", nil)
		if resp, err := tr.Transport.RoundTrip(req); err == nil {
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
		t.Get("r1", tr, "http://api.test/").Finish()
		t.Get("r2", tr, "http://api.test/").Finish()
	}))
	if want := "r2: waits while c1 to api.test:80 is idle"; !strings.HasPrefix(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
}
