package proxy

import (
	"math/rand/v2"
	"time"

	"github.com/halfopen/halfopen/clock"
)

// stage is a toxic at work on one direction of a connection. The mutex of its flow guards it.
type stage struct {
	toxic  *toxic
	flow   *flow
	random *rand.Rand
	last   time.Time // when the last item came
	free   time.Time // when all that came has been passed on
	sent   int64     // bytes that were passed on
	lossy  bool      // bytes that came are lost
	timer  *clock.Timer
}

// newStage returns the stage of a toxic. The flow's mutex is held, or the flow does not run yet.
func newStage(x *toxic, f *flow) *stage {
	s := &stage{toxic: x, flow: f, random: f.t.client.p.draw(x.label(f.t.client))}
	if b, ok := x.Attributes.(interface{ begin(*stage) }); ok {
		b.begin(s)
	}
	return s
}

// take passes on what the toxic makes of an item. Items come in their order.
func (s *stage) take(it item, pass func(item)) {
	if it.due.Before(s.last) {
		it.due = s.last
	}
	s.last = it.due
	s.toxic.Attributes.take(s, it, pass)
}

// after ends the direction when that time has passed.
func (s *stage) after(d time.Duration, end ending) {
	s.timer = s.flow.clock().AfterFunc(d, func() {
		s.flow.passBehind(s, item{due: s.flow.clock().Now(), end: end})
	})
}

// stop ends what the stage waits for.
func (s *stage) stop() {
	if s.timer != nil {
		s.timer.Stop()
	}
}
