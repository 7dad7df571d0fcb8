package suites_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/suites"
)

// hidden is net/http's transport without its method CloseIdleConnections.
type hidden struct{ rt http.RoundTripper }

func (h hidden) RoundTrip(r *http.Request) (*http.Response, error) { return h.rt.RoundTrip(r) }

// A quirk that only CloseIdleConnections shows is not called outdated where a transport has no such
// method: the case is asked in part. Where the whole case holds it is.
func TestAskedInPart(t *testing.T) {
	all := suites.Cases()
	c := all[slices.IndexFunc(all, func(c suites.Case) bool { return c.Name == "limit-never-exceeded" })]
	quirk := suites.Quirk{Case: c.Name, Reason: "closing what is idle"}
	without := func(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
		rt, err := harness.NetHTTP(t, s)
		return hidden{rt}, err
	}
	for name, want := range map[string]struct {
		maker harness.Maker
		state suites.State
	}{"without": {without, suites.Held}, "with": {harness.NetHTTP, suites.Failed}} {
		s := suites.Subject{Name: name, Protocol: suites.HTTP1, Maker: want.maker, Quirks: []suites.Quirk{quirk}}
		r := s.Run(c)
		if r.State != want.state || r.State == suites.Failed && !strings.Contains(r.Report, "and holds on") {
			t.Errorf("%s: got %s, want %s\n%s", name, r.State, want.state, r.Report)
		}
	}
}
