package clock

import "time"

// Timer is one event in the future of a [Clock], as [time.Timer] is of the
// system's. Its zero value is not usable: a Clock makes Timers.
type Timer struct {
	// C receives the time at which the timer fired. It is nil for a timer of
	// AfterFunc.
	C <-chan time.Time

	std *time.Timer // of System, or else
	ev  *event      // of a Virtual
}

// Stop keeps the timer from firing and reports whether it did: false means
// that the timer was stopped before, that its value was received, or that its
// function was started. After Stop returns nothing is received from C.
//
// It panics if no Clock made the timer.
func (t *Timer) Stop() bool {
	switch {
	case t.ev != nil:
		return t.ev.stop()
	case t.std != nil:
		return t.std.Stop()
	}
	panic("clock: Stop of a Timer that no Clock made")
}

// Reset arms the timer to fire after d and reports what Stop would have.
// Nothing of the earlier setting is received from C afterwards. A function
// that has been started is not waited for.
//
// It panics if no Clock made the timer.
func (t *Timer) Reset(d time.Duration) bool {
	switch {
	case t.ev != nil:
		return t.ev.reset(d, 0)
	case t.std != nil:
		return t.std.Reset(d)
	}
	panic("clock: Reset of a Timer that no Clock made")
}

// Ticker sends the time on C once each period. Its zero value is not usable:
// a [Clock] makes Tickers.
type Ticker struct {
	// C receives the time of each tick. It holds one: a receiver that is
	// slower misses those in between, and reads the oldest.
	C <-chan time.Time

	std *time.Ticker // of System, or else
	ev  *event       // of a Virtual
}

// Stop turns the ticker off. It does not close C, but nothing is received
// from C afterwards, unless the ticker is Reset.
//
// It panics if no Clock made the ticker.
func (t *Ticker) Stop() {
	switch {
	case t.ev != nil:
		t.ev.stop()
	case t.std != nil:
		t.std.Stop()
	default:
		panic("clock: Stop of a Ticker that no Clock made")
	}
}

// Reset turns the ticker on with period d: the next tick comes after d, and
// none of the earlier setting is received.
//
// It panics if d is not positive, or if no Clock made the ticker.
func (t *Ticker) Reset(d time.Duration) {
	switch {
	case t.ev != nil:
		if d <= 0 {
			panic("clock: Ticker.Reset needs a positive period")
		}
		t.ev.reset(d, d)
	case t.std != nil:
		t.std.Reset(d)
	default:
		panic("clock: Reset of a Ticker that no Clock made")
	}
}
