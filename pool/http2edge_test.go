package pool

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"
)

// x/net tells its own pool by unexported errors that a request was not touched.
// We go by their text; this fails if it changes. A server that refuses is asked
// again after a while, and not for ever (golang/go#20985).
func TestHTTP2TurnedAway(t *testing.T) {
	cert := certServer(t)
	for _, kind := range []string{"GOAWAY", "REFUSED_STREAM", "REFUSED for ever"} {
		synctest.Test(t, func(t *testing.T) {
			tr := h2Bubble(t, cert, nil, func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) })
			open, away := tr.DialContext, h2Dialer(cert, func(c *tls.Conn) { turnAway(c, kind) })
			dials := 0
			tr.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
				if dials++; dials > 1 && kind != "REFUSED for ever" {
					return open(ctx, network, addr)
				}
				return away(ctx, network, addr)
			}
			begin := time.Now()
			req, _ := http.NewRequest("POST", "https://api.test/", strings.NewReader("body"))
			resp, err := tr.RoundTrip(req)
			took := time.Since(begin)
			if kind != "REFUSED for ever" {
				if err != nil || resp.StatusCode != 200 || took != 0 {
					t.Fatalf("%s: got %v, %v after %v, want a response at once", kind, resp, err, took)
				}
				resp.Body.Close()
				return
			}
			if want := (1 + 2 + 4 + 8 + 16) * time.Second; err == nil || took != want {
				t.Errorf("%s: got %v after %v, want an error after %v", kind, err, took, want)
			}
			if n := tr.Stats().Retries; n != maxTurnedAway-1 {
				t.Errorf("%s: got %d retries, want %d", kind, n, maxTurnedAway-1)
			}
		})
	}
}

// A body that is shorter than its Content-Length is an error, and its stream is
// reset: the server does not take the request for a whole one.
func TestHTTP2ShortBody(t *testing.T) {
	cert := certServer(t)
	for length, want := range map[int64]bool{10: false, 5: true, 0: true, -1: true} {
		synctest.Test(t, func(t *testing.T) {
			whole := false
			tr := h2Bubble(t, cert, nil, func(w http.ResponseWriter, r *http.Request) {
				b, err := io.ReadAll(r.Body)
				whole = err == nil && string(b) == "five5"
			})
			req, _ := http.NewRequest("POST", "https://api.test/", io.NopCloser(iotest.OneByteReader(strings.NewReader("five5"))))
			req.ContentLength = length
			resp, err := tr.RoundTrip(req)
			if err == nil {
				resp.Body.Close()
			}
			synctest.Wait()
			if got := err == nil; got != want || whole != want {
				t.Errorf("Content-Length %d: got %v, and for the server whole: %v; want %v", length, err, whole, want)
			}
			tr.CloseIdleConnections()
		})
	}
}

// CloseIdleConnections closes a connection all of whose streams were reset, even
// if its server is too silent for x/net to take their end for certain.
func TestHTTP2CloseIdleSilent(t *testing.T) {
	cert := certServer(t)
	synctest.Test(t, func(t *testing.T) {
		tr := h2Bubble(t, cert, nil, nil)
		tr.DialContext = h2Dialer(cert, func(c *tls.Conn) { turnAway(c, "silent") })
		ctx, cancel := context.WithCancel(t.Context())
		req, _ := http.NewRequestWithContext(ctx, "GET", "https://api.test/", nil)
		ended := make(chan error)
		go func() {
			_, err := tr.RoundTrip(req)
			ended <- err
		}()
		synctest.Wait()
		tr.CloseIdleConnections()
		synctest.Wait()
		if st := tr.Stats(); st.Active != 1 {
			t.Errorf("while a request waits for its answer: got\n%swant one active", st)
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want it cancelled", err)
		}
		synctest.Wait()
		if st := tr.Stats(); st.Active != 1 {
			t.Errorf("before it is closed: got\n%swant one active, or this test shows nothing", st)
		}
		tr.CloseIdleConnections()
		synctest.Wait()
		if st := tr.Stats(); st.Active+st.Idle != 0 {
			t.Errorf("after CloseIdleConnections: got\n%swant no connection", st)
		}
	})
}

// h2Dialer returns a dialer whose connections have serve at their other end, which
// speaks HTTP/2 by hand.
func h2Dialer(cert *httptest.Server, serve func(*tls.Conn)) dialFunc {
	conf := &tls.Config{Certificates: cert.TLS.Certificates, Time: certTime, NextProtos: []string{"h2"}}
	return func(context.Context, string, string) (net.Conn, error) {
		mem, l := memory("api.test:443")
		go func() {
			far, _ := l.Accept()
			l.Close()
			serve(tls.Server(far, conf))
		}()
		return mem.Dial("tcp", "api.test:443")
	}
}

// turnAway serves HTTP/2 on c, and does nothing with the requests.
func turnAway(c net.Conn, kind string) {
	defer c.Close()
	preface := make([]byte, len(http2.ClientPreface))
	if _, err := io.ReadFull(c, preface); err != nil {
		return
	}
	fr := http2.NewFramer(c, c)
	fr.WriteSettings()
	for {
		f, err := fr.ReadFrame()
		if err != nil {
			return
		}
		switch f := f.(type) {
		case *http2.SettingsFrame:
			if !f.IsAck() {
				fr.WriteSettingsAck()
			}
		case *http2.PingFrame:
			if !f.IsAck() && kind != "silent" {
				fr.WritePing(true, f.Data)
			}
		case *http2.HeadersFrame:
			switch kind {
			case "GOAWAY":
				fr.WriteGoAway(0, http2.ErrCodeNo, nil)
			case "REFUSED_STREAM": // with GOAWAY, or it would be asked again first
				fr.WriteGoAway(f.StreamID, http2.ErrCodeNo, nil)
				fr.WriteRSTStream(f.StreamID, http2.ErrCodeRefusedStream)
			case "REFUSED for ever":
				fr.WriteRSTStream(f.StreamID, http2.ErrCodeRefusedStream)
			}
		}
	}
}

// HTTP/2 without TLS, where only that is allowed.
func TestUnencryptedHTTP2(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) }))
	srv.Config.Protocols = new(http.Protocols)
	srv.Config.Protocols.SetUnencryptedHTTP2(true)
	srv.Start()
	defer srv.Close()
	tr := idle(t, &Transport{Protocols: new(http.Protocols)})
	tr.Protocols.SetUnencryptedHTTP2(true)
	if _, b := fetch(t, tr, srv.URL); b != "HTTP/2.0" {
		t.Errorf("got %q", b)
	}
}

// A connection that comes when its request is gone is idle at once, though its
// server has not said anything: it may be closed.
func TestHTTP2IdleBeforeSettings(t *testing.T) {
	cert := certServer(t)
	synctest.Test(t, func(t *testing.T) {
		tr := h2Bubble(t, cert, nil, nil)
		deaf, hold := &deafConn{hear: make(chan struct{})}, make(chan struct{})
		defer close(deaf.hear)
		open := tr.DialContext
		tr.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			<-hold
			c, err := open(ctx, network, addr)
			deaf.Conn = c
			return deaf, err
		}
		ctx, cancel := context.WithCancel(context.Background())
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
			TLSHandshakeDone: func(tls.ConnectionState, error) { deaf.shut.Store(true) },
		})
		done := make(chan error)
		go func() {
			req, _ := http.NewRequestWithContext(ctx, "GET", "https://api.test/", nil)
			_, err := tr.RoundTrip(req)
			done <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("called off: got %v", err)
		}
		close(hold)
		synctest.Wait()
		if st := tr.Stats(); st.Idle != 1 || st.Active != 0 {
			t.Errorf("after the dial: got\n%s", st)
		}
	})
}

// Of the connections that were dialed at once, one whose server says nothing is
// closed as soon as another has served all that waited.
func TestHTTP2SilentSpare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem, l := memory("api.test:80")
		hold := make(chan struct{})
		srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {}), Protocols: new(http.Protocols)}
		srv.Protocols.SetUnencryptedHTTP2(true)
		go srv.Serve(l)
		defer srv.Close()
		tr := &Transport{Protocols: srv.Protocols, DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			<-hold
			c, err := mem.DialContext(ctx, network, addr)
			deaf := &deafConn{Conn: c, hear: make(chan struct{})}
			deaf.shut.Store(true)
			return deaf, err
		}}
		defer tr.CloseIdleConnections()
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() { fetch(t, tr, "http://api.test/") })
		}
		synctest.Wait()
		close(hold)
		synctest.Wait()
		if st := tr.Stats(); st.Active != 3 || st.Waiting != 2 {
			t.Fatalf("before any settings: got\n%s", st)
		}
		var used *deafConn
		var unused []*deafConn
		tr.mu.Lock()
		for _, h := range tr.hosts {
			for _, pc := range h.sharing {
				if c := pc.conn.(*deafConn); pc.served > 0 {
					used = c
				} else {
					unused = append(unused, c)
				}
			}
		}
		tr.mu.Unlock()
		close(unused[0].hear)
		synctest.Wait()
		if st := tr.Stats(); st.Waiting != 0 || st.Active != 1 || st.Idle != 1 || st.Closed[Spare] != 1 || st.Dials != 3 {
			t.Errorf("after those of one: got closed %s\n%s%s", st.Closed, st, tr.Ledger())
		}
		close(used.hear)
		close(unused[1].hear) // for its reader, which outlives it here
		wg.Wait()
	})
}

// Of two connections that no request has used one stays, and not two or none.
func TestHTTP2SpareOfTwo(t *testing.T) {
	cert := certServer(t)
	synctest.Test(t, func(t *testing.T) {
		tr := h2Bubble(t, cert, nil, nil)
		open, hold := tr.DialContext, make(chan struct{})
		tr.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			<-hold
			return open(context.WithoutCancel(ctx), network, addr)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				req, _ := http.NewRequestWithContext(ctx, "GET", "https://api.test/", nil)
				if _, err := tr.RoundTrip(req); !errors.Is(err, context.Canceled) {
					t.Errorf("got %v, want it cancelled", err)
				}
			})
		}
		synctest.Wait()
		cancel()
		wg.Wait()
		close(hold)
		synctest.Wait()
		if st := tr.Stats(); st.Dials != 2 || st.Idle != 1 || st.Closed[Spare] != 1 {
			t.Errorf("got closed %s\n%s%swant one of two idle", st.Closed, st, tr.Ledger())
		}
		tr.CloseIdleConnections()
	})
}

// The server's settings are there when its first frame has been used up, in
// however many pieces it comes.
func TestSettingsInPieces(t *testing.T) {
	const frame, more = "\x00\x00\x06\x04\x00\x00\x00\x00\x00123456", "more"
	for _, piece := range []int{1, 4, 9, 14, 15, 100} {
		w := &settingsWatch{Conn: &pieces{left: frame + more, size: piece}, s: &sharedConn{}}
		b := make([]byte, 100)
		for n := 0; n < len(frame); {
			k, err := w.Read(b)
			if n += k; err != nil || w.s.settings.Load() {
				t.Errorf("pieces of %d, after %d bytes: got settings %v, %v", piece, n, w.s.settings.Load(), err)
			}
		}
		if w.Read(b); !w.s.settings.Load() {
			t.Errorf("pieces of %d: got no settings from the whole frame", piece)
		}
	}
}

type pieces struct {
	net.Conn
	left string
	size int
}

func (p *pieces) Read(b []byte) (int, error) {
	n := copy(b[:min(len(b), p.size)], p.left)
	p.left = p.left[n:]
	return n, nil
}

// A server that hangs up on each new connection costs a bounded number of
// dials, and an error (golang/go#52459).
func TestHTTP2DiesAtOnce(t *testing.T) {
	cert := certServer(t)
	synctest.Test(t, func(t *testing.T) {
		tr := h2Bubble(t, cert, nil, nil)
		tr.DialContext = h2Dialer(cert, func(c *tls.Conn) {
			c.Handshake()
			c.Close()
		})
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				req, _ := http.NewRequest("GET", "https://api.test/", nil)
				if _, err := tr.RoundTrip(req); err == nil {
					t.Error("got a response")
				}
			})
		}
		wg.Wait()
		synctest.Wait()
		st := tr.Stats()
		if st.Dials > 5*maxTurnedAway || st.Active+st.Idle+st.Dialing+st.Waiting != 0 {
			t.Errorf("at the end: got\n%s", st)
		}
	})
}
