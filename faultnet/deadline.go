package faultnet

import (
	"sync"
	"time"

	"github.com/halfopen/halfopen/clock"
)

// deadline is the instant from which the calls of one direction of one end
// fail. It is guarded by the mutex of what those calls wait for.
type deadline struct {
	set   bool
	at    time.Time
	timer *clock.Timer
}

// move sets or clears the deadline, and wakes the calls that wait on cond now and
// when it passes. The instant itself counts as past.
func (d *deadline) move(c clock.Clock, at time.Time, cond *sync.Cond) {
	d.at, d.set = at, !at.IsZero()
	cond.Broadcast()
	if !d.set {
		d.stop()
		return
	}
	left := c.Until(at)
	switch {
	case left <= 0:
		d.stop()
	case d.timer == nil:
		d.timer = c.AfterFunc(left, func() {
			cond.L.Lock()
			cond.Broadcast()
			cond.L.Unlock()
		})
	default:
		d.timer.Reset(left)
	}
}

func (d *deadline) stop() {
	if d.timer != nil {
		d.timer.Stop()
	}
}

func (d *deadline) passed(c clock.Clock) bool {
	return d.set && c.Until(d.at) <= 0
}
