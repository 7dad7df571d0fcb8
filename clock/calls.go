package clock

import "time"

// Now returns the instant at which the clock stands.
func (v *Virtual) Now() time.Time {
	if v.traps.Load() != nil {
		return v.unlabelled().nowAs(KindNow)
	}
	return v.at(v.now.Load())
}

// Since returns how far the clock has moved since t.
func (v *Virtual) Since(t time.Time) time.Duration { return v.unlabelled().Since(t) }

// Until returns how far the clock has to move to reach t.
func (v *Virtual) Until(t time.Time) time.Duration { return v.unlabelled().Until(t) }

// Sleep blocks until the clock has moved by d.
func (v *Virtual) Sleep(d time.Duration) { v.unlabelled().Sleep(d) }

// After returns NewTimer(d).C.
func (v *Virtual) After(d time.Duration) <-chan time.Time { return v.unlabelled().After(d) }

// AfterFunc runs f in a goroutine of its own when the clock has moved by d.
// The clock stands still until f returns: see [Virtual].
func (v *Virtual) AfterFunc(d time.Duration, f func()) *Timer { return v.unlabelled().AfterFunc(d, f) }

// NewTimer returns a timer that sends the time on its channel when the clock
// has moved by d.
func (v *Virtual) NewTimer(d time.Duration) *Timer { return v.unlabelled().NewTimer(d) }

// NewTicker returns a ticker that sends the time on its channel each time the
// clock has moved by d. It panics if d is not positive.
func (v *Virtual) NewTicker(d time.Duration) *Ticker { return v.unlabelled().NewTicker(d) }

// Label returns a clock that shows the time of v and marks all calls made on
// it, and all timers made by it, with label. Timers prints the label, and a
// Trap can choose calls by it.
func (v *Virtual) Label(label string) Clock { return &view{v: v, label: label} }

// view is a Virtual with a label.
type view struct {
	v     *Virtual
	label string
	by    *stack // what made the one event that has this view to itself, or nil
}

// unlabelled returns the view that has no label.
func (v *Virtual) unlabelled() *view {
	if w := v.noLabel.Load(); w != nil {
		return w
	}
	v.noLabel.CompareAndSwap(nil, &view{v: v})
	return v.noLabel.Load()
}

// withCaller returns the view for an event that is being made: w, or a copy
// that records the call stack, if the clock records Callers.
func (w *view) withCaller() *view {
	if !w.v.Callers {
		return w
	}
	return &view{w.v, w.label, callStack()}
}

func (w *view) Now() time.Time                         { return w.nowAs(KindNow) }
func (w *view) Since(t time.Time) time.Duration        { return w.nowAs(KindSince).Sub(t) }
func (w *view) Until(t time.Time) time.Duration        { return t.Sub(w.nowAs(KindUntil)) }
func (w *view) After(d time.Duration) <-chan time.Time { return w.newTimer(KindAfter, d).C }
func (w *view) NewTimer(d time.Duration) *Timer        { return w.newTimer(KindNewTimer, d) }

// nowAs returns the current time for a call of this kind, which a trap may hold.
func (w *view) nowAs(kind Kind) time.Time {
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
	ev := &event{view: w.withCaller(), kind: KindSleep, target: c}
	v.mu.Lock()
	if v.running > 0 && onStack("runCallback") {
		// The goroutine that moves the clock waits for this callback. Let it
		// go on now; it waits again from the instant at which this sleep ends.
		ev.target = sleepingCallback(c)
		v.uncountCallback()
	}
	ev.set(d)
	v.mu.Unlock()
	done() // a held Sleep has taken effect once it is armed
	<-c
}

func (w *view) AfterFunc(d time.Duration, f func()) *Timer {
	if f == nil {
		panic("clock: AfterFunc needs a function")
	}
	if w.v.traps.Load() != nil {
		defer w.hold(KindAfterFunc, d)()
	}
	t := newTimer(nil, event{view: w.withCaller(), kind: KindAfterFunc, target: f})
	t.ev.start(d)
	return t
}

func (w *view) newTimer(kind Kind, d time.Duration) *Timer {
	if w.v.traps.Load() != nil {
		defer w.hold(kind, d)()
	}
	c := make(chan time.Time, 1)
	t := newTimer(c, event{view: w.withCaller(), kind: kind, target: c})
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
	t := newTicker(c, event{view: w.withCaller(), kind: KindNewTicker, target: &tickerTarget{c, d}})
	t.ev.start(d)
	return t
}
