// Package gomegamatch has Gomega matchers for requests, connections and reports of package
// harness. It is apart, so that package suites compiles without Gomega. A test without
// Gomega asks package harness:
//
//	Expect(r2).To(gomegamatch.RunOn(c1))           r2.Conn() == c1, or r2.WantDone(c1)
//	Expect(r2).To(gomegamatch.BeReused())          r2.Reused()
//	Expect(r2).To(gomegamatch.BeStuck())           r2.Pending(), or r2.WantPending()
//	Expect(t).To(gomegamatch.HaveOpenConns(2))     t.Net.OpenConns(), or t.Net.WantConns(2)
//	Expect(t).To(gomegamatch.HaveIdle(1))          t.Net.IdleConns()
//	Expect(t).To(gomegamatch.HaveDialed(1))        t.Net.Dialed()
//	Expect(t).To(gomegamatch.HaveSeen("c1 * fin")) t.Seen("c1 * fin")
//	Expect(t).NotTo(gomegamatch.HaveLeaked())      t.Leaks(), and the end of every test
package gomegamatch

import (
	"fmt"
	"strings"

	"github.com/onsi/gomega/types"

	"github.com/halfopen/halfopen/harness"
)

// leaker knows what it left behind: a [*harness.T] or a [*harness.Report].
type leaker interface{ Leaks() []harness.Failure }

// HaveLeaked succeeds if something was left behind: a connection, a body, a
// request, a dial, a goroutine. What is idle in a pool is not. The actual value
// is a [*harness.Report], or, inside a test, its [*harness.T], whose
// transports' idle connections it closes.
//
//	Expect(t).NotTo(gomegamatch.HaveLeaked())
func HaveLeaked() types.GomegaMatcher { return &haveLeaked{} }

type haveLeaked struct{ leaks []harness.Failure }

func (m *haveLeaked) Match(actual any) (bool, error) {
	l, ok := actual.(leaker)
	if !ok {
		return false, fmt.Errorf("HaveLeaked: got %T, want a *harness.T or a *harness.Report", actual)
	}
	m.leaks = l.Leaks()
	return len(m.leaks) > 0, nil
}

func (m *haveLeaked) FailureMessage(any) string { return "nothing was left behind" }

func (m *haveLeaked) NegatedFailureMessage(any) string {
	lines := make([]string, len(m.leaks))
	for i, l := range m.leaks {
		lines[i] = "  " + l.String()
	}
	return "left behind:\n" + strings.Join(lines, "\n")
}

// RunOn succeeds if the request, a [*harness.Request], was last sent on that
// connection.
//
//	Expect(r2).To(gomegamatch.RunOn(c1))
func RunOn(c *harness.Conn) types.GomegaMatcher { return &runOn{c} }

type runOn struct{ want *harness.Conn }

func (m *runOn) Match(actual any) (bool, error) {
	r, ok := actual.(*harness.Request)
	if !ok {
		return false, fmt.Errorf("RunOn: got %T, want a *harness.Request", actual)
	}
	return r.Conn() == m.want, nil
}

func (m *runOn) FailureMessage(actual any) string        { return m.message(actual, "want") }
func (m *runOn) NegatedFailureMessage(actual any) string { return m.message(actual, "want not") }

func (m *runOn) message(actual any, want string) string {
	r := actual.(*harness.Request)
	got := "no connection"
	if c := r.Conn(); c != nil {
		got = c.ID()
	}
	return fmt.Sprintf("%s: got it sent on %s, %s %s", r.Name(), got, want, m.want)
}

// BeReused succeeds if the request, a [*harness.Request], ran on a connection
// that had carried another request before.
//
//	Expect(r2).To(gomegamatch.BeReused())
func BeReused() types.GomegaMatcher {
	return aboutRequest("BeReused", func(r *harness.Request) (bool, string) {
		switch c := r.Conn(); {
		case c == nil:
			return false, "sent on no connection"
		case r.Reused():
			return true, "sent on " + c.ID() + ", which was used before"
		default:
			return false, "sent on " + c.ID() + ", which was new"
		}
	}, "sent on a connection that was used before", "sent on a new connection")
}

// BeStuck succeeds if something waits for what does not come: a
// [*harness.Request] that is pending when nothing moves any more, or, of a
// [*harness.Report], a body that did not return or a request that had not when
// it ended.
//
//	Expect(r2).NotTo(gomegamatch.BeStuck())
func BeStuck() types.GomegaMatcher {
	pending := aboutRequest("BeStuck", func(r *harness.Request) (bool, string) { return r.Pending(), r.String() },
		"pending at rest", "over")
	return &matcher{
		name: "BeStuck", kind: "a *harness.Request or a *harness.Report",
		match: func(actual any) (result, bool) {
			report, ok := actual.(*harness.Report)
			if !ok {
				return pending.match(actual)
			}
			res := result{subject: report.Name, want: "a run that is stuck", wantNot: "one that is not"}
			var stuck []string
			for _, f := range report.Failures {
				if f.Kind == "stuck" || f.Kind == "request" {
					stuck = append(stuck, f.String())
				}
			}
			res.ok = len(stuck) > 0
			res.got = "nothing that is stuck"
			if res.ok {
				res.got = "a run that is stuck"
				res.detail = stuck
			}
			return res, true
		},
	}
}

// HaveOpenConns succeeds if n connections are open on the client's side of a
// [*harness.T]'s network, in use or idle.
//
//	Expect(t).To(gomegamatch.HaveOpenConns(2))
func HaveOpenConns(n int) types.GomegaMatcher {
	return aboutConns("HaveOpenConns", n, "open", (*harness.Net).OpenConns)
}

// HaveIdle succeeds if n connections of a [*harness.T]'s network are idle: open
// at both ends, with no request on them and nothing on its way.
//
//	Expect(t).To(gomegamatch.HaveIdle(1))
func HaveIdle(n int) types.GomegaMatcher {
	return aboutConns("HaveIdle", n, "idle", (*harness.Net).IdleConns)
}

// HaveDialed succeeds if n dials were begun on a [*harness.T]'s network, whatever
// their outcomes.
//
//	Expect(t).To(gomegamatch.HaveDialed(1))
func HaveDialed(n int) types.GomegaMatcher {
	return aboutNet("HaveDialed", func(t *harness.T) result {
		got := t.Net.Dialed()
		res := result{ok: got == n, got: count(got, "dial"), want: fmt.Sprint(n), wantNot: "another number"}
		for _, r := range t.Requests() {
			res.detail = append(res.detail, r.String())
		}
		return res
	})
}

// HaveSeen succeeds if something has happened whose name in the trace begins
// with these words, each a pattern of [path.Match]: "c1 server fin", "dial *
// api.test:80 refuse". The actual value is a [*harness.T] or a [*harness.Report]
// of a run, not of an exploration, which keeps no trace.
//
//	Expect(t).To(gomegamatch.HaveSeen("c1 server fin"))
func HaveSeen(event string) types.GomegaMatcher {
	return &matcher{
		name: "HaveSeen", kind: "a *harness.T or a *harness.Report",
		match: func(actual any) (result, bool) {
			trace, ok := actual.(interface{ Seen(pattern string) bool })
			if !ok {
				return result{}, false
			}
			res := result{subject: "trace", want: fmt.Sprintf("%q", event), wantNot: "none", ok: trace.Seen(event)}
			res.got = "no such event"
			if res.ok {
				res.got = fmt.Sprintf("%q", event)
			}
			return res, true
		},
	}
}

// matcher is a matcher that says what it got.
type matcher struct {
	name  string
	kind  string // of the actual value
	match func(actual any) (result, bool)
	last  result
}

// result has what a matcher found, for "subject: got X, want Y" and the details below it.
type result struct {
	ok                          bool
	subject, got, want, wantNot string
	detail                      []string
}

func (m *matcher) Match(actual any) (bool, error) {
	res, ok := m.match(actual)
	if !ok {
		return false, fmt.Errorf("%s: got %T, want %s", m.name, actual, m.kind)
	}
	m.last = res
	return res.ok, nil
}

func (m *matcher) FailureMessage(any) string        { return m.last.message(m.last.want) }
func (m *matcher) NegatedFailureMessage(any) string { return m.last.message(m.last.wantNot) }

func (r result) message(want string) string {
	s := fmt.Sprintf("%s: got %s, want %s", r.subject, r.got, want)
	for _, d := range r.detail {
		s += "\n  " + d
	}
	return s
}

func aboutRequest(name string, look func(*harness.Request) (bool, string), want, wantNot string) *matcher {
	return &matcher{name: name, kind: "a *harness.Request", match: func(actual any) (result, bool) {
		r, ok := actual.(*harness.Request)
		if !ok {
			return result{}, false
		}
		holds, got := look(r)
		got = strings.TrimPrefix(got, r.Name()+": ")
		return result{ok: holds, subject: r.Name(), got: got, want: want, wantNot: wantNot}, true
	}}
}

func aboutNet(name string, look func(*harness.T) result) *matcher {
	return &matcher{name: name, kind: "a *harness.T", match: func(actual any) (result, bool) {
		t, ok := actual.(*harness.T)
		if !ok {
			return result{}, false
		}
		r := look(t)
		r.subject = "network"
		return r, true
	}}
}

func aboutConns(name string, n int, state string, conns func(*harness.Net) []*harness.Conn) *matcher {
	return aboutNet(name, func(t *harness.T) result {
		cs := conns(t.Net)
		res := result{ok: len(cs) == n, got: count(len(cs), "connection") + " " + state, want: fmt.Sprint(n), wantNot: "another number"}
		for _, c := range cs {
			s := c.ID() + " to " + c.Client().Address()
			if u := c.User(); u != nil {
				s += ", last used by " + u.String()
			}
			res.detail = append(res.detail, s)
		}
		return res
	})
}

// count returns "1 dial" or "2 dials".
func count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}
