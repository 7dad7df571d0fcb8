package clock

import "time"

// Now is the instant the clock stands at.
func (v *Virtual) Now() time.Time {
	if v.traps.Load() != nil {
		return v.plain().tell(KindNow)
	}
	return v.at(v.now.Load())
}

// Since is the time the clock has moved since t.
func (v *Virtual) Since(t time.Time) time.Duration { return v.plain().Since(t) }

// Until is the time the clock has to move to come to t.
func (v *Virtual) Until(t time.Time) time.Duration { return v.plain().Until(t) }

// Sleep blocks until the clock has moved by d.
func (v *Virtual) Sleep(d time.Duration) { v.plain().Sleep(d) }

// After is NewTimer(d).C.
func (v *Virtual) After(d time.Duration) <-chan time.Time { return v.plain().After(d) }

// AfterFunc runs f in a goroutine of its own when the clock has moved by d.
// The clock stands until f returns: see [Virtual].
func (v *Virtual) AfterFunc(d time.Duration, f func()) *Timer { return v.plain().AfterFunc(d, f) }

// NewTimer sends the time on its channel when the clock has moved by d.
func (v *Virtual) NewTimer(d time.Duration) *Timer { return v.plain().NewTimer(d) }

// NewTicker sends the time on its channel each time the clock has moved by
// d. It panics if d is not positive.
func (v *Virtual) NewTicker(d time.Duration) *Ticker { return v.plain().NewTicker(d) }

// Label is this clock under a name: what is called on it, and what it arms,
// carries label, for Timers to tell and for traps to choose by. Both tell the
// same time.
func (v *Virtual) Label(label string) Clock { return &view{v: v, label: label} }

// view is a Virtual under a name.
type view struct {
	v     *Virtual
	label string
	by    *stack // who made the event that has a view of its own, or nil
}

// plain is the view without a name.
func (v *Virtual) plain() *view {
	if w := v.nameless.Load(); w != nil {
		return w
	}
	v.nameless.CompareAndSwap(nil, &view{v: v})
	return v.nameless.Load()
}

// from is w for an event that is being made, with the caller if asked for.
func (w *view) from() *view {
	if !w.v.Callers {
		return w
	}
	return &view{w.v, w.label, callStack()}
}

func (w *view) Now() time.Time                         { return w.tell(KindNow) }
func (w *view) Since(t time.Time) time.Duration        { return w.tell(KindSince).Sub(t) }
func (w *view) Until(t time.Time) time.Duration        { return t.Sub(w.tell(KindUntil)) }
func (w *view) After(d time.Duration) <-chan time.Time { return w.newTimer(KindAfter, d).C }
func (w *view) NewTimer(d time.Duration) *Timer        { return w.newTimer(KindNewTimer, d) }

func (w *view) tell(kind Kind) time.Time {
	if w.v.traps.Load() != nil {
		defer w.hold(kind, 0)()
	}
	return w.v.at(w.v.now.Load())
}

func (w *view) Sleep(d time.Duration) {
	done := func() {}
	if w.v.traps.Load() != nil {
		done = w.hold(KindSleep, d)
	}
	if d <= 0 {
		done()
		return
	}
	v := w.v
	c := make(chan time.Time, 1)
	ev := &event{on: w.from(), kind: KindSleep, to: c}
	v.mu.Lock()
	if v.running > 0 && onStack("run") {
		// Who moves the clock waits for this callback: let them go on, and
		// wait again from the instant this sleep ends.
		ev.to = dozing(c)
		v.rest()
	}
	ev.set(d)
	v.mu.Unlock()
	done() // a sleeper has been let go once it is armed
	<-c
}

func (w *view) AfterFunc(d time.Duration, f func()) *Timer {
	if f == nil {
		panic("clock: AfterFunc needs a function")
	}
	if w.v.traps.Load() != nil {
		defer w.hold(KindAfterFunc, d)()
	}
	t := newTimer(nil, event{on: w.from(), kind: KindAfterFunc, to: f})
	t.ev.start(d)
	return t
}

func (w *view) newTimer(kind Kind, d time.Duration) *Timer {
	if w.v.traps.Load() != nil {
		defer w.hold(kind, d)()
	}
	c := make(chan time.Time, 1)
	t := newTimer(c, event{on: w.from(), kind: kind, to: c})
	t.ev.start(d)
	return t
}

func (w *view) NewTicker(d time.Duration) *Ticker {
	if d <= 0 {
		panic("clock: NewTicker needs a positive period")
	}
	if w.v.traps.Load() != nil {
		defer w.hold(KindNewTicker, d)()
	}
	c := make(chan time.Time, 1)
	t := newTicker(c, event{on: w.from(), kind: KindNewTicker, to: &ticks{c, d}})
	t.ev.start(d)
	return t
}
