package clock

import "time"

// event holds the state of one Timer, Ticker or sleeper. The fields view,
// target and kind are set when it is made and never change; the clock's mutex
// guards the others.
//
// A clock can have many events. It touches them in the order in which they
// fire, and that is not their order in memory. So an event is small: together
// with its Timer it has 64 bytes, one line of the cache.
type event struct {
	view   *view // the clock, under the name the event was made on; nil for System
	target any   // what deliver sends to or returns; on System, its Timer or Ticker

	when int64  // when it is due, or was due last, in nanoseconds of the clock
	seq  uint64 // the number of the call that armed it last

	kind       Kind       // the call that made it
	entryState entryState // the state of its entry in the queue
	armed      bool       // may still be true after fastPop removed its entry: ask queue.holds
}

// sleepingCallback wakes a callback that sleeps on its own clock. When the
// clock sends on it, the callback counts as running again.
type sleepingCallback chan time.Time

// tickerTarget holds the channel and the period of a ticker.
type tickerTarget struct {
	c      chan time.Time
	period time.Duration // guarded by the clock's mutex
}

// start arms the event for the first time.
func (ev *event) start(d time.Duration) {
	v := ev.view.v
	v.mu.Lock()
	ev.set(d)
	v.mu.Unlock()
}

// reset arms the event again, to fire after d, and reports whether it was armed.
func (ev *event) reset(d time.Duration) bool {
	v := ev.view.v
	if v.traps.Load() != nil {
		defer ev.view.hold(KindReset, d)()
	}
	v.mu.Lock()
	armed := v.queue.holds(ev)
	if ev.drain() {
		armed = true
	}
	if t, ok := ev.target.(*tickerTarget); ok {
		t.period = d
	}
	ev.set(d)
	v.mu.Unlock()
	return armed
}

// stop disarms the event and reports whether it was armed.
func (ev *event) stop() bool {
	v := ev.view.v
	if v.traps.Load() != nil {
		defer ev.view.hold(KindStop, 0)()
	}
	v.mu.Lock()
	armed := v.queue.disarm(ev)
	if ev.drain() {
		armed = true
	}
	v.mu.Unlock()
	return armed
}

// set arms the event to fire after d, or fires it now if that is not in the
// future. The mutex is held.
func (ev *event) set(d time.Duration) {
	v := ev.view.v
	if d > 0 {
		v.queue.arm(ev, v.after(d))
		return
	}
	v.queue.disarm(ev)
	if f := ev.deliver(v.now.Load()); f != nil {
		go v.runCallback(f)
	}
}

// fire fires the event, which is due now. The mutex is held. If the event has
// a callback, fire returns it, and the caller has to run it.
func (ev *event) fire() (callback func()) {
	v, when := ev.view.v, ev.when
	v.queue.take(ev)
	if t, ok := ev.target.(*tickerTarget); ok {
		v.queue.arm(ev, v.after(t.period))
	}
	return ev.deliver(when)
}

// deliver sends the instant to the receiver, if there is room, or returns the
// callback, which counts as running from here on. The mutex is held, so that
// Stop can take back a value that was sent and not yet received: no goroutine
// ever receives a stale value.
func (ev *event) deliver(when int64) (callback func()) {
	v := ev.view.v
	var c chan time.Time
	switch to := ev.target.(type) {
	case func():
		v.running++
		return to
	case chan time.Time:
		c = to
	case *tickerTarget:
		c = to.c
	case sleepingCallback:
		v.running++
		c = to
	}
	v.send(c, when)
	return nil
}

// send sends the instant when on c, if there is room.
func (v *Virtual) send(c chan time.Time, when int64) {
	select {
	case c <- v.at(when):
	default:
	}
}

// drain takes back a value that was sent and not received, and reports whether
// there was one. The mutex is held.
func (ev *event) drain() bool {
	var c chan time.Time
	switch to := ev.target.(type) {
	case chan time.Time:
		c = to
	case *tickerTarget:
		c = to.c
	}
	select {
	case <-c:
		return true
	default:
		return false
	}
}
