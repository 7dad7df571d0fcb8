package pool

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

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

// A request that comes before the server of a new HTTP/2 connection has sent its
// settings waits for them, and does not dial (golang/go#44304).
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

// ALPN offers what the transport or TLSNextProto can speak, and nothing else.
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
		{"HTTP/2 of TLSNextProto", &Transport{TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{"h2": nobody},
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

// A transport with a dialer or a TLS configuration speaks HTTP/1 only, unless a
// setting asks for more, as with net/http.
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

// A request that is over when its connection has failed fails with its own
// reason, though its connection was not closed for that (golang/go#16049).
func TestFailureOfTheCanceled(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errWhy)
	req, _ := http.NewRequestWithContext(ctx, "GET", "http://api.test/", nil)
	tr := &Transport{}
	pc := tr.newConn(&parrot{}, nil)
	pc.cause, pc.err = ServerFIN, io.EOF
	close(pc.wrote)
	a := &attempt{t: tr, req: req, done: ctx.Done()}
	if err := pc.failure(&exchange{pc: pc, attempt: a, req: req}); err != errWhy {
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

// A stream that was reserved for a request which is called off at GotConn goes
// back.
func TestHTTP2CanceledAtGotConn(t *testing.T) {
	cert := certServer(t)
	synctest.Test(t, func(t *testing.T) {
		tr := h2Bubble(t, cert, &http.HTTP2Config{MaxConcurrentStreams: 1}, func(w http.ResponseWriter, r *http.Request) {})
		tr.MaxConnsPerHost = 1
		fetch(t, tr, "https://api.test/")
		for range 3 {
			ctx, cancel := context.WithCancelCause(context.Background())
			ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { cancel(errWhy) }})
			req, _ := http.NewRequestWithContext(ctx, "GET", "https://api.test/", nil)
			if _, err := tr.RoundTrip(req); !errors.Is(err, errWhy) {
				t.Errorf("got %v, want %v", err, errWhy)
			}
		}
		fetch(t, tr, "https://api.test/")
		if n := tr.Stats().Dials; n != 1 {
			t.Errorf("dials: got %d, want 1", n)
		}
	})
}
