package suites

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"
)

// The elements of a JUnit report, as CI services expect them: there is no specification.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Skipped  int          `xml:"skipped,attr"`
		Time     string       `xml:"time,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Time     string      `xml:"time,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name      string        `xml:"name,attr"`
		Class     string        `xml:"classname,attr"`
		Time      string        `xml:"time,attr"`
		File      string        `xml:"file,attr,omitempty"`
		Line      int           `xml:"line,attr,omitempty"`
		Failure   *junitText    `xml:"failure"`
		Skipped   *junitMessage `xml:"skipped"`
		SystemOut string        `xml:"system-out,omitempty"`
	}
	junitText struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
	junitMessage struct {
		Message string `xml:"message,attr"`
	}
)

// WriteJUnit writes the report in the form of JUnit that CI services read: a
// test suite for each subject. A quirk is a test that was skipped, and so is a
// case that is undecided or not applicable, each with its reason.
func (r *Report) WriteJUnit(w io.Writer) error {
	all := junitSuites{Name: "halfopen", Time: junitTime(r.Elapsed)}
	for i, s := range r.Subjects {
		suite := junitSuite{Name: s.String()}
		var took time.Duration
		for _, res := range r.of(i) {
			suite.Cases = append(suite.Cases, res.junit())
			took += res.Elapsed
			suite.Tests++
			switch res.State {
			case Failed:
				suite.Failures++
			case Quirky, NotApplicable, Undecided:
				suite.Skipped++
			}
		}
		suite.Time = junitTime(took)
		all.Tests += suite.Tests
		all.Failures += suite.Failures
		all.Skipped += suite.Skipped
		all.Suites = append(all.Suites, suite)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "\t")
	if err := e.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func junitTime(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }

func (r Result) junit() junitCase {
	c := junitCase{Name: r.Case.Name, Class: "halfopen." + string(r.Case.Group()), Time: junitTime(r.Elapsed)}
	c.File, c.Line = r.place()
	switch r.State {
	case Failed:
		c.Failure = &junitText{Message: r.Case.Claim, Type: "claim", Text: r.Report}
	case Quirky:
		c.Skipped = &junitMessage{"quirk: " + r.Reason}
	case NotApplicable:
		c.Skipped = &junitMessage{"not applicable: " + r.Reason}
	case Undecided:
		c.Skipped = &junitMessage{"undecided: " + r.Reason}
	default:
		c.SystemOut = plural(r.Schedules, "schedule")
	}
	return c
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// What a message and a property of a workflow command of GitHub may not contain
// is written as its number.
var (
	githubMessage  = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	githubProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// WriteAnnotations writes each failure as an annotation of GitHub Actions, at
// the case in Go or at the line of its script.
func (r *Report) WriteAnnotations(w io.Writer) error {
	for _, f := range r.failures() {
		file, line := f.place()
		_, err := fmt.Fprintf(w, "::error file=%s,line=%d,title=%s::%s\n", githubProperty.Replace(file), line,
			githubProperty.Replace(f.Subject.String()+": "+f.Case.Name), githubMessage.Replace(f.Case.Claim+"\n"+f.Report))
		if err != nil {
			return err
		}
	}
	return nil
}
