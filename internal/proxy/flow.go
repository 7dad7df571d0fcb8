package proxy

import (
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/halfopen/halfopen/clock"
)

// ending says how a direction ends.
type ending uint8

const (
	endNone  ending = iota
	endFIN          // its receiver gets a FIN, and the other direction goes on
	endClose        // both connections are closed
	endReset        // both connections are reset
	endLeave        // the server's connection is closed, and the client's is not
)

// item is bytes that travel in one direction, or its end.
type item struct {
	due  time.Time // when it reaches the next stage, or its receiver
	held bool      // until a toxic changes
	data []byte
	end  ending
}

// flow is one direction of a tunnel: what is read goes through the stages of the toxics at
// once, which say when it is due, and waits in a queue until then.
type flow struct {
	t         *tunnel
	direction string // "upstream" or "downstream"
	from      io.Reader
	to        net.Conn

	mu      sync.Mutex
	changed sync.Cond
	stages  []*stage
	queue   []item // nothing overtakes: the first holds up those behind it
	queued  int    // bytes
	ended   bool   // an end was queued: nothing follows it
	stopped bool
	timer   *clock.Timer
}

// The most bytes that wait in a direction: as many as a kernel's buffer has where no toxic
// delays anything, and as many as a fast link brings in a second where one does.
const (
	mostQueued  = 256 << 10
	mostDelayed = 32 << 20
)

func newFlow(t *tunnel, direction string, from io.Reader, to net.Conn) *flow {
	f := &flow{t: t, direction: direction, from: from, to: to}
	f.changed.L = &f.mu
	return f
}

func (f *flow) clock() clock.Clock { return f.t.client.p.Clock }

// read reads until the source ends, and passes each piece to the first stage.
func (f *flow) read() {
	b := make([]byte, 32<<10)
	for {
		n, err := f.from.Read(b)
		f.mu.Lock()
		now := f.clock().Now()
		if n > 0 {
			f.pass(0, item{due: now, data: append([]byte(nil), b[:n]...)})
		}
		if err != nil {
			f.pass(0, item{due: now, end: endOf(err)})
		}
		for err == nil && !f.stopped && f.queued >= f.most() {
			f.changed.Wait()
		}
		over := f.stopped
		f.mu.Unlock()
		if err != nil || over {
			return
		}
	}
}

// most returns how many bytes may wait. It is called with mu held.
func (f *flow) most() int {
	if len(f.stages) == 0 {
		return mostQueued
	}
	return mostDelayed
}

// pass gives an item to the stage of that index, or queues it behind the last one. It is
// called with mu held.
func (f *flow) pass(i int, it item) {
	switch {
	case f.ended || f.stopped:
		return
	case i < len(f.stages):
		f.stages[i].take(it, func(it item) { f.pass(i+1, it) })
		return
	}
	f.ended = it.end != endNone
	f.queue = append(f.queue, it)
	f.queued += len(it.data)
	f.changed.Broadcast()
}

// passBehind passes an item on from a stage, unless the stage has been removed.
func (f *flow) passBehind(s *stage, it item) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, there := range f.stages {
		if there == s {
			f.pass(i+1, it)
		}
	}
}

// write writes what is due, until the direction ends.
func (f *flow) write() {
	for {
		it, ok := f.next()
		if !ok {
			return
		}
		switch it.end {
		case endFIN:
			f.t.half(f.to)
			return
		case endClose:
			f.t.close()
			return
		case endReset:
			f.t.reset()
			return
		case endLeave:
			f.t.leave()
			return
		}
		if _, err := f.to.Write(it.data); err != nil {
			f.t.reset() // its receiver takes no more
			return
		}
	}
}

// next waits until an item is due, and takes it.
func (f *flow) next() (it item, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for !f.stopped {
		if len(f.queue) > 0 && !f.queue[0].held {
			d := f.clock().Until(f.queue[0].due)
			if d <= 0 {
				it, f.queue = f.queue[0], f.queue[1:]
				f.queued -= len(it.data)
				f.changed.Broadcast()
				return it, true
			}
			f.wakeIn(d)
		}
		f.changed.Wait()
	}
	return it, false
}

// wakeIn has the writer look again when that time has passed. It is called with mu held.
func (f *flow) wakeIn(d time.Duration) {
	if f.timer != nil {
		f.timer.Stop()
	}
	f.timer = f.clock().AfterFunc(d, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.changed.Broadcast()
	})
}

// stop ends the copying.
func (f *flow) stop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stopped, f.queue, f.queued = true, nil, 0
	if f.timer != nil {
		f.timer.Stop()
	}
	for _, s := range f.stages {
		s.stop()
	}
	f.changed.Broadcast()
}

// change replaces the stages. What is on its way reaches its receiver at once: a toxic that is
// changed has no say any more about what came before. A direction that has lost bytes to a
// toxic that is gone cannot go on: the connection is closed.
func (f *flow) change(toxics []*toxic) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stopped {
		return
	}
	before := f.stages
	now := f.clock().Now()
	for i := range f.queue {
		f.queue[i].due, f.queue[i].held = now, false
	}
	f.stages = f.stagesFor(toxics)
	for i, s := range before {
		s.free = now
		if !slices.Contains(f.stages, s) {
			s.stop()
			if s.lossy && !slices.ContainsFunc(f.stages, func(t *stage) bool { return t.toxic.Name == s.toxic.Name }) {
				f.pass(min(i, len(f.stages)), item{due: now, end: endClose})
			}
		}
	}
	f.changed.Broadcast()
}

// stagesFor returns the stages of the toxics that have an effect on this connection. A toxic
// that has not changed keeps its stage. It is called with mu held, or before the flow runs.
func (f *flow) stagesFor(toxics []*toxic) (stages []*stage) {
	for _, x := range toxics {
		i := slices.IndexFunc(f.stages, func(s *stage) bool { return s.toxic.Name == x.Name })
		switch {
		case i >= 0 && f.stages[i].toxic == x:
			stages = append(stages, f.stages[i])
		case x.strikes(f.t.client):
			s := newStage(x, f)
			if i >= 0 {
				s.sent = f.stages[i].sent
			}
			stages = append(stages, s)
		}
	}
	return stages
}
