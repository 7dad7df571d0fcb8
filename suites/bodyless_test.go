package suites_test

import (
	"io"
	"net/http"
	"slices"
	"testing"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/suites"
)

// wrapping is a transport that has a body of its own around each response's, as those do that
// trace or count, where there is none too.
type wrapping struct{ *http.Transport }

func (w wrapping) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := w.Transport.RoundTrip(req)
	if err == nil {
		resp.Body = struct{ io.ReadCloser }{resp.Body}
	}
	return resp, err
}

// dropping is a wrapping transport that keeps bodies without content as they are, and hides that the
// body of a 101 is an io.Writer.
type dropping struct{ *http.Transport }

func (d dropping) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := d.Transport.RoundTrip(req)
	if err == nil && resp.Body != http.NoBody {
		resp.Body = struct{ io.ReadCloser }{resp.Body}
	}
	return resp, err
}

// No case wants the Body that net/http has for no content, or the io.Writer of a 101, of a transport that wraps all
// bodies; one that wraps some is asked for the io.Writer.
func TestWrappedBodies(t *testing.T) {
	asked := []string{"body-none", "body-upgrade", "body-upgrade-first-bytes", "retry-idempotent", "retry-unsent", "retry-key-empty",
		"body-close-idle", "expect-final-answer", "broken-speaks-first"}
	maker := func(wrap func(*http.Transport) http.RoundTripper) harness.Maker {
		return func(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
			tr := t.Net.Transport()
			return wrap(tr), s.Apply(tr)
		}
	}
	for _, c := range []struct {
		name   string
		maker  harness.Maker
		failed []string
	}{
		{"all", maker(func(tr *http.Transport) http.RoundTripper { return wrapping{tr} }), nil},
		{"some", maker(func(tr *http.Transport) http.RoundTripper { return dropping{tr} }), []string{"body-upgrade", "body-upgrade-first-bytes"}},
	} {
		var failed []string
		s := suites.Subject{Name: c.name, Protocol: suites.HTTP1, Maker: c.maker, Quirks: suites.NetHTTPQuirks}
		for _, cs := range suites.Cases() {
			if !slices.Contains(asked, cs.Name) {
				continue
			}
			if r := s.Run(cs); r.State == suites.Failed {
				failed = append(failed, cs.Name)
			}
		}
		slices.Sort(failed)
		if !slices.Equal(failed, c.failed) {
			t.Errorf("%s: got %q failed, want %q", c.name, failed, c.failed)
		}
	}
}
