package clock

import "time"

// Timer is one event in the future of a [Clock], as a [time.Timer] is one in
// the future of package time. Its zero value is not usable: a Clock makes
// Timers.
type Timer struct {
	// C receives the time at which the timer fired. It is nil for a timer of
	// AfterFunc.
	C <-chan time.Time

	ev *event
}

// Stop keeps the timer from firing and reports whether that had an effect.
// It returns false if the timer was stopped before, if its value was received,
// or if its function was started. After Stop returns nothing is received from
// C.
//
// It panics if no Clock made the timer.
func (t *Timer) Stop() bool {
	if t.ev == nil {
		panic("clock: Stop of a Timer that no Clock made")
	}
	if std, ok := t.ev.target.(*time.Timer); ok {
		return std.Stop()
	}
	return t.ev.stop()
}

// Reset arms the timer to fire after d and returns what Stop would have
// returned. After Reset returns, no value of the earlier setting is received
// from C. Reset does not wait for a function that has been started.
//
// It panics if no Clock made the timer.
func (t *Timer) Reset(d time.Duration) bool {
	if t.ev == nil {
		panic("clock: Reset of a Timer that no Clock made")
	}
	if std, ok := t.ev.target.(*time.Timer); ok {
		return std.Reset(d)
	}
	return t.ev.reset(d)
}

// Ticker sends the time on C once each period. Its zero value is not usable:
// a [Clock] makes Tickers.
type Ticker struct {
	// C receives the time of each tick. It holds one tick: if several ticks
	// pass before C is read, the reader gets the first of them and misses the
	// others.
	C <-chan time.Time

	ev *event
}

// Stop turns the ticker off. It does not close C, but nothing is received
// from C afterwards, unless the ticker is Reset.
//
// It panics if no Clock made the ticker.
func (t *Ticker) Stop() {
	if t.ev == nil {
		panic("clock: Stop of a Ticker that no Clock made")
	}
	if std, ok := t.ev.target.(*time.Ticker); ok {
		std.Stop()
		return
	}
	t.ev.stop()
}

// Reset turns the ticker on with period d: the next tick comes after d, and
// no tick of the earlier setting is received.
//
// It panics if d is not positive, or if no Clock made the ticker.
func (t *Ticker) Reset(d time.Duration) {
	if t.ev == nil {
		panic("clock: Reset of a Ticker that no Clock made")
	}
	if std, ok := t.ev.target.(*time.Ticker); ok {
		std.Reset(d)
		return
	}
	if d <= 0 {
		panic("clock: Ticker.Reset needs a positive period")
	}
	t.ev.reset(d)
}

// newTimer allocates a timer and its event in one piece of memory.
func newTimer(c <-chan time.Time, ev event) *Timer {
	t := &struct {
		Timer
		event
	}{Timer{C: c}, ev}
	t.ev = &t.event
	return &t.Timer
}

// newTicker allocates a ticker and its event in one piece of memory.
func newTicker(c <-chan time.Time, ev event) *Ticker {
	t := &struct {
		Ticker
		event
	}{Ticker{C: c}, ev}
	t.ev = &t.event
	return &t.Ticker
}
