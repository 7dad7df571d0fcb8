package cases_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/suites"
)

// Connections that are not net/http's are asked the same: these, which pass
// everything on, come to what net/http's come to.
func TestConnsOfOthers(t *testing.T) {
	asked := 0
	for _, c := range suites.Cases() {
		if c.Group() != "conn" {
			continue
		}
		for _, s := range []suites.Subject{
			{Name: "others", Protocol: suites.HTTP1, Maker: conns(asTheyAre), Quirks: suites.NetHTTPQuirks},
			{Name: "others", Protocol: suites.H2C, Maker: h2c(conns(asTheyAre)), Quirks: suites.NetHTTPQuirks},
		} {
			r := s.Run(c)
			switch {
			case r.State == suites.Failed:
				t.Errorf("%s on %s: %s", c.Name, s, r.Report)
			case r.State != suites.NotApplicable:
				asked++
			case c.Protocols&s.Protocol != 0 || c.Protocols == 0:
				t.Errorf("%s on %s: got n/a: %s", c.Name, s, r.Reason)
			}
		}
	}
	if asked == 0 {
		t.Error("no case was asked")
	}
}

// A transport without NewClientConn is not asked for connections, and that is
// said.
func TestNoConns(t *testing.T) {
	without := func(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
		rt, err := suites.Reference(t, s)
		return struct{ http.RoundTripper }{rt}, err
	}
	for _, c := range suites.Cases() {
		if c.Group() != "conn" || c.Protocols&suites.HTTP1 == 0 && c.Protocols != 0 {
			continue
		}
		r := suites.Subject{Name: "pool", Protocol: suites.HTTP1, Maker: without}.Run(c)
		if want := "it has no NewClientConn"; r.State != suites.NotApplicable || !strings.Contains(r.Reason, want) {
			t.Errorf("%s: got %s (%s), want n/a with %q", c.Name, r.State, r.Reason, want)
		}
	}
}
