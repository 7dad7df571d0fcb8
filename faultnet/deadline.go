package faultnet

import (
	"time"

	"github.com/halfopen/halfopen/clock"
)

// deadline is the instant after which the calls of one direction of one end
// fail. It is guarded by the connection's mutex.
type deadline struct {
	at    time.Time // zero: none
	timer *clock.Timer
}

// set moves the deadline; wake is called, with no lock held, when it passes.
// The instant itself counts as past.
func (d *deadline) set(c clock.Clock, at time.Time, wake func()) {
	d.at = at
	if at.IsZero() {
		d.stop()
		return
	}
	left := c.Until(at)
	switch {
	case left <= 0:
		d.stop()
	case d.timer == nil:
		d.timer = c.AfterFunc(left, wake)
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
	return !d.at.IsZero() && c.Until(d.at) <= 0
}
