package suites

import (
	"encoding/json"
	"io"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/halfopen/halfopen/harness"
)

// schema names the form of a JSON report. A field that is added leaves it as it is; one that
// is removed, or gets another meaning, raises the number. REPORT.md in this folder has the
// fields.
const schema = "halfopen-report/1"

// Report has the results of cases for subjects, one [Result] for each pair.
type Report struct {
	Cases    []Case
	Subjects []Subject
	// Results is by case and, of each case, by subject: the same order each time.
	Results []Result
	// Elapsed is how long it took, in real time.
	Elapsed time.Duration
}

// Check puts each case to each subject, on all processors. It is what
// TestTransport does, for a program, or for a test that writes a report:
//
//	report := suites.Check(suites.Cases(), suites.SubjectsOf("mine", maker))
func Check(cases []Case, subjects []Subject) *Report { return CheckEach(cases, subjects, nil) }

// CheckEach is Check, and calls each with each result as soon as there is one, in any
// order and one at a time, unless each is nil.
func CheckEach(cases []Case, subjects []Subject, each func(Result)) *Report {
	r := &Report{Cases: cases, Subjects: subjects, Results: make([]Result, len(cases)*len(subjects))}
	start := time.Now()
	var next atomic.Int64
	var telling sync.Mutex
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(r.Results) {
					return
				}
				begin := time.Now()
				r.Results[i] = subjects[i%len(subjects)].Run(cases[i/len(subjects)])
				r.Results[i].Elapsed = time.Since(begin)
				if each != nil {
					telling.Lock()
					each(r.Results[i])
					telling.Unlock()
				}
			}
		})
	}
	workers.Wait()
	r.Elapsed = time.Since(start)
	return r
}

// SubjectsOf returns the maker's transports as subjects: one for each protocol that they
// speak by themselves, or when they are asked to by [harness.Settings.ForceAttemptHTTP2] or
// [harness.Settings.Protocols]. There are none if the transports do not answer a plain GET.
// HTTP/3 is not among them: see [Subject.Server].
func SubjectsOf(name string, maker harness.Maker, quirks ...Quirk) []Subject {
	spoken := Speaks(maker)
	if spoken == 0 {
		return nil
	}
	var subjects []Subject
	for _, p := range []Protocol{HTTP1, H2, H2C} {
		m := maker
		if spoken&p == 0 {
			m = asked(maker, p)
		}
		if Speaks(m)&p != 0 {
			subjects = append(subjects, Subject{Name: name, Protocol: p, Maker: m, Quirks: quirks})
		}
	}
	return subjects
}

// String returns the name and the protocol: "net/http h2". That of a client is its name.
func (s Subject) String() string { return strings.TrimSuffix(s.Name+" "+s.Protocol.String(), " ") }

// Failed reports whether any case failed.
func (r *Report) Failed() bool { return len(r.failures()) > 0 }

func (r *Report) failures() []Result {
	return slices.DeleteFunc(slices.Clone(r.Results), func(r Result) bool { return r.State != Failed })
}

// of returns the results of the subject with that index.
func (r *Report) of(subject int) []Result {
	var results []Result
	for i := subject; i < len(r.Results); i += len(r.Subjects) {
		results = append(results, r.Results[i])
	}
	return results
}

// The JSON form. REPORT.md is its documentation.
type (
	jsonReport struct {
		Schema   string        `json:"schema"`
		Go       string        `json:"go"`
		Seconds  float64       `json:"seconds"`
		Subjects []jsonSubject `json:"subjects"`
		Cases    []jsonCase    `json:"cases"`
		Results  []jsonResult  `json:"results"`
	}
	jsonSubject struct {
		Subject  string `json:"subject"`
		Name     string `json:"name"`
		Protocol string `json:"protocol"`
	}
	jsonCase struct {
		Case    string   `json:"case"`
		Group   Group    `json:"group"`
		Claim   string   `json:"claim"`
		Verdict string   `json:"verdict,omitempty"`
		Issues  []string `json:"issues,omitempty"`
		Source  string   `json:"source,omitempty"`
		File    string   `json:"file"`
		Line    int      `json:"line"`
	}
	jsonResult struct {
		Case      string     `json:"case"`
		Subject   string     `json:"subject"`
		State     string     `json:"state"`
		Schedules int        `json:"schedules"`
		Seconds   float64    `json:"seconds"`
		Reason    string     `json:"reason,omitempty"`
		Quirk     *jsonQuirk `json:"quirk,omitempty"`
		Report    string     `json:"report,omitempty"`
		Script    string     `json:"script,omitempty"`
		File      string     `json:"file,omitempty"`
		Line      int        `json:"line,omitempty"`
	}
	jsonQuirk struct {
		Reason   string `json:"reason"`
		Issue    string `json:"issue,omitempty"`
		Breaks   string `json:"breaks,omitempty"`
		Versions string `json:"versions,omitempty"`
	}
)

// WriteJSON writes the report as JSON, in the form that REPORT.md describes. All
// of it but the seconds is the same each time.
func (r *Report) WriteJSON(w io.Writer) error {
	j := jsonReport{Schema: schema, Go: runtime.Version(), Seconds: seconds(r.Elapsed),
		Subjects: []jsonSubject{}, Cases: []jsonCase{}, Results: []jsonResult{}}
	for _, s := range r.Subjects {
		j.Subjects = append(j.Subjects, jsonSubject{s.String(), s.Name, s.Protocol.String()})
	}
	for _, c := range r.Cases {
		file, line := place(c)
		j.Cases = append(j.Cases, jsonCase{c.Name, c.Group(), c.Claim, c.Verdict, c.Issues, c.Source, file, line})
	}
	for _, res := range r.Results {
		jr := jsonResult{Case: res.Case.Name, Subject: res.Subject.String(), State: strings.ToLower(string(res.State)),
			Schedules: res.Schedules, Seconds: seconds(res.Elapsed), Reason: res.Reason, Report: res.Report, Script: res.Script}
		if q := res.Quirk; q != nil {
			jr.Quirk = &jsonQuirk{q.Reason, q.Issue, q.Breaks, q.Versions.String()}
		}
		if res.Report != "" {
			jr.File, jr.Line = res.place()
		}
		j.Results = append(j.Results, jr)
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "\t")
	return e.Encode(j)
}

// seconds is d, to the millisecond.
func seconds(d time.Duration) float64 {
	return float64(d.Round(time.Millisecond).Milliseconds()) / 1000
}

// place returns the file and line of a case: of its body, or of its script.
func place(c Case) (file string, line int) {
	if c.Script != nil {
		return c.Script.File, 1
	}
	body := reflect.ValueOf(c.Body)
	if c.ClientBody != nil {
		body = reflect.ValueOf(c.ClientBody)
	}
	if body.IsNil() {
		return "", 0
	}
	pc := body.Pointer()
	file, line = runtime.FuncForPC(pc).FileLine(pc)
	return relative(file), line
}

// place returns the line of a script that fails, or the place of the case.
func (r Result) place() (file string, line int) {
	file, line = place(r.Case)
	if rest, ok := strings.CutPrefix(r.Where, file+":"); ok {
		if n, err := strconv.Atoi(rest); err == nil {
			line = n
		}
	}
	return file, line
}

// relative returns a file's name from this module's root, or else from the working
// directory, as CI services want it.
func relative(file string) string {
	_, here, _, _ := runtime.Caller(0)
	root := filepath.Dir(filepath.Dir(here)) + "/"
	if rest, ok := strings.CutPrefix(file, root); ok {
		return rest
	}
	wd, err := filepath.Abs(".")
	if err != nil {
		return file
	}
	if rel, err := filepath.Rel(wd, file); err == nil && filepath.IsLocal(rel) {
		return filepath.ToSlash(rel)
	}
	return file
}
