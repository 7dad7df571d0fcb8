package harness

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness/internal/search"
)

// optionOf returns the option to let the event happen in its normal course, as far as that is
// the same in each step. The arrival at a server's end is local, if handlers share nothing
// across connections.
func optionOf(e *faultnet.Event) search.Option {
	o := search.Option{Name: e.String(), Kind: search.Event, Local: fromClient(e)}
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

// fault is something else that an event may come to: a fault that is tried.
type fault struct {
	name, effect string // of its option
	verdict      *faultnet.Verdict
}

// faultsOf returns the faults that are tried of an event. They stay the same until something
// happens to its connection, unless there are rules, which may say at any time that less arrives.
func (p *plan) faultsOf(w *waiting, ruled bool) []fault {
	if w.listed && !ruled {
		return w.faults
	}
	w.listed, w.faults = !ruled, w.faults[:0]
	for k := range p.effects.verdicts {
		if v := &p.effects.verdicts[k]; v.Kinds()&w.event.Kind != 0 {
			w.addFault(v, v.String())
		}
	}
	p.atBytes(w)
	return w.faults
}

func (w *waiting) addFault(v *faultnet.Verdict, effect string) {
	w.faults = append(w.faults, fault{name: w.option.Name + " as " + effect, effect: effect, verdict: v})
}

// endBytes is how many bytes at each end of a long event are tried.
const endBytes = 512

// atBytes adds the faults that are tried at every byte of an event, and at some.
func (p *plan) atBytes(w *waiting) {
	e := w.event
	if e.Kind != faultnet.Data || len(p.effects.every)+len(p.effects.some) == 0 {
		return
	}
	add := func(base string, at int, place string) {
		v, err := faultnet.ParseVerdict(fmt.Sprintf("%s:%d", base, at))
		if err != nil {
			panic("harness: " + err.Error()) // its name was checked
		}
		effect := v.String()
		if place != "" {
			effect = base + ":" + place
		}
		w.addFault(&v, effect)
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
		return
	}
	for _, base := range p.effects.some {
		for _, place := range somePlaces(b, wire.plain) {
			add(base, place.at, place.name)
		}
	}
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
