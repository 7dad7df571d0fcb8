package harness

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness/internal/search"
)

// optionOf returns the option to let the event happen in its normal course; the
// number tells it from the other events of the step. The arrival at a server's end is
// local, if handlers share nothing across connections.
func optionOf(w waiting, number int) search.Option {
	e := w.event
	o := search.Option{Name: e.String(), Kind: search.Event, Event: number, Local: fromClient(e), Commutes: w.commutes, Turn: w.turn, Everywhere: w.again}
	switch e.Kind {
	case faultnet.Dial:
		o.Chain = search.Chain{Of: "dial", Number: e.DialNumber()}
	case faultnet.Gate:
		o.Chain = search.Chain{Of: e.Addr}
	case faultnet.Packet: // a chain of its own: any of a flow may be next
		o.Chain = search.Chain{Of: e.String()}
	default:
		o.Place = e.From.Number()
		o.Chain = search.Chain{Of: "client", Number: o.Place}
		if e.From.Side() == faultnet.Server {
			o.Chain.Of = "server"
		}
	}
	return o
}

// endBytes is how many bytes at each end of a long event are tried.
const endBytes = 512

// atBytes adds the faults that are tried at every byte of an event, and at some.
func (p *plan) atBytes(opts []search.Option, o search.Option, e *faultnet.Event) []search.Option {
	if e.Kind != faultnet.Data || len(p.effects.every)+len(p.effects.some) == 0 {
		return opts
	}
	add := func(base string, at int, place string) {
		v, err := faultnet.ParseVerdict(fmt.Sprintf("%s:%d", base, at))
		if err != nil {
			panic("harness: " + err.Error()) // its name was checked
		}
		opts = p.addFault(opts, o, e, &v)
		if place != "" {
			last := &opts[len(opts)-1]
			last.Effect = base + ":" + place
			last.Name = o.Name + " as " + last.Effect
		}
	}
	b := e.Arriving(faultnet.Pass)
	for _, base := range p.effects.every {
		for i := range b {
			if i < endBytes || i >= len(b)-endBytes {
				add(base, i, "")
			}
		}
	}
	wire := &p.census.conn(e.From).wire
	if e.From.Side() == faultnet.Client || wire.opaque {
		return opts
	}
	for _, base := range p.effects.some {
		for _, place := range somePlaces(b, wire.plain) {
			add(base, place.at, place.name)
		}
	}
	return opts
}

// bytePlace is a byte of what a server sends, by a name that does not depend on sizes.
type bytePlace struct {
	name string
	at   int
}

// placeNames is the names of all places, in the order of a message.
var placeNames = []string{"head", "middle", "chunk", "last"}

// lastChunk ends a body of which nothing said before how long it is.
var lastChunk = []byte("0\r\n\r\n")

// somePlaces returns where code that reads a response may come to think that it has all of
// it: behind its head, in the middle of its body, before the chunk that only says that it
// ends, and before its last byte. Head and chunk are those of plain HTTP/1.
func somePlaces(b []byte, plain bool) []bytePlace {
	head, chunk := 0, 0
	if plain {
		if i := bytes.Index(b, endOfHeader); i >= 0 {
			head = i + len(endOfHeader)
		}
		if bytes.HasSuffix(b[head:], lastChunk) {
			chunk = len(b) - len(lastChunk)
		}
	}
	var places []bytePlace
	for i, at := range []int{head, head + (len(b)-head)/2, chunk, len(b) - 1} {
		known := slices.ContainsFunc(places, func(p bytePlace) bool { return p.at == at })
		if at > 0 && at < len(b) && !known {
			places = append(places, bytePlace{placeNames[i], at})
		}
	}
	return places
}
