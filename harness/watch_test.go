package harness_test

import (
	"net/http"
	"testing"

	"github.com/halfopen/halfopen/harness"
)

// tokens is a transport that asks for a token first, over the client that it is
// given, and sends its requests over the transport of that client.
type tokens struct{ client *http.Client }

func (s tokens) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := s.client.Get("http://auth.test/token")
	if err != nil {
		return nil, err
	}
	resp.Body.Close()
	req = req.Clone(req.Context())
	req.Header.Set("Authorization", "Bearer x")
	return s.client.Transport.RoundTrip(req)
}

// A request that passes two transports that the harness watches is one request,
// with one name; a request that the code makes on its way is another.
func TestWatchedTwice(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		t.Serve("auth.test:80", nil)
		t.Serve("api.test:80", nil)
		tr := t.Net.Transport()
		tr.DisableKeepAlives = true // the test is about names: no connection is idle while a request waits for its token
		client := t.Client(tokens{t.Client(tr)})
		resp, err := client.Get("http://api.test/")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		r2 := t.Get("r2", client.Transport, "http://api.test/")
		r2.WantStatus(http.StatusOK)
		r2.Finish()
		var names []string
		for _, r := range t.Requests() {
			names = append(names, r.Name())
		}
		if len(names) != 4 || names[0] != "call1" || names[1] != "call2" || names[2] != "r2" || names[3] != "call3" {
			t.Errorf("got %v, want call1 and its token, r2 and its token", names)
		}
	})
}
