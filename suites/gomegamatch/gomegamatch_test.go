package gomegamatch_test

import (
	"fmt"
	"regexp"
	"runtime"
	"testing"

	"github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/suites"
	"github.com/halfopen/halfopen/suites/gomegamatch"
)

// Each matcher, where it succeeds and where it fails, with what it says then; and
// what a test without Gomega asks instead.
func TestMatchers(t *testing.T) {
	line := regexp.MustCompile(`\.go:\d+`)
	harness.Test(t, func(t *harness.T) {
		holds := func(actual any, m types.GomegaMatcher, negated string) {
			t.Helper()
			if ok, err := m.Match(actual); !ok || err != nil {
				t.Errorf("got %v, %v: %s", ok, err, m.FailureMessage(actual))
			}
			if got := line.ReplaceAllString(m.NegatedFailureMessage(actual), ".go:#"); got != negated {
				t.Errorf("got %q, want %q", got, negated)
			}
		}
		fails := func(actual any, m types.GomegaMatcher, message string) {
			t.Helper()
			if ok, err := m.Match(actual); ok || err != nil {
				t.Errorf("got %v, %v: %s", ok, err, m.NegatedFailureMessage(actual))
			}
			if got := line.ReplaceAllString(m.FailureMessage(actual), ".go:#"); got != message {
				t.Errorf("got %q, want %q", got, message)
			}
		}
		t.Serve("api.test:80", nil)
		tr := t.Net.Transport()
		fails(t, gomegamatch.HaveDialed(1), "network: got 0 dials, want 1")
		r1 := t.Get("r1", tr, "http://api.test/page/20000")
		const place = "  (gomegamatch_test.go:#)"
		holds(t, gomegamatch.HaveOpenConns(1), "network: got 1 connection open, want another number\n  c1 to api.test:80, last used by r1: done on c1, its body open"+place)
		fails(t, gomegamatch.HaveIdle(1), "network: got 0 connections idle, want 1")
		fails(r1, gomegamatch.BeReused(), "r1: got sent on c1, which was new, want sent on a connection that was used before")
		r1.Finish()
		holds(t, gomegamatch.HaveIdle(1), "network: got 1 connection idle, want another number\n  c1 to api.test:80, last used by r1: done on c1"+place)
		r2 := t.Get("r2", tr, "http://api.test/bytes/300000") // more than is read behind a body that is closed early
		holds(r2, gomegamatch.BeReused(), "r2: got sent on c1, which was used before, want sent on a new connection")
		fails(r2, gomegamatch.BeStuck(), "r2: got done on c1, its body open  (gomegamatch_test.go:#), want pending at rest")
		r2.CloseBody()
		fails(t, gomegamatch.HaveOpenConns(1), "network: got 0 connections open, want 1")

		t.Net.Hold("dial")
		r3 := t.Get("r3", tr, "http://api.test/")
		holds(r3, gomegamatch.BeStuck(), "r3: got pending  (gomegamatch_test.go:#), want over")
		fails(r3, gomegamatch.BeReused(), "r3: got sent on no connection, want sent on a connection that was used before")
		fails(t, gomegamatch.HaveDialed(1), "network: got 2 dials, want 1\n  r1: done on c1"+place+
			"\n  r2: done on c1, its body closed before its end  (gomegamatch_test.go:#)\n  r3: pending  (gomegamatch_test.go:#)")
		fails(t, gomegamatch.HaveSeen("dial * api.test:80 refuse"), `trace: got no such event, want "dial * api.test:80 refuse"`)
		t.Net.WantDial().Refuse()
		holds(t, gomegamatch.HaveSeen("dial * api.test:80 refuse"), `trace: got "dial * api.test:80 refuse", want none`)
		t.Net.Release("dial")

		// The same as plain Go.
		if !r2.Reused() || r1.Reused() || r3.Reused() || r3.Pending() || r3.Sent() != 0 || r2.Sent() != 1 {
			t.Errorf("got %v", t.Requests())
		}
		if n := t.Net.Dialed(); n != 2 || len(t.Net.OpenConns()) != 0 || len(t.Net.IdleConns()) != 0 || !t.Seen("c1 client->server data") {
			t.Errorf("got %d dials, %v open", n, t.Net.OpenConns())
		}
	})
}

// Over HTTP/2 a connection is idle when it has no stream.
func TestIdleHTTP2(t *testing.T) {
	for _, s := range suites.SubjectsOf("net/http", suites.Subjects()[1].Maker) {
		if s.Protocol != suites.H2 {
			continue
		}
		harness.Test(t, func(t *harness.T) {
			rt, err := s.Maker(t, harness.Settings{})
			if err != nil {
				t.Fatal(err)
			}
			t.ServeTLSAs("api.test:443", "h2")
			g := gomega.NewWithT(t)
			r1 := t.Get("r1", rt, "https://api.test/")
			r2 := t.Get("r2", rt, "https://api.test/")
			r1.Finish()
			g.Expect(r2).To(gomegamatch.BeReused())
			g.Expect(t).To(gomegamatch.HaveIdle(0))
			r2.Finish()
			g.Expect(t).To(gomegamatch.HaveIdle(1))
		})
	}
}

// A report tells what was stuck and what was seen, and an expectation of Gomega's
// that fails names its own line.
func TestMatchersOfReports(t *testing.T) {
	g := gomega.NewWithT(t)
	stuck := harness.TestReport("stuck", func(t *harness.T) {
		t.Peer("api.test:80")
		r1 := t.Get("r1", t.Net.Transport(), "http://api.test/")
		r1.Await()
	})
	g.Expect(stuck).To(gomegamatch.BeStuck())
	g.Expect(stuck).To(gomegamatch.HaveSeen("c1 client->server data"))
	g.Expect(stuck).NotTo(gomegamatch.HaveSeen("c1 server->client data"))
	m := gomegamatch.BeStuck()
	m.Match(stuck)
	g.Expect(m.NegatedFailureMessage(stuck)).To(gomega.HavePrefix("stuck: got a run that is stuck, want one that is not\n  stuck: nothing moved for 24h0m0s"))

	var line string
	wrong := harness.TestReport("wrong", func(t *harness.T) {
		_, _, n, _ := runtime.Caller(0)
		line = fmt.Sprintf("(gomegamatch_test.go:%d)", n+2)
		gomega.NewWithT(t).Expect(t).To(gomegamatch.HaveDialed(1))
	})
	g.Expect(wrong).NotTo(gomegamatch.BeStuck())
	g.Expect(wrong.Failures).To(gomega.HaveLen(1))
	g.Expect(wrong.Failures[0].String()).To(gomega.And(
		gomega.ContainSubstring("network: got 0 dials, want 1"), gomega.HaveSuffix(line)))

	x, err := harness.ExploreReport("asks", harness.Bounds{Schedules: 1}, nil, func(t *harness.T) { t.Seen("dial") })
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(x.Findings[0].Report.Failures[0].Text).To(gomega.Equal(`Seen("dial"): an exploration keeps no trace`))
}

// RunOn tells on which connection a request ran, and HaveLeaked a leak from a connection
// that is idle.
func TestRunOnAndHaveLeaked(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		g := gomega.NewWithT(t)
		tr := t.Net.Transport()
		t.Serve("api.test:80", nil)
		r1 := t.Get("r1", tr, "http://api.test/")
		r2 := t.Get("r2", tr, "http://api.test/")
		c1, c2 := t.Conn("c1"), t.Conn("c2")
		g.Expect(r1).To(gomegamatch.RunOn(c1))
		g.Expect(r1).NotTo(gomegamatch.RunOn(c2))
		g.Expect(r2).To(gomegamatch.RunOn(c2))
		g.Expect(gomegamatch.RunOn(c2).FailureMessage(r1)).To(gomega.Equal("r1: got it sent on c1, want c2"))
		r2.Finish()
		g.Expect(t).To(gomegamatch.HaveLeaked())
		m := gomegamatch.HaveLeaked()
		m.Match(t)
		g.Expect(m.NegatedFailureMessage(t)).To(gomega.ContainSubstring("r1: response body of GET http://api.test/ never closed"))
		r1.Finish()
		g.Expect(t).NotTo(gomegamatch.HaveLeaked())
	})
	r := harness.TestReport("leak", func(t *harness.T) {
		t.Serve("api.test:80", nil)
		t.Get("r1", t.Net.Transport(), "http://api.test/")
	})
	if ok, err := gomegamatch.HaveLeaked().Match(r); !ok || err != nil {
		t.Errorf("HaveLeaked: got %v, %v for a run that leaked", ok, err)
	}
}

// A matcher that is given something else says what it is for.
func TestMatchersRefuse(t *testing.T) {
	for want, m := range map[string]types.GomegaMatcher{
		"HaveLeaked: got int, want a *harness.T or a *harness.Report":    gomegamatch.HaveLeaked(),
		"RunOn: got int, want a *harness.Request":                        gomegamatch.RunOn(nil),
		"BeReused: got int, want a *harness.Request":                     gomegamatch.BeReused(),
		"BeStuck: got int, want a *harness.Request or a *harness.Report": gomegamatch.BeStuck(),
		"HaveOpenConns: got int, want a *harness.T":                      gomegamatch.HaveOpenConns(1),
		"HaveIdle: got int, want a *harness.T":                           gomegamatch.HaveIdle(1),
		"HaveDialed: got int, want a *harness.T":                         gomegamatch.HaveDialed(1),
		"HaveSeen: got int, want a *harness.T or a *harness.Report":      gomegamatch.HaveSeen("c1"),
	} {
		if _, err := m.Match(1); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
