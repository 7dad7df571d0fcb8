package harness_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness"
)

// The dial of a cancelled request goes on, and serves the next one.
func TestOrphan(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		tr := t.Net.Transport()
		t.Serve("api.test:80", nil)
		t.Net.Hold("dial")
		r1 := t.Get("r1", tr, "http://api.test/")
		d1 := t.Net.WantDial()
		r1.Cancel()
		r1.WantErr(context.Canceled)
		r2 := t.Get("r2", tr, "http://api.test/")
		d2 := t.Net.WantDial()
		c1 := d1.Open()
		r2.WantDone(c1, "the orphan is free")
		r2.Finish()
		d2.Open()
	})
}

// A test without holds is an ordinary test: everything goes through, calls
// block, and time passes when nothing else can.
func TestFreeRunning(t *testing.T) {
	start := time.Now()
	harness.Test(t, func(t *harness.T) {
		t.Serve("api.test:80", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(time.Hour) // virtual
		}))
		client := t.Client(t.Net.Transport())
		client.Timeout = time.Minute
		before := t.Clock.Now()
		_, err := client.Get("http://api.test/")
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want a deadline", err)
		}
		if d := t.Clock.Since(before); d != time.Minute {
			t.Errorf("got it after %s, want 1m0s", d)
		}
		t.Advance(time.Hour)
	})
	if d := time.Since(start); d > time.Minute {
		t.Errorf("virtual time took %s of real time", d)
	}
}

// A server behaves as without us: it ends the connection when its handler left
// a body alone that waits for 100 Continue.
func TestServerKnowsItsBody(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		t.Serve("api.test:80", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
		}))
		tr := t.Net.Transport()
		tr.ExpectContinueTimeout = time.Second
		req, _ := http.NewRequest("POST", "http://api.test/", strings.NewReader("payload"))
		req.Header.Set("Expect", "100-continue")
		r1 := t.Start("r1", tr, req)
		r1.WantStatus(http.StatusRequestEntityTooLarge)
		if !r1.Response().Close {
			t.Errorf("got a response after which the connection goes on, want Connection: close")
		}
		r1.Finish()
	})
}

// Which connection a request ran on is known under TLS and HTTP/2 too, where
// its name cannot be read from the wire.
func TestIdentityUnderTLS(t *testing.T) {
	s := httptest.NewUnstartedServer(nil)
	s.EnableHTTP2 = true
	s.StartTLS()
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	cert := s.TLS.Certificates[0]
	s.Close()
	harness.Test(t, func(t *harness.T) {
		t.ServeTLS("example.com:443", nil, &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2"}})
		tr := t.Net.Transport()
		tr.TLSClientConfig = &tls.Config{RootCAs: roots}
		tr.ForceAttemptHTTP2 = true
		r1 := t.Get("r1", tr, "https://example.com/")
		r2 := t.Get("r2", tr, "https://example.com/")
		c1 := t.Conn("c1")
		r1.WantDone(c1)
		r2.WantDone(c1, "HTTP/2 shares one connection")
		if got := r2.Response().Proto; got != "HTTP/2.0" {
			t.Errorf("got %s, want HTTP/2.0", got)
		}
		r1.WantBody("ok")
		r2.WantBody("ok")
		t.Net.WantConns(1)
	})
}

// A body, a clean-up function or an expectation that fails is an ordinary
// failure of its run, whatever it does.
func TestFailuresInGo(t *testing.T) {
	for _, tt := range []struct {
		name string
		body func(*harness.T)
		want []string
	}{
		{"panic", func(t *harness.T) { outOfRange(nil, 0) },
			[]string{"panic: runtime error: index out of range", "TestFailuresInGo"}},
		{"panic in clean-up", func(t *harness.T) { t.Cleanup(func() { panic("mop") }) },
			[]string{"panic: mop"}},
		{"fatal", func(t *harness.T) { t.Fatalf("no %s", "more") },
			[]string{"no more  (harness_test.go:"}},
		{"goexit", func(t *harness.T) { runtimeGoexit() },
			[]string{"the body called runtime.Goexit"}},
		{"deadlock", func(t *harness.T) { stray() },
			[]string{"stuck: nothing moved for 24h0m0s", "harness_test.stray failures_test.go:"}},
		{"goroutine", func(t *harness.T) { go stray() },
			[]string{"goroutine left: select (no cases): harness_test.stray failures_test.go:"}},
		{"held", func(t *harness.T) { t.Net.Hold("dial"); t.Net.WantDial("for a reason") },
			[]string{"for a reason\n    got no dial, want one: no dial is held"}},
		{"not held", func(t *harness.T) { t.Net.WantDial() },
			[]string{`dials go through by themselves until the test says Hold("dial")`}},
		{"outcome", func(t *harness.T) {
			t.Net.Hold("dial")
			t.Get("r1", t.Net.Transport(), "http://api.test/")
			t.Net.WantDial().Fail(faultnet.Cut(1))
		},
			[]string{`a dial cannot end as "cut:1"`}},
		{"release", func(t *harness.T) { t.Net.Hold("dial"); t.Net.Release("c1") },
			[]string{`nothing is held by "c1"; holds: "dial"`}},
		{"leak in a handler", func(t *harness.T) {
			client := t.Client(t.Net.Transport())
			t.Serve("back.test:80", nil)
			t.Serve("front.test:80", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				client.Get("http://back.test/")
			}))
			t.Get("r1", t.Net.Transport(), "http://front.test/").Finish()
		}, []string{"call1: response body of GET http://back.test/ never closed  (harness_test.go:"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := harness.TestReport("x", tt.body)
			if !r.Failed() {
				t.Fatal("it held, and must not")
			}
			for _, want := range tt.want {
				if !strings.Contains(r.String(), want) {
					t.Errorf("got:\n%s\nwant it to contain %q", r, want)
				}
			}
			if again := harness.TestReport("x", tt.body).String(); again != r.String() {
				t.Errorf("the report differs from run to run:\n%s\n%s", r, again)
			}
		})
	}
}

// Clean-up functions run last in first out, in the bubble.
func TestCleanup(t *testing.T) {
	var order []string
	harness.Test(t, func(t *harness.T) {
		t.Cleanup(func() { order = append(order, "first") })
		t.Cleanup(func() { order = append(order, "second"); t.Settle() })
		order = append(order, "body")
	})
	if got := strings.Join(order, " "); got != "body second first" {
		t.Errorf("got %q", got)
	}
}
