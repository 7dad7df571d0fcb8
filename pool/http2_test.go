package pool

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// h2Bubble serves HTTP/2 in memory, for a test in a bubble.
func h2Bubble(t *testing.T, cert *httptest.Server, conf *http.HTTP2Config, h http.HandlerFunc) *Transport {
	mem, l := memory("api.test:443")
	srv := &http.Server{
		Handler: h, ErrorLog: quiet, HTTP2: conf,
		TLSConfig: &tls.Config{Certificates: cert.TLS.Certificates, Time: certTime},
	}
	go srv.ServeTLS(l, "", "")
	tr := &Transport{
		DialContext:       mem.DialContext,
		ForceAttemptHTTP2: true,
		TLSClientConfig:   &tls.Config{RootCAs: closer{cert}.roots(), ServerName: "example.com", Time: certTime},
	}
	t.Cleanup(func() {
		synctest.Wait()
		for _, h := range tr.hosts {
			for _, pc := range h.sharing {
				if n := pc.shared.carried.Load(); n != 0 {
					t.Errorf("at the end: connection %d (%s) carries %d requests, want none", pc.id, pc.state, n)
				}
			}
		}
		tr.CloseIdleConnections()
		srv.Close()
	})
	return tr
}

func certTime() time.Time { return time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC) }

func certServer(t *testing.T) *httptest.Server {
	srv := tlsServer(nil)
	srv.Close()
	return srv
}

// Many first requests at once end up on one connection, whichever dial was
// first; the spare ones are closed (golang/go#13397, #44304).
func TestHTTP2OneConnection(t *testing.T) {
	cert := certServer(t)
	synctest.Test(t, func(t *testing.T) {
		tr := h2Bubble(t, cert, nil, func(w http.ResponseWriter, r *http.Request) { time.Sleep(time.Second) }) // virtual
		hold := make(chan struct{})
		open := tr.DialContext
		tr.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			<-hold
			return open(ctx, network, addr)
		}
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() { fetch(t, tr, "https://api.test/") })
		}
		synctest.Wait()
		close(hold)
		wg.Wait()
		synctest.Wait()
		if st := tr.Stats(); st.Dialing != 0 || st.Idle != 1 || st.Active != 0 {
			t.Errorf("after the requests: got\n%s%s", st, tr.Ledger())
		}
		dials := tr.Stats().Dials
		for range 10 {
			wg.Go(func() { fetch(t, tr, "https://api.test/") })
		}
		wg.Wait()
		if n := tr.Stats().Dials; n != dials {
			t.Errorf("ten more requests: got %d dials, want none", n-dials)
		}
	})
}

// A request that comes when a dial has just been done does not dial again, nor
// do more requests than the server allows go out before it has said how many
// that is (golang/go#44304, #16582).
func TestHTTP2BeforeSettings(t *testing.T) {
	cert := certServer(t)
	synctest.Test(t, func(t *testing.T) {
		var load gauge
		tr := h2Bubble(t, cert, &http.HTTP2Config{MaxConcurrentStreams: 2}, func(w http.ResponseWriter, r *http.Request) {
			load.enter()
			time.Sleep(time.Second) // virtual
			load.leave()
		})
		tr.MaxConnsPerHost = 1
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() { fetch(t, tr, "https://api.test/") })
		}
		wg.Wait()
		if st := tr.Stats(); load.most != 2 || st.Dials != 1 || st.Retries != 0 {
			t.Errorf("got %d streams at once, %d dials, %d retries, want 2, 1, 0", load.most, st.Dials, st.Retries)
		}
	})
}

// StrictMaxConcurrentRequests makes requests wait for a stream, rather than
// dial.
func TestHTTP2Strict(t *testing.T) {
	cert := certServer(t)
	synctest.Test(t, func(t *testing.T) {
		var load gauge
		tr := h2Bubble(t, cert, &http.HTTP2Config{MaxConcurrentStreams: 2}, func(w http.ResponseWriter, r *http.Request) {
			load.enter()
			time.Sleep(time.Second) // virtual
			load.leave()
		})
		tr.HTTP2 = &http.HTTP2Config{StrictMaxConcurrentRequests: true}
		fetch(t, tr, "https://api.test/")
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() { fetch(t, tr, "https://api.test/") })
		}
		wg.Wait()
		if st := tr.Stats(); load.most != 2 || st.Dials != 1 {
			t.Errorf("got %d streams at once, %d dials, want 2 and 1", load.most, st.Dials)
		}
	})
}

// A gauge counts how many are inside at once.
type gauge struct {
	mu        sync.Mutex
	now, most int
}

func (g *gauge) enter() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.now++
	g.most = max(g.most, g.now)
}

func (g *gauge) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.now--
}

// An idle HTTP/2 connection is bound by the same limits and timers.
func TestHTTP2Idle(t *testing.T) {
	cert := certServer(t)
	for _, tt := range []struct {
		name string
		set  func(*Transport)
		keep time.Duration
		why  []Cause // x/net may be faster than the pool
	}{
		{"IdleConnTimeout", func(tr *Transport) { tr.IdleConnTimeout = time.Minute }, time.Minute, []Cause{IdleTimeout}},
		{"no limit", func(tr *Transport) {}, time.Hour, nil},
		{"MaxIdleConnsPerHost", func(tr *Transport) { tr.MaxIdleConnsPerHost = -1 }, 0, []Cause{NoKeepAlive, HTTP2Closed}},
		{"DisableKeepAlives", func(tr *Transport) { tr.DisableKeepAlives = true }, 0, []Cause{NoKeepAlive, HTTP2Closed}},
	} {
		synctest.Test(t, func(t *testing.T) {
			tr := h2Bubble(t, cert, nil, func(w http.ResponseWriter, r *http.Request) {})
			tt.set(tr)
			closed := make(chan Cause, 10)
			tr.OnClose = func(_ Entry, why Cause) { closed <- why }
			for range 2 {
				fetch(t, tr, "https://api.test/")
				synctest.Wait()
				if tt.keep > 0 {
					time.Sleep(tt.keep - 1) // virtual
					synctest.Wait()
					if st := tr.Stats(); len(closed) > 0 || st.Idle != 1 || st.Dials != 1 {
						t.Errorf("%s, before its time: got %d closed\n%s", tt.name, len(closed), st)
					}
				}
			}
			time.Sleep(time.Nanosecond) // virtual
			synctest.Wait()
			if tt.why == nil {
				if len(closed) > 0 {
					t.Errorf("%s: got %d closed, want it kept", tt.name, len(closed))
				}
				return
			}
			if len(closed) == 0 {
				t.Fatalf("%s: got it kept\n%s", tt.name, tr.Stats())
			}
			if why, st := <-closed, tr.Stats(); !slices.Contains(tt.why, why) || st.Idle+st.Active != 0 {
				t.Errorf("%s: got cause %q, want one of %v\n%s", tt.name, why, tt.why, st)
			}
		})
	}
}

// Of two connections that have both been of use, MaxIdleConnsPerHost keeps one.
func TestHTTP2IdleLimit(t *testing.T) {
	cert := certServer(t)
	synctest.Test(t, func(t *testing.T) {
		tr := h2Bubble(t, cert, &http.HTTP2Config{MaxConcurrentStreams: 1}, func(w http.ResponseWriter, r *http.Request) { time.Sleep(time.Second) }) // virtual
		tr.MaxConnsPerHost = 2
		var wg sync.WaitGroup
		burst := func() {
			for range 4 {
				wg.Go(func() { fetch(t, tr, "https://api.test/") })
			}
			wg.Wait()
			synctest.Wait()
		}
		burst()
		burst()
		if st := tr.Stats(); st.Dials != 2 || st.Idle != 2 {
			t.Errorf("after two bursts: got %d dials, want 2, both idle\n%s", st.Dials, st)
		}
		tr.MaxIdleConnsPerHost = 1 // nothing is under way
		burst()
		if st := tr.Stats(); st.Idle != 1 || st.Active != 0 || st.Closed[HostIdleLimit] != 1 {
			t.Errorf("with room for one: got closed %s\n%s", st.Closed, st)
		}
	})
}

// CloseIdleConnections leaves a connection alone whose response is being read.
func TestHTTP2CloseIdleInBody(t *testing.T) {
	cert := certServer(t)
	synctest.Test(t, func(t *testing.T) {
		tr := h2Bubble(t, cert, nil, func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "first ")
			w.(http.Flusher).Flush()
			time.Sleep(time.Second) // virtual
			io.WriteString(w, "second")
		})
		req, _ := http.NewRequest("GET", "https://api.test/", nil)
		resp, err := tr.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 6)
		io.ReadFull(resp.Body, b)
		tr.CloseIdleConnections()
		synctest.Wait()
		rest, err := io.ReadAll(resp.Body)
		if all := string(b) + string(rest); all != "first second" || err != nil {
			t.Errorf("body: got %q, %v, want all of it", all, err)
		}
		resp.Body.Close()
	})
}

// A connection that became idle in the instant in which a request joined the
// line serves it with the next change: the request does not wait for ever.
func TestHTTP2IdleServesLine(t *testing.T) {
	cert := certServer(t)
	synctest.Test(t, func(t *testing.T) {
		tr := h2Bubble(t, cert, nil, func(w http.ResponseWriter, r *http.Request) {})
		tr.IdleConnTimeout = time.Minute
		fetch(t, tr, "https://api.test/")
		synctest.Wait()
		req, _ := http.NewRequest("GET", "https://api.test/", nil)
		a := &attempt{t: tr, req: req}
		var w *want
		tr.mu.Lock()
		for _, h := range tr.hosts {
			w = &want{attempt: a, host: h, delivered: make(chan struct{})}
			h.waiting.push(&w.waitingNode, w)
			h.sharing[0].shared.changed(nil)
		}
		tr.mu.Unlock()
		synctest.Wait()
		if st := tr.Stats(); st.Waiting != 0 || st.Idle != 0 || st.Active != 1 || st.Reuses != 1 {
			t.Errorf("after the change: got\n%s", st)
		}
		time.Sleep(time.Hour) // virtual
		if w.pc == nil || w.pc.broken.Load() {
			t.Fatal("an hour later: got no connection, want one that is in use and has no idle timer")
		}
		if !a.reused {
			t.Error("got a connection that says it is new")
		}
		tr.giveBack(w.pc)
		synctest.Wait()
		if st := tr.Stats(); st.Idle != 1 {
			t.Errorf("given back: got\n%s", st)
		}
	})
}

// GODEBUG turns HTTP/2 off, whatever the settings are: a server that offers it is spoken
// to in HTTP/1, and where only HTTP/2 may be spoken there is an error.
func TestHTTP2Off(t *testing.T) {
	cert := certServer(t)
	t.Setenv("GODEBUG", "http2client=0")
	synctest.Test(t, func(t *testing.T) {
		tr := h2Bubble(t, cert, nil, echo)
		tr.Protocols = new(http.Protocols)
		tr.Protocols.SetHTTP1(true)
		tr.Protocols.SetHTTP2(true)
		if resp, _ := fetch(t, tr, "https://api.test/"); resp.ProtoMajor != 1 {
			t.Errorf("got %s, want HTTP/1", resp.Proto)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		mem, l := memory("api.test:80")
		defer l.Close()
		tr := &Transport{DialContext: mem.DialContext, Protocols: new(http.Protocols)}
		tr.Protocols.SetUnencryptedHTTP2(true)
		req, _ := http.NewRequest("GET", "http://api.test/", nil)
		if _, err := tr.RoundTrip(req); err != errNoH2C || len(tr.Ledger()) != 0 {
			t.Errorf("got %v and\n%s, want %v and no connection", err, tr.Ledger(), errNoH2C)
		}
	})
}
