package suites

import (
	"strings"
	"testing"

	"github.com/halfopen/halfopen/harness"
)

// A quirk that says which failure it is about hides no other: not of the same run, and not one
// that a later schedule has. Without it the case ends with its first finding, as it did.
func TestQuirkFailure(t *testing.T) {
	both := Case{Name: "case", Claim: "It fails twice.", Body: func(e *Env) {
		e.Error("the known one")
		e.Error("another one")
	}}
	later := Case{Name: "case", Claim: "It fails in another way later.", Bounds: harness.Bounds{Schedules: 20}, Body: func(e *Env) {
		broken := false
		e.MayCall("break", func() { broken = true })
		e.Serve(nil)
		e.Get("r1", "/")
		e.Rest()
		if broken {
			e.Error("another one")
			return
		}
		e.Error("the known one")
	}}
	for _, row := range []struct {
		c       Case
		failure string
		want    State
	}{
		{both, "", Quirky},
		{both, "known", Failed},
		{both, " one", Quirky},
		{later, "", Quirky},
		{later, "known", Failed},
		{later, " one", Quirky},
	} {
		q := Quirk{Case: "case", Reason: "a reason", Failure: row.failure}
		r := Subject{Protocol: HTTP1, Maker: harness.NetHTTP, Quirks: []Quirk{q}}.Run(row.c)
		if r.State != row.want {
			t.Errorf("%s %q: got %s, want %s\n%s", row.c.Claim, row.failure, r.State, row.want, r.Report)
		}
		if want := "case: has a quirk (a reason), and fails in another way too: another one\n"; r.State == Failed && !strings.HasPrefix(r.Report, want) {
			t.Errorf("got %s\nwant it to begin with %s", r.Report, want)
		}
	}
}
