package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/suites"
)

// report holds the JSON report, as suites/REPORT.md describes it.
type report struct {
	Schema   string
	Go       string
	Seconds  float64
	Subjects []struct{ Subject, Name, Protocol string }
	Cases    []struct {
		Case, Group, Claim, Verdict, Source, File string
		Issues                                    []string
		Line                                      int
	}
	Results []struct {
		Case, Subject, State, Reason, Report, Script, File string
		Schedules, Line                                    int
		Seconds                                            float64
		Quirk                                              *struct{ Reason, Issue, Breaks, Versions string }
	}
}

// Every case of a group runs on every subject: no case fails, the table has a row for each
// case, and the reports have each pair exactly once. The group is one with cases that held,
// that show a quirk and that do not apply; that all of them hold is tested in the packages
// suites, with net/http, and pool.
func TestCheck(t *testing.T) {
	t.Setenv("GITHUB_ACTIONS", "")
	dir := t.TempDir()
	asJSON, asJUnit := filepath.Join(dir, "report.json"), filepath.Join(dir, "report.xml")
	const group = "idle"
	code, out, errs := halfopen("check", "-json", asJSON, "-junit", asJUnit, "-group", group)
	if code != held || errs != "" {
		t.Errorf("got exit code %d, %s\n%s", code, errs, out)
	}
	cases, subjects := suites.Cases(), suites.Subjects()
	cases = slices.DeleteFunc(cases, func(c suites.Case) bool { return c.Group() != group })
	for _, c := range cases {
		row := regexp.MustCompile(fmt.Sprintf(`(?m)^%s +((held( \d+)?|quirk|undecided|n/a) +){%d}%s$`, c.Name, len(subjects), regexp.QuoteMeta(c.Claim)))
		if !row.MatchString(out) {
			t.Errorf("got no row in which %s held", c.Name)
		}
	}
	for _, state := range []string{"held", "quirk", "n/a"} {
		if !regexp.MustCompile(fmt.Sprintf(`(?m)^%s-.* %s +`, group, state)).MatchString(out) {
			t.Errorf("got no case of group %s with a cell %s: choose another group", group, state)
		}
	}
	if want := fmt.Sprintf("%d cases x %d subjects, ", len(cases), len(subjects)); !strings.Contains(out, want) {
		t.Errorf("got:\n%s\nwant it to contain %q", out, want)
	}
	checkJUnit(t, asJUnit, len(cases)*len(subjects), 0, checkJSON(t, asJSON, cases, subjects))
}

// checkJSON checks that the JSON report has each of the cases on each of the subjects
// exactly once, and that none failed. It returns how many cases did not hold because
// of a quirk, are undecided, or do not apply.
func checkJSON(t *testing.T, file string, cases []suites.Case, subjects []suites.Subject) (skipped int) {
	t.Helper()
	var r report
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		t.Fatal(err)
	}
	if r.Schema != "halfopen-report/1" || !strings.HasPrefix(r.Go, "go1.") || r.Seconds <= 0 {
		t.Errorf("got schema %q of %q in %v s", r.Schema, r.Go, r.Seconds)
	}
	if len(r.Cases) != len(cases) || len(r.Subjects) != len(subjects) {
		t.Errorf("got %d cases and %d subjects, want %d and %d", len(r.Cases), len(r.Subjects), len(cases), len(subjects))
	}
	for _, c := range r.Cases {
		if !strings.HasPrefix(c.File, "suites/") && !strings.HasPrefix(c.File, "testdata/races/") || c.Line == 0 {
			t.Errorf("%s: got it at %s:%d, want a place in this module", c.Case, c.File, c.Line)
		}
	}
	count := make(map[string]int)
	for _, res := range r.Results {
		count[res.Case+" of "+res.Subject]++
		switch {
		case res.State == "held" && res.Schedules > 0:
		case res.State == "quirk" && res.Quirk != nil && res.Report != "" && res.Schedules > 0:
			skipped++
		case res.State == "undecided" && res.Reason != "" && res.Report != "":
			skipped++
		case res.State == "n/a" && res.Reason != "" && res.Schedules == 0:
			skipped++
		default:
			t.Errorf("%s of %s: got %s after %d schedules (%s)", res.Case, res.Subject, res.State, res.Schedules, res.Reason)
		}
	}
	for _, c := range cases {
		for _, s := range subjects {
			if n := count[c.Name+" of "+s.String()]; n != 1 {
				t.Errorf("%s of %s: got %d results, want 1", c.Name, s, n)
			}
		}
	}
	if len(r.Results) != len(cases)*len(subjects) {
		t.Errorf("got %d results, want %d", len(r.Results), len(cases)*len(subjects))
	}
	return skipped
}

// checkJUnit checks what programs rely on that read the XML format of JUnit: each
// element has its attributes, and its counts are those of the elements inside it.
func checkJUnit(t *testing.T, file string, tests, failures, skipped int) {
	t.Helper()
	type counts struct {
		Tests    int     `xml:"tests,attr"`
		Failures int     `xml:"failures,attr"`
		Errors   int     `xml:"errors,attr"`
		Skipped  int     `xml:"skipped,attr"`
		Time     float64 `xml:"time,attr"`
	}
	type message struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
	var r struct {
		XMLName xml.Name `xml:"testsuites"`
		counts
		Suites []struct {
			Name string `xml:"name,attr"`
			counts
			Cases []struct {
				Name    string    `xml:"name,attr"`
				Class   string    `xml:"classname,attr"`
				Time    string    `xml:"time,attr"`
				Failure []message `xml:"failure"`
				Skipped []message `xml:"skipped"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := xml.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	if want := (counts{tests, failures, 0, skipped, r.Time}); r.counts != want {
		t.Errorf("testsuites: got %+v, want %+v", r.counts, want)
	}
	var sum counts
	for _, s := range r.Suites {
		want := counts{Tests: len(s.Cases), Time: s.Time}
		seen := make(map[string]bool)
		for _, c := range s.Cases {
			if c.Name == "" || c.Class == "" || c.Time == "" || seen[c.Name] || len(c.Failure)+len(c.Skipped) > 1 {
				t.Errorf("%s: got %+v", s.Name, c)
			}
			seen[c.Name] = true
			want.Failures += len(c.Failure)
			want.Skipped += len(c.Skipped)
			for _, m := range slices.Concat(c.Failure, c.Skipped) {
				if m.Message == "" {
					t.Errorf("%s: %s has no message", s.Name, c.Name)
				}
			}
		}
		if s.Name == "" || s.counts != want {
			t.Errorf("testsuite %q: got %+v, want %+v", s.Name, s.counts, want)
		}
		sum.Tests, sum.Failures, sum.Skipped = sum.Tests+s.Tests, sum.Failures+s.Failures, sum.Skipped+s.Skipped
	}
	if sum.Tests != tests || sum.Failures != failures || sum.Skipped != skipped {
		t.Errorf("got test suites with %+v in all", sum)
	}
}

// broken returns three cases and a subject on which one case fails, one has a quirk
// and one is not applicable.
func broken(t *testing.T) ([]suites.Case, []suites.Subject) {
	s, err := harness.ParseScript("testdata/x.txtar", []byte("# There is a connection.\nwant conns 1\n"))
	if err != nil {
		t.Fatal(err)
	}
	quirks := []suites.Quirk{{Case: "reuse-never", Reason: "it is a test", Issue: "a/b#1", Breaks: "RFC 1 section 2", Versions: suites.Versions{From: "go1.26"}}}
	body := func(e *suites.Env) {
		e.Serve(nil)
		e.Get("r1", "/")
		e.Rest()
		e.Net.WantConns(0)
	}
	return []suites.Case{
			{Name: "reuse-one", Claim: "There is a connection: 100 %, always.", Script: s},
			{Name: "reuse-never", Claim: "There is none.", Body: body, Bounds: harness.Bounds{Schedules: 5}},
			{Name: "http2-only", Claim: "It is about HTTP/2.", Protocols: suites.H2 | suites.H2C, Body: body},
		},
		[]suites.Subject{{Name: "net/http", Protocol: suites.HTTP1, Maker: harness.NetHTTP, Quirks: quirks}}
}

// A case that fails makes check fail, and every report shows it.
func TestCheckFails(t *testing.T) {
	cases, subjects := broken(t)
	any := regexp.MustCompile("")
	file := filepath.Join(t.TempDir(), "junit.xml")
	var out, errs bytes.Buffer
	err := wanted{cases: any, subjects: any, junit: file, github: true}.check(cases, subjects, &out, &errs)
	if err != failed || errs.Len() > 0 {
		t.Errorf("got %v, %s", err, &errs)
	}
	for _, want := range []string{
		"             net/http\ncase         http1     claim\nreuse-one    FAILED    There is a connection: 100 %, always.\nreuse-never  quirk     There is none.\nhttp2-only   n/a       It is about HTTP/2.\n\nheld         0\nquirk        1\nundecided    0\nn/a          1\nFAILED       1\nschedules    2\n\n3 cases x 1 subjects, 2 schedules in ",
		"quirks: known not to hold\n\nreuse-never: net/http http1\n  a/b#1: it is a test (since go1.26)\n  breaks: RFC 1 section 2\n",
		"--- net/http http1: reuse-one\nThere is a connection: 100 %, always.  (testdata/x.txtar:2)\ngot 0 connections open",
		"::error file=testdata/x.txtar,line=2,title=net/http http1%3A reuse-one::There is a connection: 100 %25, always.%0Agot 0 connections open on the client's side [], want 1  (testdata/x.txtar:2)%0A",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("got:\n%s\nwant it to contain:\n%s", &out, want)
		}
	}
	checkJUnit(t, file, 3, 1, 2)

	// Standard output has only the JSON report, and the report is the same each time
	// except for the seconds.
	var texts []string
	for range 2 {
		cases, subjects = broken(t)
		out.Reset()
		errs.Reset()
		wanted{cases: any, subjects: any, json: "-"}.check(cases, subjects, &out, &errs)
		if !json.Valid(out.Bytes()) || !strings.Contains(errs.String(), "reuse-one") {
			t.Errorf("got:\n%s\nand on standard error:\n%s", &out, &errs)
		}
		texts = append(texts, regexp.MustCompile(`"seconds": [\d.]+`).ReplaceAllString(out.String(), ""))
	}
	if texts[0] != texts[1] {
		t.Errorf("got:\n%s\nand then:\n%s", texts[0], texts[1])
	}

	// Only the first failure is shown; with -v all are.
	cases, subjects = broken(t)
	subjects[0].Quirks = nil
	for _, all := range []bool{false, true} {
		out.Reset()
		wanted{cases: any, subjects: any, all: all}.check(slices.Clone(cases), subjects, &out, &errs)
		if got := strings.Count(out.String(), "\n--- "); got != map[bool]int{false: 1, true: 2}[all] || strings.Contains(out.String(), "1 more failed") == all {
			t.Errorf("-v=%v: got %d failures shown:\n%s", all, got, &out)
		}
	}
}

// Flags choose cases and subjects. GitHub's environment variable makes check write
// annotations without a flag.
func TestCheckSome(t *testing.T) {
	t.Setenv("GITHUB_ACTIONS", "true")
	code, out, errs := halfopen("check", "-group", "cancel", "-run", "waiter|orphan", "-subject", "^pool http1$")
	if code != held || errs != "" {
		t.Errorf("got exit code %d, %s", code, errs)
	}
	if !strings.Contains(out, " x 1 subjects, ") || !strings.Contains(out, "\ncancel-waiter ") || strings.Contains(out, "cancel-late") || strings.Contains(out, "::error") {
		t.Errorf("got:\n%s", out)
	}
}

// REPORT.md describes every field of the report.
func TestReportIsDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../suites/REPORT.md")
	if err != nil {
		t.Fatal(err)
	}
	cases, subjects := broken(t)
	cases[0].Verdict, cases[0].Issues, cases[0].Source = "v", []string{"a/b#1"}, "s"
	subjects[0].Quirks = append(subjects[0].Quirks, suites.Quirk{Case: "none"})
	var out, errs bytes.Buffer
	any := regexp.MustCompile("")
	wanted{cases: any, subjects: any, json: "-"}.check(cases, subjects, &out, &errs)
	for _, field := range regexp.MustCompile(`"([a-z]+)":`).FindAllStringSubmatch(out.String(), -1) {
		if !strings.Contains(string(doc), "| `"+field[1]+"` |") {
			t.Errorf("REPORT.md does not describe %q", field[1])
		}
	}
	if schema := regexp.MustCompile(`"schema": "(.*)"`).FindStringSubmatch(out.String()); schema == nil || !strings.Contains(string(doc), schema[1]) {
		t.Errorf("REPORT.md is not about %v", schema)
	}
}
