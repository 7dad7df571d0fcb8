package suites_test

import (
	"fmt"
	"io"
	"log"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"
	"go.uber.org/goleak"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/suites"
)

// Ginkgo keeps one goroutine for signals to the end of the process.
func TestMain(m *testing.M) {
	log.SetOutput(io.Discard) // net/http logs bytes that nobody asked for
	suites.VerifyTestMain(m, goleak.IgnoreAnyFunction(
		"github.com/onsi/ginkgo/v2/internal/interrupt_handler.(*InterruptHandler).registerForInterrupts.func2"))
}

// net/http over HTTP/1 is the first subject: under Ginkgo, as a project that
// uses Ginkgo would have it.
func TestSuites(t *testing.T) {
	gomega.RegisterFailHandler(ginkgo.Fail)
	ginkgo.RunSpecs(t, "suites")
}

var _ = suites.Describe("net/http", harness.NetHTTP, suites.NetHTTPQuirks...)

func TestTransportNetHTTP(t *testing.T) {
	suites.TestTransport(t, harness.NetHTTP, suites.NetHTTPQuirks...)
}
func TestTransportPool(t *testing.T) { suites.TestTransport(t, suites.Reference) }

// The race scripts alone, for those who run them many times.
func TestRaces(t *testing.T) {
	for _, s := range suites.Subjects() {
		for _, c := range suites.Cases() {
			if c.Script != nil && s.Protocol == suites.HTTP1 {
				t.Run(s.Name+"/"+c.Name, func(t *testing.T) { c.Test(t, s) })
			}
		}
	}
}

// What net/http does and should not, the reference transport does not do.
func TestPoolHasNoQuirk(t *testing.T) {
	files, err := filepath.Glob("../testdata/quirks/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("got no quirks, %v", err)
	}
	for _, file := range files {
		s, err := harness.ReadScript(file)
		if err != nil {
			t.Fatal(err)
		}
		if r, err := s.Run(suites.Reference); err != nil || !r.Failed() {
			t.Errorf("%s: pool has the quirk too (%v)", s.Name, err)
		}
	}
}

// Each of the four families has at least five cases, and most cases name a
// public bug.
func TestCases(t *testing.T) {
	families := make(map[string]int)
	guards := 0
	for _, c := range suites.Cases() {
		families[string(c.Group)]++
		if len(c.Issues) > 0 {
			guards++
		}
		if !regexp.MustCompile(`^[A-Z].*\.$`).MatchString(c.Claim) {
			t.Errorf("%s: the claim is no sentence: %q", c.Name, c.Claim)
		}
	}
	for _, f := range []string{"idle", "cancel", "broken", "body"} {
		if families[f] < 5 {
			t.Errorf("family %s: got %d cases, want at least 5", f, families[f])
		}
	}
	if guards < 15 {
		t.Errorf("got %d cases that name a public bug, want at least 15", guards)
	}
}

var _ = ginkgo.Describe("matchers", func() {
	ginkgo.It("tell which connection a request ran on", func() {
		harness.Test(ginkgo.GinkgoT(), func(t *harness.T) {
			g := gomega.NewWithT(t)
			tr := t.Net.Transport()
			t.Serve("api.test:80", nil)
			r1 := t.Get("r1", tr, "http://api.test/")
			r2 := t.Get("r2", tr, "http://api.test/")
			c1, c2 := t.Conn("c1"), t.Conn("c2")
			g.Expect(r1).To(suites.RunOn(c1))
			g.Expect(r1).NotTo(suites.RunOn(c2))
			g.Expect(r2).To(suites.RunOn(c2))
			m := suites.RunOn(c2)
			g.Expect(m.Match(r1)).To(gomega.BeFalse())
			g.Expect(m.FailureMessage(r1)).To(gomega.Equal("r1: got it sent on c1, want c2"))
			r1.Finish()
			r2.Finish()
		})
	})
	ginkgo.It("tell a leak from an idle connection", func() {
		harness.Test(ginkgo.GinkgoT(), func(t *harness.T) {
			g := gomega.NewWithT(t)
			t.Serve("api.test:80", nil)
			r1 := t.Get("r1", t.Net.Transport(), "http://api.test/")
			g.Expect(t).To(suites.HaveLeaked())
			m := suites.HaveLeaked()
			m.Match(t)
			g.Expect(m.NegatedFailureMessage(t)).To(gomega.ContainSubstring("r1: response body of GET http://api.test/ never closed"))
			r1.Finish()
			g.Expect(t).NotTo(suites.HaveLeaked())
		})
	})
	ginkgo.It("know which process of Ginkgo's this is", func() {
		s := suites.Shard()
		gomega.Expect(s.Total).To(gomega.BeNumerically(">=", 1))
		gomega.Expect(s.Index).To(gomega.BeNumerically("<", s.Total))
		gomega.Expect(s.Index).To(gomega.Equal(ginkgo.GinkgoParallelProcess() - 1))
	})
	ginkgo.It("refuse what they are not for", func() {
		_, err := suites.HaveLeaked().Match(1)
		gomega.Expect(err).To(gomega.MatchError("HaveLeaked: got int, want a *harness.T or a *harness.Report"))
		_, err = suites.RunOn(nil).Match("r1")
		gomega.Expect(err).To(gomega.MatchError("RunOn: got string, want a *harness.Request"))
	})
})

// A Report tells what a whole run left behind, and a quirk that is none fails.
func TestReportAndQuirks(t *testing.T) {
	r := harness.Run("leak", func(t *harness.T) {
		t.Serve("api.test:80", nil)
		t.Get("r1", t.Net.Transport(), "http://api.test/")
	})
	if ok, err := suites.HaveLeaked().Match(r); !ok || err != nil {
		t.Errorf("HaveLeaked: got %v, %v for a run that leaked", ok, err)
	}
	c := suites.Cases()[0]
	rec := &recorder{TB: t}
	c.Test(rec, suites.Subject{Protocol: suites.HTTP1, Maker: harness.NetHTTP, Quirks: []suites.Quirk{{Case: c.Name, Reason: "none"}}})
	if want := "has a quirk (none), and holds on go1."; !strings.Contains(rec.text, want) {
		t.Errorf("got %q, want it to contain %q", rec.text, want)
	}
}

// recorder keeps the error of a test instead of failing.
type recorder struct {
	testing.TB
	text string
}

func (r *recorder) Errorf(format string, args ...any) { r.text = fmt.Sprintf(format, args...) }
