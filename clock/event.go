package clock

import "time"

// event is what a Timer, a Ticker or a sleeper is inside. What it is made
// with is never changed; the rest is guarded by the clock's mutex.
//
// There can be many, and they are touched in the order they fire, which is no
// order in memory: with its Timer an event is 64 bytes, one line of the cache.
type event struct {
	on *view // the clock, under the name the event was made on; nil for System
	to any   // who is told: see deliver. On System, its Timer or Ticker

	when int64  // due last, in nanoseconds of the clock
	seq  uint64 // when it was armed last, among all armings of the clock

	kind  Kind  // the call that made it
	place place // its entry in the queue
	armed bool  // unless the queue has passed it
}

// dozing is who is told by a callback's Sleep: from then on the callback runs.
type dozing chan time.Time

// ticks is who is told by a ticker.
type ticks struct {
	c      chan time.Time
	period time.Duration // guarded by the clock's mutex
}

// start arms the event for the first time.
func (ev *event) start(d time.Duration) {
	v := ev.on.v
	v.mu.Lock()
	ev.set(d)
	v.mu.Unlock()
}

// reset arms the event anew and reports whether it was armed.
func (ev *event) reset(d time.Duration) bool {
	v := ev.on.v
	if v.traps.Load() != nil {
		defer ev.on.hold(KindReset, d)()
	}
	v.mu.Lock()
	armed := v.queue.holds(ev)
	if ev.drain() {
		armed = true
	}
	if t, ok := ev.to.(*ticks); ok {
		t.period = d
	}
	ev.set(d)
	v.mu.Unlock()
	return armed
}

// stop disarms the event and reports whether it was armed.
func (ev *event) stop() bool {
	v := ev.on.v
	if v.traps.Load() != nil {
		defer ev.on.hold(KindStop, 0)()
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
	v := ev.on.v
	if d > 0 {
		v.queue.arm(ev, v.after(d))
		return
	}
	v.queue.disarm(ev)
	if f := ev.deliver(v.now.Load()); f != nil {
		go v.run(f)
	}
}

// fire fires the event, which the clock has come to. The mutex is held. A
// callback is for whoever calls it to run.
func (ev *event) fire() (callback func()) {
	v, when := ev.on.v, ev.when
	v.queue.take(ev)
	if t, ok := ev.to.(*ticks); ok {
		v.queue.arm(ev, v.after(t.period))
	}
	return ev.deliver(when)
}

// deliver sends the instant to the receiver, if there is room, or returns the
// callback, which counts as running from here on. The mutex is held: a value
// sent is one that Stop can still take back, so nobody ever receives a stale
// one.
func (ev *event) deliver(when int64) (callback func()) {
	v := ev.on.v
	var c chan time.Time
	switch to := ev.to.(type) {
	case func():
		v.running++
		return to
	case chan time.Time:
		c = to
	case *ticks:
		c = to.c
	case dozing:
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

// drain takes back what was sent and not received, and reports whether there
// was something. The mutex is held.
func (ev *event) drain() bool {
	var c chan time.Time
	switch to := ev.to.(type) {
	case chan time.Time:
		c = to
	case *ticks:
		c = to.c
	}
	select {
	case <-c:
		return true
	default:
		return false
	}
}
