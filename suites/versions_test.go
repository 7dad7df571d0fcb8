package suites

import (
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/harness"
)

// The version of Go is what runtime.Version says, without what stands around it.
func TestGoVersion(t *testing.T) {
	for said, want := range map[string]string{
		"go1.26.8":                             "go1.26.8",
		"go1.27":                               "go1.27",
		"go1.28rc1":                            "go1.28rc1",
		"go1.27.3 X:greenteagc":                "go1.27.3",
		"go1.27.3-custom":                      "go1.27.3",
		"devel go1.28-5d3a6f1 Mon Nov 23 2026": "go1.28",
		"go1.28-devel_9834516e20 Sat Sep 12":   "go1.28",
		"devel +5d3a6f1 Mon Nov 23 2015":       "",
		"":                                     "",
	} {
		if got := goVersion(said); got != want {
			t.Errorf("goVersion(%q): got %q, want %q", said, got, want)
		}
	}
	if got := versionOf(Versions{}); got == "" || got != goVersion(runtime.Version()) {
		t.Errorf("got version %q of a program that %s has built", got, runtime.Version())
	}
}

// A range begins with its first version and ends before its last. A version of a module
// that this program is not made of is in no range, and that is not known.
func TestVersions(t *testing.T) {
	here := goVersion(runtime.Version())
	for _, c := range []struct {
		versions  Versions
		words     string
		in, known bool
	}{
		{Versions{}, "", true, true},
		{Versions{From: "go1.26"}, "since go1.26", true, true},
		{Versions{From: here}, "since " + here, true, true},
		{Versions{Until: here}, "until " + here, false, true},
		{Versions{From: "go1.1", Until: "go1.2"}, "go1.1 until go1.2", false, true},
		{Versions{From: "go1.26", Until: "go9.0"}, "go1.26 until go9.0", true, true},
		{Versions{From: "go9.0"}, "since go9.0", false, true},
		{Versions{Module: "example.com/none", From: "v1.0.0"}, "example.com/none since v1.0.0", false, false},
		{Versions{Module: "example.com/none"}, "example.com/none", false, false},
	} {
		if got := c.versions.String(); got != c.words {
			t.Errorf("%+v: got %q, want %q", c.versions, got, c.words)
		}
		if in, known := c.versions.contains(); in != c.in || known != c.known {
			t.Errorf("%+v: got in range %v and known %v on %s, want %v and %v", c.versions, in, known, here, c.in, c.known)
		}
		if err := c.versions.check(); err != nil {
			t.Errorf("%+v: got %v", c.versions, err)
		}
	}
}

// What is no version is refused, by its name, wherever quirks are taken: a range with such
// an end would hold all versions, or none.
func TestBadVersions(t *testing.T) {
	c := failingCase
	for _, b := range []struct {
		versions Versions
		want     string
	}{
		{Versions{From: "1.27"}, `got version "1.27", want one of Go: go1.27 or go1.27.2`},
		{Versions{From: "go1.26", Until: "1.27"}, `got version "1.27", want one of Go: go1.27 or go1.27.2`},
		{Versions{Until: "go1.27.x"}, `got version "go1.27.x", want one of Go: go1.27 or go1.27.2`},
		{Versions{From: "v1.2.3"}, `got version "v1.2.3", want one of Go: go1.27 or go1.27.2`},
		{Versions{Module: "example.com/m", From: "1.2.3"}, `got version "1.2.3", want one of a module: v1.2.3`},
		{Versions{Module: "example.com/m", Until: "go1.27"}, `got version "go1.27", want one of a module: v1.2.3`},
	} {
		want := "suites: quirk for " + c.Name + ": " + b.want
		quirks := []Quirk{{Case: c.Name, Reason: "none", Versions: b.versions}}
		if err := CheckQuirks([]Case{c}, quirks); err == nil || err.Error() != want {
			t.Errorf("%+v: got %v, want %s", b.versions, err, want)
		}
		r := Subject{Protocol: HTTP1, Maker: harness.NetHTTP, Quirks: quirks}.Run(c)
		if r.State != Failed || r.Report != want+"\n" {
			t.Errorf("%+v: got %s %q, want it failed with %s", b.versions, r.State, r.Report, want)
		}
		other := quirks[0]
		other.Case = "h2/" + c.Name
		if r := (Subject{Protocol: HTTP1, Maker: harness.NetHTTP, Quirks: []Quirk{other}}).Run(c); r.Report == want+"\n" {
			t.Errorf("%+v: got the quirk of another protocol refused", b.versions)
		}
	}
}

var (
	failingCase = Case{Name: "case", Claim: "It fails.", Body: func(e *Env) { e.Error("it does") }}
	holdingCase = Case{Name: "case", Claim: "It holds.", Body: func(e *Env) {}}
	refusedCase = Case{Name: "case", Claim: "It cannot be asked.", Body: func(e *Env) { e.NotApplicable("no") }}
)

// In its versions a case with a quirk must fail, and outside of them it must hold. Where
// the version is not known it may do either.
func TestQuirksOfVersions(t *testing.T) {
	here := goVersion(runtime.Version())
	past := Quirk{Case: "case", Reason: "past", Versions: Versions{From: "go1.1", Until: "go1.2"}}
	future := Quirk{Case: "case", Reason: "future", Versions: Versions{From: "go9.0"}}
	now := Quirk{Case: "case", Reason: "now", Versions: Versions{From: here, Until: "go9.0"}}
	unknown := Quirk{Case: "case", Reason: "unknown", Versions: Versions{Module: "example.com/none", From: "v1.0.0"}}
	other := Quirk{Case: "h2/case", Reason: "of another protocol"}
	const holds = "case: has a quirk (now ("
	for _, c := range []struct {
		c      Case
		quirks []Quirk
		want   State
		reason string
	}{
		{failingCase, nil, Failed, ""},
		{failingCase, []Quirk{past}, Failed, ""},
		{failingCase, []Quirk{future}, Failed, ""},
		{failingCase, []Quirk{past, future, other}, Failed, ""},
		{failingCase, []Quirk{now}, Quirky, "now"},
		{failingCase, []Quirk{past, future, now}, Quirky, "now"},
		{failingCase, []Quirk{unknown}, Quirky, "unknown"},
		{holdingCase, nil, Held, ""},
		{holdingCase, []Quirk{past}, Held, ""},
		{holdingCase, []Quirk{future}, Held, ""},
		{holdingCase, []Quirk{unknown}, Held, ""},
		{holdingCase, []Quirk{other}, Held, ""},
		{holdingCase, []Quirk{now}, Failed, "now"},
		{holdingCase, []Quirk{past, now}, Failed, "now"},
		{refusedCase, []Quirk{now}, NotApplicable, "no"},
	} {
		r := Subject{Protocol: HTTP1, Maker: harness.NetHTTP, Quirks: c.quirks}.Run(c.c)
		if r.State != c.want {
			t.Errorf("%s With the quirks %v: got %s %s, want %s\n%s", c.c.Claim, c.quirks, r.State, r.Reason, c.want, r.Report)
		}
		switch {
		case c.want == Failed && c.reason == "now":
			if !strings.HasPrefix(r.Report, holds) || !strings.Contains(r.Report, "and holds on "+here+": say until which version it has") || r.Quirk == nil {
				t.Errorf("got %q for a quirk that is none any more", r.Report)
			}
		case c.want == Quirky:
			if r.Quirk == nil || r.Quirk.Reason != c.reason {
				t.Errorf("%v: got the quirk %v, want that which is %s", c.quirks, r.Quirk, c.reason)
			}
		case r.Quirk != nil:
			t.Errorf("%v: got the quirk %v of a case that is %s", c.quirks, r.Quirk, r.State)
		}
	}
}

// Each quirk of net/http says since which version it is known, what it breaks and where,
// and that from there to its end there is a version.
func TestNetHTTPQuirks(t *testing.T) {
	if err := CheckQuirks(Cases(), NetHTTPQuirks); err != nil {
		t.Error(err)
	}
	for _, q := range NetHTTPQuirks {
		if err := complete(q); err != nil {
			t.Errorf("%s: %v", q.Case, err)
		}
	}
	for _, q := range []Quirk{
		{Reason: "r", Breaks: "b"},
		{Reason: "r", Breaks: "b", Versions: Versions{Until: "go1.27"}},
		{Reason: "r", Versions: since126},
		{Breaks: "b", Versions: since126},
		{Reason: "r", Breaks: "b", Versions: Versions{From: "go1.27", Until: "go1.27"}},
		{Reason: "r", Breaks: "b", Versions: Versions{Module: "example.com/m", From: "v1.0.0"}},
	} {
		if complete(q) == nil {
			t.Errorf("%+v: got it taken for complete", q)
		}
	}
}

// complete returns what a quirk of the standard library lacks.
func complete(q Quirk) error {
	v := q.Versions
	switch {
	case v.From == "":
		return errors.New("it does not say since which version")
	case v.Module != "":
		return errors.New("it is not of Go")
	case v.Until == v.From:
		return errors.New("there is no version in its range")
	case q.Reason == "" || q.Breaks == "":
		return errors.New("it does not say what happens, and what that breaks")
	}
	return nil
}
