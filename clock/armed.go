package clock

import (
	"path"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// Kind names a kind of call on a clock, or a set of kinds: KindReset|KindStop.
type Kind uint16

// The calls on a [Clock] and on the timers it makes. A timer has the kind of
// the call that made it.
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

// String returns the names of the calls, with bars between them: Reset|Stop.
func (k Kind) String() string {
	var names []string
	for i, name := range kindNames {
		if k&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, "|")
}

// ArmedTimer describes one timer that a [Virtual] will fire, or has just fired.
type ArmedTimer struct {
	Kind   Kind          // the call that made it
	Label  string        // the label of the clock it was made on, or empty: see Virtual.Label
	Due    time.Time     // when it fires
	Period time.Duration // the period of a ticker, else zero

	by *stack
}

// Caller returns the place in the code that made the timer, such as
// pool/idle.go:88, or "" if the clock records no Callers. Places inside this
// package do not count.
func (a ArmedTimer) Caller() string { return a.by.caller() }

// String returns one line: when the timer is due, its kind, and its label and
// the place that made it, where they are known.
func (a ArmedTimer) String() string {
	parts := []string{a.Due.Format(time.RFC3339Nano), a.Kind.String()}
	if a.Period > 0 {
		parts = append(parts, "every "+a.Period.String())
	}
	return strings.Join(appendOrigin(parts, a.Label, a.by), " ")
}

// whose appends to parts a label and a place, where there are any.
func appendOrigin(parts []string, label string, by *stack) []string {
	if label != "" {
		parts = append(parts, label)
	}
	if at := by.caller(); at != "" {
		parts = append(parts, at)
	}
	return parts
}

// describe returns a description of each event in list. The mutex is held.
func (v *Virtual) describe(list []*event) []ArmedTimer {
	out := make([]ArmedTimer, len(list))
	for i, ev := range list {
		out[i] = v.armedTimer(ev)
	}
	return out
}

// armedTimer returns a description of one armed event. The mutex is held.
func (v *Virtual) armedTimer(ev *event) ArmedTimer {
	a := ArmedTimer{Kind: ev.kind, Label: ev.view.label, Due: v.at(ev.when), by: ev.view.by}
	if t, ok := ev.target.(*tickerTarget); ok {
		a.Period = t.period
	}
	return a
}

// stack holds the top of a call stack. Its files and lines are looked up only
// when they are asked for. It is deep enough to leave this package: the timer
// of a context is made three calls below the function of the package that
// the user called.
type stack [6]uintptr

// pkg begins the name of each function of this package.
const pkg = "github.com/halfopen/halfopen/clock."

// callStack returns the stack above the function that calls it.
func callStack() *stack {
	s := new(stack)
	runtime.Callers(3, s[:])
	return s
}

// caller returns the first place in s outside this package, or "". The place
// is a folder, a file and a line, so that it reads the same on every machine.
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
