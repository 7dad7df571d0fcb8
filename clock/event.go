package clock

import "time"

// event is what a Timer, a Ticker or a sleeper of a Virtual is inside. What
// it is made with is never changed; the rest is guarded by the clock's mutex.
// It is small, as there can be many: a hundred bytes with its Timer.
type event struct {
	on   *view          // the clock, under the name the event was made on
	c    chan time.Time // nil for a callback
	f    func()         // nil for all but a callback
	kind Kind           // the call that made it

	callback bool          // the sleeper is a callback: its clock waits for it
	period   time.Duration // zero for all but a ticker

	when int64  // due, in nanoseconds of the clock; 0 if not armed
	seq  uint64 // when it was armed, among all armings of the clock

	// Key of the one entry of the queue that stands for this event. It may be
	// earlier than (when, seq), never later. entrySeq is 0 if there is none.
	entryWhen int64
	entrySeq  uint64
}

// start arms the event for the first time.
func (ev *event) start(d time.Duration) {
	ev.on.v.mu.Lock()
	ev.set(d)
	ev.on.v.mu.Unlock()
}

// reset arms the event anew and reports whether it was armed. Period is zero
// for all but a ticker.
func (ev *event) reset(d, period time.Duration) bool {
	v := ev.on.v
	if v.traps.Load() != nil {
		defer ev.on.hold(KindReset, d)()
	}
	v.mu.Lock()
	armed := ev.when != 0
	if ev.drain() {
		armed = true
	}
	ev.period = period
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
	ev.deliver(v.now.Load())
}

// fire fires the event, which the clock has come to. The mutex is held.
func (ev *event) fire() {
	v, when := ev.on.v, ev.when
	v.queue.take(ev)
	if ev.period > 0 {
		v.queue.arm(ev, v.after(ev.period))
	}
	ev.deliver(when)
}

// deliver sends the instant to the receiver, if there is room, or starts the
// callback. The mutex is held: a value sent is one that Stop can still take
// back, so nobody ever receives a stale one.
func (ev *event) deliver(when int64) {
	v := ev.on.v
	if ev.f != nil {
		v.running++
		go v.run(ev.f)
		return
	}
	if ev.callback {
		v.running++
	}
	select {
	case ev.c <- v.at(when):
	default:
	}
}

// drain takes back what was sent and not received, and reports whether there
// was something. The mutex is held.
func (ev *event) drain() bool {
	select {
	case <-ev.c:
		return true
	default:
		return false
	}
}
