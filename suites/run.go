package suites

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/harness/view"
	"github.com/halfopen/halfopen/suites/internal/cases"
)

// State is the result of a case for a subject, in a word.
type State string

const (
	// Held: the claim was true in every schedule that was tried.
	Held State = "held"
	// Failed: it was not.
	Failed State = "FAILED"
	// Quirky: it was not, and a quirk declares that.
	Quirky State = "quirk"
	// NotApplicable: the case cannot be put to the subject.
	NotApplicable State = "n/a"
	// Undecided: the case did not come to its end, because a goroutine waited for a mutex,
	// and so time stood still. It is no failure.
	Undecided State = "undecided"
)

// Result is a case put to a subject. Nothing is left out silently: there is one
// for each.
type Result struct {
	Case    Case
	Subject Subject
	State   State
	// Reason is why the case is not applicable or undecided, or the quirk.
	Reason string
	// Schedules is how many orders were tried: 1 for a script, 0 for a case that
	// is not applicable.
	Schedules int
	// Report describes the failure, with the shortest script that shows it; that of a
	// quirk too.
	Report string
	// Script is the shortest script that shows it, if there is one.
	Script string
	// Where is the "file:line" of the first thing that failed, if it has one.
	Where string
	// Quirk is the quirk that the subject has of the case, or nil.
	Quirk *Quirk
	// Elapsed is how long it took, in real time, if [Check] ran it.
	Elapsed time.Duration
	// Runs has timelines of it, if they were kept: the run of a script, or of an exploration
	// the first finding, and what held.
	Runs []*view.Run

	failures []string // the first text of each finding, or the texts of the one run
	// inPart is whether a part of the case could not be asked: it may hold then although the
	// quirk is still there.
	inPart *atomic.Bool
}

// Run puts the subject to a case.
func (s Subject) Run(c Case) Result {
	r := Result{Case: c, Subject: s, inPart: new(atomic.Bool)}
	if reason := s.cannotBeAsked(c); reason != "" {
		r.State, r.Reason = NotApplicable, reason
		return r
	}
	if err := checkVersions(s.Quirks, c, s.Protocol); err != nil {
		r.State, r.Report = Failed, err.Error()+"\n"
		return r
	}
	if s.hasPools() {
		oneAtATime.Lock()
		defer oneAtATime.Unlock()
	}
	if s.Protocol == H3 && s.Server == nil {
		r.State, r.Report = Failed, noServer+"\n"
		return r
	}
	quirk, known := quirkOf(s.Quirks, c, s.Protocol)
	if quirk != nil && quirk.Failure != "" {
		c.Bounds.KeepGoing = true
	}
	undecided, err := s.try(c, &r)
	var refused *harness.NotApplicable
	switch {
	case errors.As(err, &refused):
		r.Runs = nil
		r.State, r.Reason, r.Schedules = NotApplicable, refused.Err.Error(), 0
		return r
	case err != nil:
		r.State, r.Report = Failed, err.Error()
		return r
	case undecided != "":
		r.State, r.Reason = Undecided, undecided
	case r.Report == "" && quirk != nil && known && !quirk.Chance && !r.inPart.Load():
		r.State = Failed
		r.Report = fmt.Sprintf("%s: has a quirk (%s), and holds on %s: say until which version it has\n", c.Name, quirk, versionOf(quirk.Versions))
	case r.Report == "":
		r.State = Held
		return r
	case quirk != nil && quirk.hides(r.failures) != "":
		r.State = Failed
		r.Report = fmt.Sprintf("%s: has a quirk (%s), and fails in another way too: %s\n%s", c.Name, quirk, quirk.hides(r.failures), r.Report)
	case quirk != nil:
		r.State, r.Reason = Quirky, quirk.String()
	default:
		r.State = Failed
	}
	r.Quirk = quirk
	return r
}

// noServer refuses a subject of HTTP/3 whose Server is nil.
const noServer = "suites: package harness has no server of HTTP/3: set Subject.Server"

// oneAtATime is held while a case runs whose subject has pools that outlive a bubble.
var oneAtATime sync.Mutex

func (s Subject) hasPools() bool { return s.client != nil && len(s.client.Pools) > 0 }

// cannotBeAsked returns why the case cannot be put to the subject, or "" if it can be tried.
func (s Subject) cannotBeAsked(c Case) string {
	switch forClients := c.ClientBody != nil; {
	case forClients && s.client == nil:
		return "it is about clients"
	case !forClients && s.client != nil:
		return "it is about transports"
	case forClients && !s.client.KnowsAges && (c.ClientSettings.MinIdle > 0 || c.ClientSettings.MaxLifetime > 0):
		return "the subject does not say that it knows these settings: KnowsAges"
	case forClients && !s.client.KnowsServers && (c.Secure || c.ClientSettings.Fallback != ""):
		return "the subject does not say that it knows these settings: KnowsServers"
	case c.Protocols != 0 && c.Protocols&s.Protocol == 0:
		return "it is about " + c.Protocols.String()
	case c.Secure && !forClients && s.Protocol != H3 && !trusts(s.Maker):
		return "it gets no page over https from a server that harness.TrustedRoots vouches for"
	case c.Hooks && !s.callsHooks():
		return "it calls no hooks of package httptrace"
	}
	return s.refuses(c.Knows)
}

// refuses returns why the maker refuses settings, or "" if it knows them.
func (s Subject) refuses(settings harness.Settings) (reason string) {
	if settings == (harness.Settings{}) {
		return ""
	}
	harness.TestReport("settings", func(t *harness.T) {
		if _, err := s.Maker(t, settings); err != nil {
			reason = err.Error()
		}
	})
	return reason
}

// try runs the case, or explores it, and returns why it is undecided, if it is. The error is
// a [*harness.NotApplicable] if the case cannot be asked of the subject.
func (s Subject) try(c Case, r *Result) (undecided string, err error) {
	r.Schedules = 1
	if c.Script != nil {
		rep, err := c.Script.TestReport(s.Maker)
		if err != nil {
			return "", err
		}
		return r.take(rep), nil
	}
	body := func(t *harness.T) { s.ask(t, c, r.inPart) }
	if c.Bounds.Schedules == 0 {
		rep := harness.TestReport(c.Name, body)
		return r.take(rep), rep.NotApplicable()
	}
	bounds := c.Bounds
	bounds.Shard = harness.Shard{Total: 1} // a part of it could miss what a quirk is about
	if s.client != nil && (s.client.Randomized || s.client.Lots) {
		bounds.Strategy = "random"
	}
	if s.hasPools() {
		bounds.Parallel = 1
	}
	if s.client != nil && raceEnabled && slices.Contains(atOnce, c.Group()) {
		bounds.Coincidences = max(bounds.Coincidences, 1)
	}
	if s.Protocol == H2 {
		bounds.Schedules = max(1, bounds.Schedules/4) // handshakes take their time
	}
	x, err := harness.ExploreReport(c.Name, bounds, nil, body)
	if err == nil && slices.ContainsFunc(x.Findings, uncontrolled) {
		// Chance inside a step, which -race shuffles, is no failure of the
		// transport: it must not hide one either.
		bounds.KeepGoing = true
		r.Reason = "the order of some things is chance: uncontrolled"
		if x, err = harness.ExploreReport(c.Name, bounds, nil, body); err == nil {
			x.Findings = slices.DeleteFunc(x.Findings, uncontrolled)
		}
	}
	if err != nil {
		return "", err
	}
	r.Schedules = x.Schedules
	if page := x.Timeline(); page != nil {
		r.keep(page.Runs...)
	}
	if len(x.Findings) > 0 {
		first := x.Findings[0]
		r.Report, r.Script = x.String(), first.Script
		for _, f := range x.Findings {
			r.failures = append(r.failures, f.Report.Failures[0].Text)
		}
		r.Where = first.Report.Failures[0].Where
	} else if len(x.Undecided) > 0 {
		r.Report, undecided = x.String(), reasonOf(x.Undecided[0].Report)
	}
	return undecided, nil
}

// atOnce has the groups of cases for clients in which, under the race detector, an answer may come in
// the same instant as a cancellation, or as what another connection brings. One event at a time, with quiet
// after each, orders all that the code under test does with them: the detector sees no race then.
var atOnce = []Group{"limit", "broken", "close", "leak", "talk"}

// ask runs the body of the case, and notes in inPart whether some of it cannot be asked.
func (s Subject) ask(t *harness.T, c Case, inPart *atomic.Bool) {
	if s.client != nil {
		c.ClientBody(s.client.begin(t, c))
		return
	}
	c.Body(&Env{T: t, Transport: s.Maker.Make(t, c.Settings), Protocol: s.Protocol, Server: s.Server, InPart: func() { inPart.Store(true) }})
}

// take keeps what a run came to, and returns why it is undecided, if it is.
func (r *Result) take(rep *harness.Report) (undecided string) {
	r.keep(rep.Timeline())
	if len(rep.Failures) == 0 {
		return ""
	}
	r.Report, r.Where = rep.String(), rep.Failures[0].Where
	for _, f := range rep.Failures {
		r.failures = append(r.failures, f.Text)
	}
	if rep.Undecided() {
		return reasonOf(rep)
	}
	return ""
}

// reasonOf is, in a line, why a report is undecided: the goroutines that wait are
// what differs from one to the other.
func reasonOf(rep *harness.Report) string {
	f := rep.Failures[0]
	return strings.TrimPrefix(f.Text, "undecided: ") + ": " + strings.Join(f.Detail, "; ")
}

// uncontrolled reports whether a schedule came out otherwise when it was run
// again.
func uncontrolled(f *harness.Finding) bool {
	return len(f.Report.Failures) > 0 && f.Report.Failures[0].Kind == "uncontrolled"
}

// trusts reports whether the maker's transports can be asked for pages over https: not if
// they know nothing of TLS, or do not trust the authority of the harness. One that gets no
// page for another reason can be asked, and the cases show what is wrong with it.
func trusts(maker harness.Maker) (asked bool) {
	harness.TestReport("trusts", func(t *harness.T) {
		rt, err := maker(t, harness.Settings{})
		if err != nil {
			return
		}
		t.ServeTLSAs("api.test:443")
		r := t.Get("r1", rt, "https://api.test/")
		if r.Response() != nil {
			asked = true
			r.Finish()
			return
		}
		err = r.Err()
		asked = err == nil || t.Net.Opened() > 0 && !distrust.MatchString(err.Error())
	})
	return asked
}

// callsHooks reports whether the subject's transports call hooks of package httptrace.
func (s Subject) callsHooks() (calls bool) {
	harness.TestReport("hooks", func(t *harness.T) {
		if rt, err := s.Maker(t, harness.Settings{}); err == nil {
			calls = cases.CallsHooks(&Env{T: t, Transport: rt, Protocol: s.Protocol, Server: s.Server})
		}
	})
	return calls
}

// distrust matches the errors of a transport that does not know the authority of the
// harness, or that speaks no TLS to a server that does.
var distrust = regexp.MustCompile(`(?i)x509|certificate|authority|malformed HTTP|HTTP response to HTTPS`)
