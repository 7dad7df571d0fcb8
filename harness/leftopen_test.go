package harness_test

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/harness"
)

// withoutClose is a transport that has no CloseIdleConnections.
type withoutClose struct{ rt http.RoundTripper }

func (k withoutClose) RoundTrip(r *http.Request) (*http.Response, error) { return k.rt.RoundTrip(r) }

// A connection that is idle at the end, because CloseIdleConnections was not called, is said to be
// idle. One at which no goroutine of the client waits is not.
func TestLeftOpen(t *testing.T) {
	const idle = "still open and idle, and nothing closes it: "
	get := func(t *harness.T, c *http.Client) {
		resp, err := c.Get("http://api.test/")
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	dropped := func(t *harness.T) *http.Client {
		return &http.Client{Transport: &http.Transport{DialContext: t.Net.DialContext}}
	}
	for name, c := range map[string]struct {
		body func(t *harness.T)
		want []string
	}{
		"two transports that were dropped": {func(t *harness.T) { get(t, dropped(t)); get(t, dropped(t)) }, []string{
			"c1 to api.test:80: " + idle + "no CloseIdleConnections was called, opened outside any request that the harness knows",
			"c2 to api.test:80: " + idle + "no CloseIdleConnections was called, opened outside any request that the harness knows",
		}},
		"a response that is read and no reader behind it": {func(t *harness.T) {
			c, err := t.Net.DialContext(t.Context(), "tcp", "api.test:80")
			if err != nil {
				t.Fatal(err)
			}
			io.WriteString(c, "GET / HTTP/1.1\r\nHost: api.test\r\n\r\n")
			if _, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil {
				t.Fatal(err)
			}
		}, []string{
			"c1 to api.test:80: still open after the idle connections were closed, opened outside any request that the harness knows",
		}},
		"a transport without CloseIdleConnections": {func(t *harness.T) {
			get(t, t.Client(withoutClose{&http.Transport{DialContext: t.Net.DialContext}}))
		}, []string{"c1 to api.test:80: " + idle + "harness_test.withoutClose has no CloseIdleConnections, opened for call1, last used by call1"}},
		"closed by the test":    {func(t *harness.T) { c := dropped(t); get(t, c); c.CloseIdleConnections() }, nil},
		"closed by the harness": {func(t *harness.T) { get(t, t.Client(t.Net.Transport())) }, nil},
	} {
		r := harness.TestReport(name, func(t *harness.T) {
			t.Serve("api.test:80", nil)
			c.body(t)
		})
		var got []string
		for _, f := range r.Failures {
			got = append(got, f.Text)
		}
		if g, w := strings.Join(got, "\n"), strings.Join(c.want, "\n"); g != w {
			t.Errorf("%s: got\n%s\nwant\n%s", name, g, w)
		}
	}
}
