package harness

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness/internal/search"
)

// endBytes is how many bytes at each end of a long event are tried.
const endBytes = 512

// atBytes adds the faults that are tried at every byte of an event, and at some.
func (p *plan) atBytes(opts []search.Option, o search.Option, e *faultnet.Event) []search.Option {
	if e.Kind != faultnet.Data || len(p.effects.every)+len(p.effects.some) == 0 {
		return opts
	}
	add := func(base string, at int) {
		v, err := faultnet.ParseVerdict(fmt.Sprintf("%s:%d", base, at))
		if err != nil {
			panic("harness: " + err.Error()) // its name was checked
		}
		opts = p.addFault(opts, o, e, &v)
	}
	b := e.Arriving(faultnet.Pass)
	for _, base := range p.effects.every {
		for i := range b {
			if i < endBytes || i >= len(b)-endBytes {
				add(base, i)
			}
		}
	}
	if e.From.Side() == faultnet.Client {
		return opts
	}
	for _, base := range p.effects.some {
		for _, i := range somePlaces(b) {
			add(base, i)
		}
	}
	return opts
}

// lastChunk ends a body of which nothing said before how long it is.
var lastChunk = []byte("0\r\n\r\n")

// somePlaces returns where code that reads a response may come to think that it has all of
// it: behind its head, in the middle of its body, before what only says that it ends, and
// before its last byte.
func somePlaces(b []byte) []int {
	body := 0
	if i := bytes.Index(b, endOfHeader); i >= 0 {
		body = i + len(endOfHeader)
	}
	places := []int{body, body + (len(b)-body)/2, len(b) - 1}
	if bytes.HasSuffix(b[body:], lastChunk) {
		places = append(places, len(b)-len(lastChunk))
	}
	slices.Sort(places)
	return slices.DeleteFunc(slices.Compact(places), func(i int) bool { return i <= 0 || i >= len(b) })
}
