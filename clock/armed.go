package clock

import (
	"path"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// Kind is a kind of call on a clock, or a set of them: KindReset|KindStop.
type Kind uint16

// The calls on a [Clock] and on the timers it makes. What a call armed is of
// the kind of that call.
const (
	KindNow Kind = 1 << iota
	KindSince
	KindUntil
	KindSleep
	KindAfter
	KindAfterFunc
	KindNewTimer
	KindNewTicker
	KindReset // of a Timer or a Ticker
	KindStop  // of a Timer or a Ticker

	KindAll Kind = 1<<iota - 1
)

var kindNames = [...]string{
	"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "NewTimer", "NewTicker", "Reset", "Stop",
}

// String is the names of the calls, with bars between: Reset|Stop.
func (k Kind) String() string {
	var names []string
	for i, name := range kindNames {
		if k&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, "|")
}

// Armed is one timer that a [Virtual] will fire, or has just fired.
type Armed struct {
	Kind   Kind          // the call that made it
	Label  string        // of the view it was made on, or empty: see Virtual.Label
	Due    time.Time     // when it fires
	Period time.Duration // of a ticker, else zero

	by *stack
}

// Caller is the place that made the timer, such as pool/idle.go:88, or empty
// if the clock records no Callers. Frames inside this package do not count.
func (a Armed) Caller() string { return a.by.caller() }

// String is one line: when it is due, of what kind it is, and all that is
// known about who made it.
func (a Armed) String() string {
	parts := []string{a.Due.Format(time.RFC3339Nano), a.Kind.String()}
	if a.Period > 0 {
		parts = append(parts, "every "+a.Period.String())
	}
	return strings.Join(whose(parts, a.Label, a.by), " ")
}

// whose appends to parts a label and a place, where there are any.
func whose(parts []string, label string, by *stack) []string {
	if label != "" {
		parts = append(parts, label)
	}
	if at := by.caller(); at != "" {
		parts = append(parts, at)
	}
	return parts
}

// describe tells of each event in list. The mutex is held.
func (v *Virtual) describe(list []*event) []Armed {
	out := make([]Armed, len(list))
	for i, ev := range list {
		out[i] = v.armed(ev)
	}
	return out
}

// armed tells of one event that is armed. The mutex is held.
func (v *Virtual) armed(ev *event) Armed {
	a := Armed{Kind: ev.kind, Label: ev.on.label, Due: v.at(ev.when), by: ev.on.by}
	if t, ok := ev.to.(*ticks); ok {
		a.Period = t.period
	}
	return a
}

// stack is the top of a call stack, resolved only when somebody asks. It is
// deep enough to leave this package: a context's timer is three calls down.
type stack [6]uintptr

// pkg begins the name of each function of this package.
const pkg = "github.com/halfopen/halfopen/clock."

// callStack is the stack of whoever called the function that calls it.
func callStack() *stack {
	s := new(stack)
	runtime.Callers(3, s[:])
	return s
}

// caller is the first place in s outside this package, or empty. It is told
// by folder and file, so that it reads the same on every machine.
func (s *stack) caller() string {
	if s == nil {
		return ""
	}
	n := 0
	for n < len(s) && s[n] != 0 {
		n++
	}
	if n == 0 {
		return ""
	}
	for frames := runtime.CallersFrames(s[:n]); ; {
		f, more := frames.Next()
		if !strings.HasPrefix(f.Function, pkg) {
			folder, file := path.Split(f.File)
			return path.Join(path.Base(folder), file) + ":" + strconv.Itoa(f.Line)
		}
		if !more {
			return ""
		}
	}
}
