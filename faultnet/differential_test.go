//go:build linux

package faultnet_test

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/halfopen/halfopen/faultnet"
)

// The proof that faultnet behaves as Linux TCP does: one list of cases, each
// run on faultnet and on the kernel's loopback, must give the same transcript.
//
// A case is a claim and a script: steps with semicolons between, each a call
// and the end that makes it. A transcript has, for each step, what the call returned
// (and which earlier calls, blocked until now, returned at this step), and
// then the TCP state and the unread bytes of each end that is open.
//
// The run on faultnet comes first. It is in a bubble, where synctest.Wait
// tells which calls are blocked. The run on the kernel waits at each step for
// the calls that returned there, and for the same states and bytes, with the
// kernel's own notifications and never by the clock: what it waits for in vain
// is a difference.
//
// No test can see when a call is blocked in the kernel. So a case must come out
// the same whether a call that will be blocked has begun or not, before the
// step that ends it.
type differential struct {
	claim, script string
	differs       string            // why the two differ by nature, or ""
	late          string            // of those: the step that returns on the kernel with the last one
	either        map[string]string // what the kernel may return instead, by call, where two calls wake together
}

func differentials() []differential {
	return slices.Concat(connectionCases, endingCases, deadlineCases, listenerCases, pairCases, addressCases, optionCases)
}

func TestDifferential(t *testing.T) {
	for _, c := range differentials() {
		t.Run(c.claim, func(t *testing.T) {
			ours := runOnFaultnet(t, parseScript(t, c.script), false)
			theirs := runOnKernel(t, ours, c)
			switch {
			case c.differs != "":
				last := theirs[len(theirs)-1].String()
				if !strings.Contains(last, c.late+": ") {
					t.Errorf("listed as a difference, but %q does not wait for the last step:\n%s", c.late, transcript(theirs))
				}
			case !slices.EqualFunc(ours, theirs, c.allows):
				reportDifference(t, c, ours, theirs)
			}
		})
	}
}

// A difference must be rare, and each claim its own.
func TestDifferentialList(t *testing.T) {
	seen := make(map[string]bool)
	listed := 0
	for _, c := range differentials() {
		if seen[c.claim] || seen[c.script] {
			t.Errorf("twice in the list: %s (%s)", c.claim, c.script)
		}
		seen[c.claim], seen[c.script] = true, true
		if c.differs != "" {
			listed++
		}
	}
	if n := len(differentials()); n < 230 || listed > 5 {
		t.Errorf("got %d cases with %d listed differences, want at least 230 and at most 5", n, listed)
	}
}

// allows reports whether the kernel's entry is ours, or the one that the case lists
// for two calls that wake together.
func (c differential) allows(ours, theirs entry) bool {
	if ours.String() == theirs.String() {
		return true
	}
	if len(ours.returns) != len(theirs.returns) || !maps.Equal(ours.looks, theirs.looks) {
		return false
	}
	for i, r := range theirs.returns {
		call, result, _ := strings.Cut(r, ": ")
		other, listed := c.either[call]
		if !listed && r != ours.returns[i] || !strings.Contains(result, other) {
			return false
		}
	}
	return true
}

// entry is one step of a transcript.
type entry struct {
	step    step
	returns []string          // what returned at this step: "call: result"
	done    []int             // the steps whose calls those are
	looks   map[string]string // of each open end
}

func (e entry) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "  %s\n", e.step)
	for _, r := range e.returns {
		fmt.Fprintf(&b, "    %s\n", r)
	}
	if len(e.returns) == 0 {
		fmt.Fprintf(&b, "    (blocked)\n")
	}
	for _, who := range slices.Sorted(maps.Keys(e.looks)) {
		fmt.Fprintf(&b, "    [%s %s]\n", who, e.looks[who])
	}
	return b.String()
}

func transcript(entries []entry) string {
	var b strings.Builder
	for _, e := range entries {
		b.WriteString(e.String())
	}
	return b.String()
}

// reportDifference prints the first step at which the two differ.
func reportDifference(t *testing.T, c differential, ours, theirs []entry) {
	t.Helper()
	for i := range theirs {
		if !c.allows(ours[i], theirs[i]) {
			t.Errorf("step %d of %q\nfaultnet:\n%skernel:\n%s", i+1, c.script, ours[i], theirs[i])
			return
		}
	}
	t.Errorf("%q: faultnet took %d steps, the kernel %d", c.script, len(ours), len(theirs))
}

// patience is how long the kernel may take for what must come. It is never
// waited for in a run that passes, nor is anything measured.
const patience = 10 * time.Second

// runOnFaultnet runs the steps in a bubble. After each one everything is
// blocked that will be. With turns it leaves out a read while another one of
// that end is blocked, as no rule says which of them is first.
func runOnFaultnet(t *testing.T, steps []step, turns bool) (entries []entry) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := &memory{new(faultnet.Net)}
		p := newScriptRun(t, n)
		var calls []*call
		for _, st := range steps {
			if turns && slices.ContainsFunc(calls, func(c *call) bool {
				return c != nil && st.verb == "read" && c.step.verb == "read" && c.step.who == st.who
			}) {
				continue
			}
			if st.verb == "pass" {
				time.Sleep(time.Second) // virtual: deadlines that are soon pass
				calls = append(calls, nil)
			} else {
				calls = append(calls, p.start(st))
			}
			synctest.Wait()
			e := entry{step: st}
			p.collect(&e, calls, nil)
			e.looks = p.looks(func(c tcpEnd) string {
				conn := c.(*faultnet.Conn)
				return describeLook(conn.State(), conn.Unread())
			})
			entries = append(entries, e)
		}
		p.cleanup()
		n.Close()
	})
	return entries
}

// memory is a faultnet.
type memory struct{ *faultnet.Net }

func (m *memory) unused() string { return "127.0.0.1:4711" }

func (m *memory) deaf() string {
	m.Hold("dial")
	return m.unused()
}

// describeLook describes an end.
func describeLook(state string, unread int) string {
	if unread >= 1<<12 {
		return state + ", much unread" // how much depends on the sizes of buffers
	}
	return fmt.Sprintf("%s, %d unread", state, unread)
}

// runOnKernel runs the steps over loopback. At each one it waits for what ours
// has there, but for the call of the step that is late.
func runOnKernel(t *testing.T, ours []entry, c differential) (entries []entry) {
	t.Helper()
	k := newKernel(t)
	defer k.close()
	p := newScriptRun(t, k)
	defer p.cleanup()
	if c.late != "" {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // for the sake of Gosched
	}
	calls := make([]*call, len(ours))
	timed := timedCalls(ours)
	for i := range ours {
		e := entry{step: ours[i].step}
		if e.step.verb != "pass" {
			calls[i] = p.start(e.step)
		}
		for j, call := range calls {
			if call == nil {
				continue
			}
			if isLate := call.step.String() == c.late; isLate && i == len(ours)-1 ||
				!isLate && slices.Contains(ours[i].done, j) {
				call.wait()
			}
		}
		if c.late != "" {
			runtime.Gosched() // to the late call, which may return early
		}
		if e.step.verb == "pass" {
			timed = nil
		}
		p.collect(&e, calls, timed)
		e.looks = p.looks(k.look)
		k.settle(p, ours[i].looks, e.looks)
		entries = append(entries, e)
		if c.late == "" && !c.allows(ours[i], e) {
			break // what follows would be waited for in vain
		}
	}
	return entries
}

// timedCalls returns the steps whose calls a deadline ends, as time passes. In the
// kernel time passes whenever it likes, and on a busy machine before the step
// that waits for it. So these calls are not looked at before that.
func timedCalls(ours []entry) []int {
	for _, e := range ours {
		if e.step.verb == "pass" {
			return e.done
		}
	}
	return nil
}
