package cases_test

import (
	"net/http"
	"reflect"
	"slices"
	"testing"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/internal/mini"
	"github.com/halfopen/halfopen/suites"
)

// breakage is a transport with one mistake, and the cases that have to fail on it.
type breakage struct {
	mistake  string
	protocol suites.Protocol // 0 means HTTP1
	maker    harness.Maker
	cases    []string
}

// broken returns all of them.
func broken() []breakage {
	return slices.Concat(brokenPools, brokenExchanges, brokenFields, brokenMessages, brokenKeeping, brokenRoutes, brokenCallbacks, brokenRules, brokenConns)
}

// No case is one that cannot fail: for each there is a transport, made for it,
// that it fails on. With -v the report of each is shown: -run 'Broken/^limit-idle_'.
func TestBroken(t *testing.T) {
	all := suites.Cases()
	for _, b := range broken() {
		if b.mistake == racy && raceEnabled {
			continue
		}
		if b.protocol == 0 {
			b.protocol = suites.HTTP1
		}
		for _, name := range b.cases {
			i := slices.IndexFunc(all, func(c suites.Case) bool { return c.Name == name })
			if i < 0 {
				t.Errorf("%s: there is no case %s", b.mistake, name)
				continue
			}
			t.Run(name+" "+b.mistake, func(t *testing.T) {
				r := suites.Subject{Name: b.mistake, Protocol: b.protocol, Maker: b.maker}.Run(all[i])
				if r.State != suites.Failed {
					t.Errorf("%s: got %s %s on a transport with this mistake: %s", name, r.State, r.Reason, b.mistake)
				}
				t.Log(r.Report)
			})
		}
	}
	for _, c := range all {
		if !slices.ContainsFunc(broken(), func(b breakage) bool { return slices.Contains(b.cases, c.Name) }) {
			t.Errorf("%s: no broken transport shows that it can fail", c.Name)
		}
	}
}

// withBug makes the small transport with one of its mistakes.
func withBug(bug string) harness.Maker {
	return func(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
		tr := &mini.Transport{DialContext: t.Net.DialContext, Bug: bug}
		return tr, s.Apply(tr)
	}
}

// ignoring is net/http's transport without the settings of those names.
func ignoring(names ...string) harness.Maker {
	return func(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
		for _, name := range names {
			reflect.ValueOf(&s).Elem().FieldByName(name).SetZero()
		}
		return harness.NetHTTP(t, s)
	}
}

// wrapped is net/http's transport with something between it and the caller.
func wrapped(do func(rt http.RoundTripper, req *http.Request) (*http.Response, error)) harness.Maker {
	return func(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
		rt, err := harness.NetHTTP(t, s)
		return roundTripper{rt, do}, err
	}
}

type roundTripper struct {
	http.RoundTripper
	do func(http.RoundTripper, *http.Request) (*http.Response, error)
}

func (r roundTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	return r.do(r.RoundTripper, req)
}

func (r roundTripper) CloseIdleConnections() {
	r.RoundTripper.(*http.Transport).CloseIdleConnections()
}
