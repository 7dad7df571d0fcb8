package suites_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/suites"
	"github.com/halfopen/halfopen/suites/goleakcheck"
)

func TestMain(m *testing.M) {
	log.SetOutput(io.Discard) // net/http logs unsolicited bytes
	goleakcheck.VerifyTestMain(m)
}

// Every case holds on net/http, and on the reference transport: that one is tested in
// package pool.
func TestTransportNetHTTP(t *testing.T) {
	suites.TestTransport(t, harness.NetHTTP, suites.NetHTTPQuirks...)
}

// Neither the command nor a package that tests import compiles a test framework, and only
// the command compiles what writes captures.
func TestNoFrameworks(t *testing.T) {
	compiles := func(foreign []string, packages ...string) {
		out, err := exec.Command("go", append([]string{"list", "-deps"}, packages...)...).Output()
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range strings.Fields(string(out)) {
			if slices.ContainsFunc(foreign, func(f string) bool { return strings.Contains(path, f) }) {
				t.Errorf("%s is compiled by %q", path, packages)
			}
		}
	}
	compiles([]string{"onsi/", "goleak"}, "../cmd/halfopen")
	compiles([]string{"onsi/", "goleak", "gopacket"}, "..", "../harness", "../faultnet", ".")
}

// The race scripts alone, for those who run them many times.
func TestRaces(t *testing.T) {
	for _, s := range suites.Subjects() {
		for _, c := range suites.Cases() {
			if c.Script != nil && s.Protocol == suites.HTTP1 {
				t.Run(s.Name+"/"+c.Name, func(t *testing.T) { s.Test(t, c) })
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
		if r, err := s.TestReport(suites.Reference); err != nil || !r.Failed() {
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
		families[string(c.Group())]++
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

// Check takes clients too, and a case for clients says in which file it is.
func TestCheckClients(t *testing.T) {
	pool := suites.PoolSubject("none", func(func(context.Context) (net.Conn, error), suites.ClientSettings) (suites.ConnPool, error) {
		return nil, errors.New("no setting at all")
	}).Subject()
	report := suites.Check(suites.ClientCases()[:1], []suites.Subject{pool, suites.Subjects()[0]})
	var b strings.Builder
	if err := report.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"file": "suites/internal/cases/clientpools.go"`, `"subject": "none"`, `"reason": "no setting at all"`,
		`"reason": "it is about clients"`} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("got %s, want it to contain %s", b.String(), want)
		}
	}
}

// A quirk of a case that holds fails.
func TestQuirkThatHolds(t *testing.T) {
	c := suites.Cases()[0]
	rec := &recorder{TB: t}
	suites.Subject{Protocol: suites.HTTP1, Maker: harness.NetHTTP, Quirks: []suites.Quirk{{Case: c.Name, Reason: "none"}}}.Test(rec, c)
	if want := "has a quirk (none), and holds on go1."; !strings.Contains(rec.text, want) {
		t.Errorf("got %q, want it to contain %q", rec.text, want)
	}
}

// A quirk that is chance may not show.
func TestQuirkOfChance(t *testing.T) {
	c := suites.Cases()[0]
	rec := &recorder{TB: t}
	suites.Subject{Protocol: suites.HTTP1, Maker: harness.NetHTTP, Quirks: []suites.Quirk{{Case: c.Name, Reason: "none", Chance: true}}}.Test(rec, c)
	if rec.text != "" {
		t.Errorf("got %q, want no failure", rec.text)
	}
}

// recorder keeps the error of a test instead of failing.
type recorder struct {
	testing.TB
	text string
}

func (r *recorder) Errorf(format string, args ...any) { r.text = fmt.Sprintf(format, args...) }
