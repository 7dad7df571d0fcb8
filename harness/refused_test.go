package harness_test

import (
	"context"
	"crypto/tls"
	"net/http"
	"testing"
	"time"

	"github.com/halfopen/halfopen/harness"
)

// sentTwice is the failure of a POST that may have been processed, and comes again.
const sentTwice = "r1: a POST, and it was sent to a server 2 times"

// over2 returns a transport that speaks HTTP/2, over TLS and without it.
func over2(t *harness.T) *http.Transport {
	tr := t.Net.Transport()
	tr.TLSClientConfig = &tls.Config{RootCAs: harness.TrustedRoots()}
	tr.Protocols = new(http.Protocols)
	tr.Protocols.SetHTTP2(true)
	tr.Protocols.SetUnencryptedHTTP2(true)
	return tr
}

// twice sends each request once more, with any result, a second of virtual time
// later: by then a GOAWAY that came with the first answer has been read, and the
// second request is not sent behind it.
func twice(tr *http.Transport, req *http.Request) (*http.Response, error) {
	if resp, err := tr.RoundTrip(req); err == nil {
		resp.Body.Close()
	}
	time.Sleep(time.Second) // virtual
	req = req.Clone(req.Context())
	req.Body, _ = req.GetBody()
	return tr.RoundTrip(req)
}

// A POST whose server says that it did not process it may be sent again: RFC 9113
// section 8.7. One that may have been processed may not, whatever frame says how it
// ended.
func TestRefused(t *testing.T) {
	pass := (*http.Transport).RoundTrip
	for _, c := range []struct {
		mode string
		do   func(*http.Transport, *http.Request) (*http.Response, error)
		sent int
		want string
	}{
		{"rst-refused-stream", pass, 2, "held"},
		{"goaway-zero", pass, 2, "held"},
		// It is processed, and the stream that GOAWAY names is its own.
		{"goaway", twice, 2, sentTwice},
		{"goaway-mid-body", twice, 2, sentTwice},
		// Another code does not say that it was not processed.
		{"rst-internal-error", twice, 2, sentTwice},
		{"rst-cancel", twice, 2, sentTwice},
		// It is refused once, and processed twice.
		{"rst-refused-stream", twice, 3, sentTwice},
		{"goaway-zero", twice, 3, sentTwice},
	} {
		sent := 0
		got := first(harness.TestReport(t.Name(), func(t *harness.T) {
			t.ServeH2("api.test:443", c.mode)
			r1 := t.Post("r1", between{over2(t), c.do}, "https://api.test/", "pay 10")
			r1.Await()
			sent = r1.Sent()
			r1.Finish()
		}))
		if got != c.want || sent != c.sent {
			t.Errorf("%s: got it sent %d times and %q, want %d and %q", c.mode, sent, got, c.sent, c.want)
		}
	}
}

// A POST that is on its way as the server sends GOAWAY with a lower stream was not
// processed.
func TestRefusedByGoAway(t *testing.T) {
	for _, mode := range []string{"goaway", "goaway-mid-body"} {
		harness.Test(t, func(t *harness.T) {
			t.ServeH2("api.test:443", mode)
			tr := over2(t)
			t.Net.Hold("c1 server->client data")
			r0 := t.Get("r0", tr, "https://api.test/")
			t.Net.Let("c1 server->client data") // the handshake: r0 is sent, and its answer is held
			r1 := t.Post("r1", tr, "https://api.test/", "pay 10")
			r1.WantSent(1, "GOAWAY has not reached the client")
			t.Net.Release("c1 server->client data")
			r0.WantBody("ok")
			r1.WantBody("ok", "it was not processed on c1")
			r1.WantSent(2)
		})
	}
}

// Without TLS a server of net/http is who knows: what it passes over behind GOAWAY
// was not processed, and what it resets in the middle was.
func TestRefusedInTheClear(t *testing.T) {
	const addr, url = "api.test:80", "http://api.test/"
	harness.Test(t, func(t *harness.T) {
		s := t.Serve(addr, nil)
		tr := over2(t)
		t.Get("r0", tr, url).WantBody("ok")
		t.Net.Hold("c1 server->client data")
		go s.Shutdown(context.Background())
		t.Advance(5 * time.Second)
		r1 := t.Post("r1", tr, url, "pay 10")
		r1.WantPending("GOAWAY has not reached the client")
		t.Serve(addr, nil)
		t.Net.Release("c1 server->client data")
		r1.WantBody("ok", "it was not processed on c1")
		r1.WantDone(t.Conn("c2"))
	})
	got := first(harness.TestReport(t.Name(), func(t *harness.T) {
		t.Serve(addr, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
		r1 := t.Post("r1", between{over2(t), twice}, url, "pay 10")
		r1.Await()
	}))
	if got != sentTwice {
		t.Errorf("a POST that is sent again after its handler was aborted: got %q, want %q", got, sentTwice)
	}
}
