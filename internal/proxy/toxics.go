package proxy

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// toxic is an effect on one direction of a mapping's connections. Its JSON is that of
// toxiproxy. It is replaced as a whole when it is changed.
type toxic struct {
	Attributes attributes `json:"attributes"`
	Name       string     `json:"name"`
	Type       string     `json:"type"`
	Stream     string     `json:"stream"`
	Toxicity   float32    `json:"toxicity"`

	revision int
}

// attributes are the parameters of a toxic, and what it does with them.
type attributes interface {
	// check returns an error for values with which it could not work.
	check() error
	// take takes an item that reaches the stage when it is due, and passes on what it makes of it.
	take(s *stage, it item, pass func(item))
}

// newAttributes returns the attributes of a type, or nil if there is none of that name.
func newAttributes(name string) attributes {
	switch name {
	case "latency":
		return new(latency)
	case "bandwidth":
		return new(bandwidth)
	case "slow_close":
		return new(slowClose)
	case "timeout":
		return new(timeout)
	case "reset_peer":
		return new(resetPeer)
	case "slicer":
		return new(slicer)
	case "limit_data":
		return new(limitData)
	}
	return nil
}

// strikes reports whether the toxic has an effect on a connection: its toxicity is the
// probability of that.
func (x *toxic) strikes(c *client) bool {
	if c.p.draw(x.label(c)+", toxicity").Float32() >= x.Toxicity {
		return false
	}
	text, _ := json.Marshal(x.Attributes) // numbers
	c.say("toxic", "%s: %s %s", x.Name, x.Type, text)
	return true
}

// label names what a toxic draws for a connection.
func (x *toxic) label(c *client) string {
	return fmt.Sprintf("toxic %s %d, %s", x.Name, x.revision, c.name())
}

// latency delays everything by Latency, more or less by up to Jitter.
type latency struct {
	Latency int64 `json:"latency"` // in milliseconds
	Jitter  int64 `json:"jitter"`  // in milliseconds
}

func (a *latency) check() error {
	return errors.Join(atLeast("latency", a.Latency, 0), atLeast("jitter", a.Jitter, 0))
}

func (a *latency) take(s *stage, it item, pass func(item)) {
	d := time.Duration(a.Latency) * time.Millisecond
	if a.Jitter > 0 && it.data != nil {
		most := a.Jitter * int64(time.Millisecond)
		d += time.Duration(s.random.Int64N(2*most+1) - most)
	}
	if it.end == endNone {
		it.due = it.due.Add(max(0, d))
	}
	pass(it)
}

// bandwidth lets Rate kilobytes a second through; with 0 nothing gets through until the toxic
// is changed.
type bandwidth struct {
	Rate int64 `json:"rate"` // in units of 1,000 bytes a second
}

func (a *bandwidth) check() error { return atLeast("rate", a.Rate, 0) }

func (a *bandwidth) take(s *stage, it item, pass func(item)) {
	if a.Rate == 0 {
		it.held = true
		pass(it)
		return
	}
	at := it.due
	if at.Before(s.free) {
		at = s.free
	}
	piece := int(min(a.Rate*100, 1<<30)) // a tenth of a second
	for part := range slices.Chunk(it.data, piece) {
		at = at.Add(time.Duration(len(part)) * time.Millisecond / time.Duration(a.Rate))
		pass(item{due: at, held: it.held, data: part})
	}
	s.free = at
	if it.end != endNone {
		it.due = at
		pass(it)
	}
}

// slowClose delays the end of the direction.
type slowClose struct {
	Delay int64 `json:"delay"` // in milliseconds
}

func (a *slowClose) check() error { return atLeast("delay", a.Delay, 0) }

func (a *slowClose) take(_ *stage, it item, pass func(item)) {
	if it.end != endNone {
		it.due = it.due.Add(time.Duration(a.Delay) * time.Millisecond)
	}
	pass(it)
}

// timeout lets nothing through, and closes the connection when Timeout has passed; 0 means
// never. When the toxic is removed the connection is closed, as bytes of it are lost.
type timeout struct {
	Timeout int64 `json:"timeout"` // in milliseconds
}

func (a *timeout) check() error { return atLeast("timeout", a.Timeout, 0) }

func (a *timeout) begin(s *stage) {
	s.lossy = true
	if a.Timeout > 0 {
		s.after(time.Duration(a.Timeout)*time.Millisecond, endClose)
	}
}

func (a *timeout) take(_ *stage, it item, pass func(item)) {
	if it.end != endNone {
		pass(item{due: it.due, end: endClose})
	}
}

// resetPeer resets the connection when Timeout has passed since its first byte, or its end.
type resetPeer struct {
	Timeout int64 `json:"timeout"` // in milliseconds
}

func (a *resetPeer) check() error { return atLeast("timeout", a.Timeout, 0) }

func (a *resetPeer) take(_ *stage, it item, pass func(item)) {
	pass(item{due: it.due.Add(time.Duration(a.Timeout) * time.Millisecond), end: endReset})
}

// slicer brings bytes in pieces of AverageSize, more or less by up to SizeVariation, and Delay
// apart.
type slicer struct {
	AverageSize   int `json:"average_size"`
	SizeVariation int `json:"size_variation"`
	Delay         int `json:"delay"` // in microseconds
}

func (a *slicer) check() error {
	return errors.Join(atLeast("average_size", int64(a.AverageSize), 1),
		atLeast("size_variation", int64(a.SizeVariation), 0), atLeast("delay", int64(a.Delay), 0))
}

func (a *slicer) take(s *stage, it item, pass func(item)) {
	at := it.due
	if at.Before(s.free) {
		at = s.free
	}
	for rest := it.data; len(rest) > 0; {
		n := a.AverageSize
		if a.SizeVariation > 0 {
			n += s.random.IntN(2*a.SizeVariation+1) - a.SizeVariation
		}
		n = min(max(1, n), len(rest))
		pass(item{due: at, held: it.held, data: rest[:n]})
		rest = rest[n:]
		at = at.Add(time.Duration(a.Delay) * time.Microsecond)
	}
	s.free = at
	if it.end != endNone {
		it.due = at
		pass(it)
	}
}

// limitData closes the connection behind that many bytes.
type limitData struct {
	Bytes int64 `json:"bytes"`
}

func (a *limitData) check() error { return atLeast("bytes", a.Bytes, 0) }

func (a *limitData) take(s *stage, it item, pass func(item)) {
	if it.end != endNone {
		pass(it)
		return
	}
	left := max(0, a.Bytes-s.sent)
	if it.data = it.data[:min(int64(len(it.data)), left)]; len(it.data) > 0 {
		s.sent += int64(len(it.data))
		pass(it)
	}
	if s.sent >= a.Bytes {
		pass(item{due: it.due, end: endClose})
	}
}

func atLeast(name string, n, least int64) error {
	if n < least {
		return fmt.Errorf("attribute %s: got %d, want at least %d", name, n, least)
	}
	return nil
}
