package pool

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A connection that goes from one request straight to another has its new
// holder in the ledger, since then.
func TestLedgerHandedOn(t *testing.T) {
	run(t, &Transport{MaxConnsPerHost: 1}, func(s *script) {
		r1 := s.get("r1")
		c1 := s.wantDial().open()
		c1.wantRequest()
		r2 := s.do("r2", s.request("OPTIONS", nil))
		time.Sleep(time.Second) // virtual
		handedOn := time.Now()
		c1.send(ok0)
		r1.wantDone("")
		time.Sleep(time.Second) // virtual
		if e := s.tr.Ledger()[0]; e.Holder != "OPTIONS http://api.test/" || !e.Since.Equal(handedOn) || e.Served != 2 {
			t.Errorf("ledger: got %s since %v, want r2's since %v", e.Holder, e.Since, handedOn)
		}
		if n := s.tr.Stats().Reuses; n != 1 {
			t.Errorf("reuses: got %d, want 1", n)
		}
		c1.wantRequest()
		c1.send(ok0)
		r2.wantDone("")
	})
}

// A shared connection is active from its first request on, however many more
// there are, and idle after the last.
func TestLedgerShared(t *testing.T) {
	cert := certServer(t)
	synctest.Test(t, func(t *testing.T) {
		tr := h2Bubble(t, cert, nil, func(w http.ResponseWriter, r *http.Request) { time.Sleep(10 * time.Second) }) // virtual
		fetch(t, tr, "https://api.test/")
		synctest.Wait()
		want := func(state State, since time.Time, holder string) {
			t.Helper()
			if e := tr.Ledger()[0]; e.State != state || !e.Since.Equal(since) || e.Holder != holder {
				t.Errorf("ledger: got %s since %v, held by %q, want %s since %v, held by %q", e.State, e.Since, e.Holder, state, since, holder)
			}
		}
		want(Idle, time.Now(), "")
		time.Sleep(time.Second) // virtual
		first := time.Now()
		var wg sync.WaitGroup
		wg.Go(func() { fetch(t, tr, "https://api.test/") })
		synctest.Wait()
		want(Active, first, "1 request")
		time.Sleep(time.Second) // virtual
		wg.Go(func() { fetch(t, tr, "https://api.test/") })
		synctest.Wait()
		want(Active, first, "2 requests")
		wg.Wait()
		synctest.Wait()
		want(Idle, time.Now(), "")
	})
}

// A request that comes while a new HTTP/2 connection has not heard from its
// server waits for that, and does not dial (golang/go#44304).
func TestHTTP2AwaitsSettings(t *testing.T) {
	cert := certServer(t)
	synctest.Test(t, func(t *testing.T) {
		tr := h2Bubble(t, cert, nil, func(w http.ResponseWriter, r *http.Request) {})
		deaf := &deafConn{hear: make(chan struct{})}
		open := tr.DialContext
		tr.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := open(ctx, network, addr)
			deaf.Conn = c
			return deaf, err
		}
		var wg sync.WaitGroup
		get := func() {
			ctx := httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{
				TLSHandshakeDone: func(tls.ConnectionState, error) { deaf.shut.Store(true) },
			})
			req, _ := http.NewRequestWithContext(ctx, "GET", "https://api.test/", nil)
			resp, err := tr.RoundTrip(req)
			if err != nil {
				t.Error(err)
				return
			}
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
		for range 3 {
			wg.Go(get)
			synctest.Wait()
		}
		if st := tr.Stats(); st.Dials != 1 || st.Dialing != 0 || st.Waiting != 2 || st.InLine != 0 {
			t.Errorf("before the settings: got %d dials, %d requests waiting, %d in line\n%s", st.Dials, st.Waiting, st.InLine, st)
		}
		close(deaf.hear)
		wg.Wait()
		if st := tr.Stats(); st.Dials != 1 {
			t.Errorf("after them: got %d dials, want 1", st.Dials)
		}
	})
}

// deafConn reads nothing from when it is shut until it may hear.
type deafConn struct {
	net.Conn
	shut atomic.Bool
	hear chan struct{}
}

func (c *deafConn) Read(b []byte) (int, error) {
	if c.shut.Load() {
		<-c.hear
	}
	return c.Conn.Read(b)
}

// A TLS connection says good-bye when it is closed in peace. When its response
// does not come in time it does not: the peer may not be reading.
func TestTLSGoodbye(t *testing.T) {
	cert := certServer(t)
	for _, peace := range []bool{true, false} {
		tr := &Transport{
			ResponseHeaderTimeout: time.Minute,
			TLSClientConfig:       &tls.Config{RootCAs: closer{cert}.roots(), ServerName: "example.com", Time: certTime},
		}
		run(t, tr, func(s *script) {
			req := s.request("GET", nil)
			req.URL.Scheme = "https"
			r1 := s.do("r1", req)
			d1 := s.wantDial()
			client, far := newConnPair("c1")
			s.conns = append(s.conns, client)
			server := tls.Server(far, &tls.Config{Certificates: cert.TLS.Certificates, Time: certTime})
			heard := make(chan int, 1)
			go func() {
				b := make([]byte, 4096)
				_, err := server.Read(b) // the request
				if err == nil && peace {
					io.WriteString(server, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
				}
				rest, _ := io.ReadAll(far) // below TLS: there only the good-bye can be
				heard <- len(rest)
			}()
			openOn(d1, client, far)
			if peace {
				r1.wantDone("")
				s.tr.CloseIdleConnections()
			} else {
				time.Sleep(time.Minute) // virtual
				r1.wantErr(context.DeadlineExceeded)
			}
			if n := <-heard; (n > 0) != peace {
				t.Errorf("peace=%v: the server heard %d more bytes", peace, n)
			}
		})
	}
}

// ALPN offers what somebody here can speak, and nothing else.
func TestOffers(t *testing.T) {
	nobody := func(string, *tls.Conn) http.RoundTripper { return nil }
	both, only2, none := new(http.Protocols), new(http.Protocols), new(http.Protocols)
	both.SetHTTP1(true)
	both.SetHTTP2(true)
	only2.SetHTTP2(true)
	none.SetHTTP1(true)
	theirs := func(protos ...string) *tls.Config { return &tls.Config{NextProtos: protos} }
	for _, tt := range []struct {
		name string
		tr   *Transport
		want []string
	}{
		{"nothing said", &Transport{}, []string{"h2", "http/1.1"}},
		{"HTTP/1 only", &Transport{Protocols: none}, nil},
		{"HTTP/1 only, but asked for", &Transport{Protocols: none, TLSClientConfig: theirs("h2", "http/1.1")}, []string{"http/1.1"}},
		{"somebody else's HTTP/2", &Transport{TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{"h2": nobody},
			TLSClientConfig: theirs("h2", "http/1.1")}, []string{"h2", "http/1.1"}},
		{"both", &Transport{Protocols: both, TLSClientConfig: theirs("other")}, []string{"h2", "other", "http/1.1"}},
		{"both, said", &Transport{Protocols: both, TLSClientConfig: theirs("http/1.1", "h2")}, []string{"http/1.1", "h2"}},
		{"HTTP/2 only", &Transport{Protocols: only2, TLSClientConfig: theirs("http/1.1", "h2")}, []string{"h2"}},
	} {
		tt.tr.once.Do(tt.tr.setUp)
		if got := tt.tr.offers(&destination{}); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
		if got := tt.tr.offers(&destination{route: route{onlyH1: true}}); got != nil {
			t.Errorf("%s, upgrade: got %q, want none", tt.name, got)
		}
	}
}

// Who brings a dialer or a TLS configuration gets HTTP/1 only, unless told
// otherwise, as with net/http.
func TestAllowed(t *testing.T) {
	dial := func(string, string) (net.Conn, error) { return nil, errRefused }
	dialContext := func(context.Context, string, string) (net.Conn, error) { return nil, errRefused }
	next := map[string]func(string, *tls.Conn) http.RoundTripper{}
	protocols := new(http.Protocols)
	protocols.SetHTTP2(true)
	for _, tt := range []struct {
		name    string
		tr      *Transport
		h2      bool
		carrier bool
	}{
		{"zero", &Transport{}, true, true},
		{"TLSClientConfig", &Transport{TLSClientConfig: &tls.Config{}}, false, false},
		{"Dial", &Transport{Dial: dial}, false, false},
		{"DialContext", &Transport{DialContext: dialContext}, false, false},
		{"DialTLS", &Transport{DialTLS: dial}, false, false},
		{"DialTLSContext", &Transport{DialTLSContext: dialContext}, false, false},
		{"ForceAttemptHTTP2", &Transport{DialTLS: dial, ForceAttemptHTTP2: true}, true, true},
		{"TLSNextProto", &Transport{TLSNextProto: next, ForceAttemptHTTP2: true}, false, false},
		{"TLSNextProto and Protocols", &Transport{TLSNextProto: next, Protocols: protocols}, true, true},
	} {
		tt.tr.once.Do(tt.tr.setUp)
		if tt.tr.protocols.HTTP2() != tt.h2 || (tt.tr.h2 != nil) != tt.carrier {
			t.Errorf("%s: got HTTP/2 %v, spoken by us %v, want %v, %v", tt.name, tt.tr.protocols.HTTP2(), tt.tr.h2 != nil, tt.h2, tt.carrier)
		}
	}
}

// Without a timeout the body of a request with Expect waits for nothing.
func TestExpectWithoutTimeout(t *testing.T) {
	run(t, &Transport{}, func(s *script) {
		req := s.request("POST", io.NopCloser(strings.NewReader("payload")))
		req.Header.Set("Expect", "100-continue")
		r1 := s.do("r1", req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
			Wait100Continue: func() { t.Error("it waits") },
		})))
		c1 := s.wantDial().open()
		if got := c1.body(c1.wantRequest()); got != "payload" {
			t.Errorf("body: got %q", got)
		}
		c1.send(ok0)
		r1.wantDone("")
	})
}

// A request that is over when its connection has failed fails with its own
// reason, though nobody has called the connection off for it (golang/go#16049).
func TestFailureOfTheCanceled(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errWhy)
	req, _ := http.NewRequestWithContext(ctx, "GET", "http://api.test/", nil)
	tr := &Transport{}
	pc := tr.newConn(&parrot{}, nil)
	pc.cause, pc.err = ServerFIN, io.EOF
	close(pc.wrote)
	x := &attempt{t: tr, req: req, done: ctx.Done()}
	if err := pc.failure(&exchange{pc: pc, x: x, req: req}); err != errWhy {
		t.Errorf("got %v, want %v", err, errWhy)
	}
}

// The books count the requests that a shared connection serves; of several that
// a burst has needed, one stays.
func TestHTTP2Books(t *testing.T) {
	cert := certServer(t)
	synctest.Test(t, func(t *testing.T) {
		tr := h2Bubble(t, cert, &http.HTTP2Config{MaxConcurrentStreams: 1}, func(w http.ResponseWriter, r *http.Request) { time.Sleep(time.Second) }) // virtual
		fetch(t, tr, "https://api.test/")
		synctest.Wait()
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() { fetch(t, tr, "https://api.test/") })
			synctest.Wait()
		}
		wg.Wait()
		synctest.Wait()
		st := tr.Stats()
		if served := int(st.Dials + st.Reuses); served != 4 || st.Idle != 1 || st.Active != 0 || st.Closed[Spare] != 2 {
			t.Errorf("got %d dials and %d reuses for 4 requests\n%sclosed: %s", st.Dials, st.Reuses, st, st.Closed)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		tr := h2Bubble(t, cert, nil, func(w http.ResponseWriter, r *http.Request) { time.Sleep(time.Second) }) // virtual
		tr.MaxConnsPerHost = 1
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() { fetch(t, tr, "https://api.test/") })
		}
		wg.Wait()
		if st := tr.Stats(); st.Dials != 1 || st.Reuses != 4 {
			t.Errorf("in line: got %d dials and %d reuses, want 1 and 4", st.Dials, st.Reuses)
		}
	})
}

// A compressed body that is closed unread, and whose rest does not come, costs
// its connection, and nothing else.
func TestGzipUnread(t *testing.T) {
	run(t, &Transport{}, func(s *script) {
		r1 := s.get("r1")
		c1 := s.wantDial().open()
		c1.wantRequest()
		c1.send("HTTP/1.1 200 OK\nContent-Encoding: gzip\nContent-Length: 100\n\n\x1f\x8b")
		r1.wantResponse().Body.Close()
		time.Sleep(drainTime) // virtual
		s.wantClosed(BodyUnread, 1)
	})
}

// A few hosts are remembered, quiet or not.
func TestQuietHostsRemembered(t *testing.T) {
	run(t, &Transport{}, func(s *script) {
		for _, host := range []string{"a.test", "b.test", "c.test"} {
			req := s.request("GET", nil)
			req.URL.Host = host
			r := s.do(host, req)
			s.wantDial().fail(errRefused)
			r.wantErr(errRefused)
		}
		if st := s.tr.Stats(); len(st.Hosts) != 3 || st.Hosts[0].DialErrors != 1 || len(st.Closed) != 0 {
			t.Errorf("got\n%s, want a line for each of three hosts, and nothing closed, not even %v", st, st.Closed)
		}
	})
}
