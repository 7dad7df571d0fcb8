package harness_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/harness"
)

// A transport that asks again, and leaves the body of the answer before, is to blame for the
// connection that stays open. One that closes it, reads it or hands it on is not.
func TestTries(t *testing.T) {
	const c1 = "c1 to api.test:80: still open after the idle connections were closed, opened for call1, last used by call1"
	for name, c := range map[string]struct {
		before func(resp *http.Response) // of an answer that is busy
		reads  bool                      // the caller reads its body
		want   []string
	}{
		"left": {func(*http.Response) {}, true, []string{
			"call1: response body of GET http://api.test/ never closed: that of try 1, with status 503",
			c1 + ", which was then sent on c2"}},
		"left by both": {func(*http.Response) {}, false, []string{
			"call1: response body of GET http://api.test/ never closed",
			"call1: response body of GET http://api.test/ never closed: that of try 1, with status 503",
			c1 + ", which was then sent on c2",
			"c2 to api.test:80: still open after the idle connections were closed, opened for call1, last used by call1"}},
		"left by the caller": {func(resp *http.Response) { io.Copy(io.Discard, resp.Body) }, false, []string{
			"call1: response body of GET http://api.test/ never closed", c1}},
		"closed": {func(resp *http.Response) { resp.Body.Close() }, true, nil},
		"read":   {func(resp *http.Response) { io.Copy(io.Discard, resp.Body) }, true, nil},
	} {
		r := harness.TestReport(name, func(t *harness.T) {
			asked := 0
			t.Serve("api.test:80", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if asked++; asked == 1 {
					http.Error(w, "busy", http.StatusServiceUnavailable)
					return
				}
				io.WriteString(w, "ok")
			}))
			inner := t.Watch(t.Net.Transport())
			client := t.Client(roundTripper(func(req *http.Request) (*http.Response, error) {
				resp, err := inner.RoundTrip(req)
				if err != nil || resp.StatusCode != http.StatusServiceUnavailable {
					return resp, err
				}
				c.before(resp)
				return inner.RoundTrip(req)
			}))
			resp, err := client.Get("http://api.test/")
			if err != nil {
				t.Fatal(err)
			}
			if c.reads {
				io.Copy(io.Discard, resp.Body)
			}
		})
		var got []string
		for _, f := range r.Failures {
			got = append(got, f.Text)
		}
		if g, w := strings.Join(got, "\n"), strings.Join(c.want, "\n"); g != w {
			t.Errorf("%s: got\n%s\nwant\n%s", name, g, w)
		}
		if name == "left" && !strings.HasPrefix(r.Failures[0].Where, "tries_test.go:") {
			t.Errorf("got the place %q, want the line of the transport", r.Failures[0].Where)
		}
	}
}

// A connection was last used by the request that was sent on it last, though another one began later.
func TestLastUsed(t *testing.T) {
	r := harness.TestReport("last", func(t *harness.T) {
		t.Serve("api.test:80", nil)
		tr := t.Net.Transport()
		again := make(chan bool)
		twice := roundTripper(func(req *http.Request) (*http.Response, error) {
			resp, err := tr.RoundTrip(req)
			if err != nil {
				return nil, err
			}
			io.Copy(io.Discard, resp.Body)
			<-again
			return tr.RoundTrip(req)
		})
		t.Get("r1", twice, "http://api.test/")
		t.Get("r2", tr, "http://api.test/").Finish()
		close(again)
		t.Settle()
		if got := t.Conn("c1").User().Name(); got != "r1" {
			t.Errorf("got %s as the user of c1, want r1", got)
		}
	})
	want := "c1 to api.test:80: still open after the idle connections were closed, opened for r1, last used by r1"
	if n := len(r.Failures); n == 0 || r.Failures[n-1].Text != want {
		t.Errorf("got %v\nwant %s", r.Failures, want)
	}
}
