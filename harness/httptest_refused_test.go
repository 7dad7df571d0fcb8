package harness_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/harness"
)

// refusal is the error for a transport of package httptest.
const refusal = "this transport is that of an httptest.Server (NewTestServer, NewServer), which dials past t.Net: " +
	"make the server with t.NewServer(handler), or t.NewTLSServer, and use its Client()"

// wantRefused expects that the refusal is the only failure, at a line of that file.
func wantRefused(t *testing.T, r *harness.Report, at string) {
	t.Helper()
	if len(r.Failures) != 1 || r.Failures[0].Kind != "usage" || r.Failures[0].Text != refusal || !strings.HasPrefix(r.Failures[0].Where, at) {
		t.Errorf("got:\n%s\nwant only, at %s: %s", r, at, refusal)
	}
}

// around is a transport around another one.
type around struct{ http.RoundTripper }

// viaClient is a transport that has a client.
type viaClient struct{ client *http.Client }

func (v *viaClient) RoundTrip(req *http.Request) (*http.Response, error) { return v.client.Do(req) }

// The client of a server of package httptest itself dials real sockets: it is
// refused, as it is and inside of others. A transport of the test's own is not.
func TestHTTPTestIsRefused(t *testing.T) {
	plain, secure := httptest.NewServer(http.HandlerFunc(hello)), httptest.NewTLSServer(http.HandlerFunc(hello))
	defer plain.Close()
	defer secure.Close()
	for _, tt := range []struct {
		name string
		rt   http.RoundTripper
	}{
		{"plain", plain.Client().Transport},
		{"tls", secure.Client().Transport},
		{"clone", plain.Client().Transport.(*http.Transport).Clone()},
		{"wrapped", around{around{plain.Client().Transport}}},
		{"by a pointer", &around{plain.Client().Transport}},
		{"client", &viaClient{plain.Client()}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wantRefused(t, harness.TestReport("x", func(t *harness.T) { t.Get("r1", tt.rt, plain.URL) }), "httptest_refused_test.go:")
			wantRefused(t, harness.TestReport("x", func(t *harness.T) { t.Client(tt.rt).Get(plain.URL) }), "httptest_refused_test.go:")
			wantRefused(t, harness.TestReport("x", func(t *harness.T) { t.Watch(tt.rt) }), "httptest_refused_test.go:")
		})
	}
	harness.Test(t, func(t *harness.T) {
		srv := t.NewServer(http.HandlerFunc(hello))
		for i, rt := range []http.RoundTripper{
			around{srv.Client().Transport}, &viaClient{srv.Client()}, around{},
			around{&http.Transport{DialContext: t.Net.DialContext, DisableKeepAlives: true}}, &http.Transport{},
		} {
			if i < 2 || i == 3 {
				read(t.Client(rt).Get(srv.URL))
			} else {
				t.Watch(rt)
			}
		}
	})
}
