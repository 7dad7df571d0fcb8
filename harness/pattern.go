package harness

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/internal/nearest"
)

// place says which words can stand at one place of an event's name.
type place struct {
	words    []string
	numbered string // a prefix that a number from 1 follows
	number   bool   // it is a number from 1, without a prefix
	any      bool
}

// An eventShape is a shape that names of events have, and the kinds of these events, of which a last
// word names one.
type eventShape struct {
	places []place
	kinds  []faultnet.Kind
}

// eventShapes is the shapes that names of events have.
var eventShapes = []eventShape{
	{[]place{{words: []string{"dial"}}, {numbered: "d"}, {any: true}}, []faultnet.Kind{faultnet.Dial}},
	{[]place{{words: []string{"accept"}}, {any: true}}, []faultnet.Kind{faultnet.Accept}},
	{[]place{{words: []string{"gate"}}, {any: true}, {any: true}}, []faultnet.Kind{faultnet.Gate}},
	{[]place{{numbered: "c"}, {words: []string{"client->server", "server->client"}}, {words: []string{"data"}}}, []faultnet.Kind{faultnet.Data}},
	{[]place{{numbered: "c"}, {words: []string{"client", "server"}}, {words: []string{"fin", "rst", "read", "write", "close"}}},
		[]faultnet.Kind{faultnet.FIN, faultnet.RST, faultnet.Read, faultnet.Write, faultnet.Close}},
	{[]place{{words: []string{"packet"}}, {numbered: "u"}, {words: []string{"client->server", "server->client"}}, {number: true}}, []faultnet.Kind{faultnet.Packet}},
}

// reach returns how many of the words can stand where they stand in names of that shape.
func (s eventShape) reach(words []string) (k int) {
	for k < len(words) && k < len(s.places) && s.places[k].canBe(words[k]) {
		k++
	}
	return k
}

// kindsOf returns the kinds of the events that a pattern can select.
func kindsOf(pattern string) (kinds faultnet.Kind) {
	words := strings.Fields(pattern)
	for _, shape := range eventShapes {
		if shape.reach(words) < len(words) {
			continue
		}
		for i, kind := range shape.kinds {
			if len(shape.kinds) > 1 && len(words) == len(shape.places) {
				last := len(words) - 1
				if ok, _ := path.Match(words[last], shape.places[last].words[i]); !ok {
					continue
				}
			}
			kinds |= kind
		}
	}
	return kinds
}

// fits returns an error if that can happen to none of the events of a pattern.
func fits(pattern string, v faultnet.Verdict) error {
	kinds := kindsOf(pattern)
	if v.IsPass() || v.IsHold() || v.Kinds()&kinds != 0 {
		return nil
	}
	name, _, _ := strings.Cut(v.String(), ":")
	list := func(k faultnet.Kind) string { return strings.ReplaceAll(k.String(), "|", ", ") }
	return fmt.Errorf("%s is for %s events, and %q for %s events", name, list(v.Kinds()), pattern, list(kinds))
}

// mostNumbered is the largest number of a dial or a connection that a word with wildcards
// is compared with.
const mostNumbered = 100

// canBe reports whether the word of a pattern matches a word that can stand there.
func (p place) canBe(word string) bool {
	matches := func(name string) bool {
		ok, err := path.Match(word, name)
		return ok && err == nil
	}
	if p.any || slices.ContainsFunc(p.words, matches) {
		return true
	}
	if p.numbered == "" && !p.number {
		return false
	}
	if digits, ok := strings.CutPrefix(word, p.numbered); ok {
		if n, err := strconv.Atoi(digits); err == nil {
			return n > 0 && strconv.Itoa(n) == digits
		}
	}
	for n := range mostNumbered {
		if matches(p.numbered + strconv.Itoa(n+1)) {
			return true
		}
	}
	return false
}

// names returns what can stand there, for an error.
func (p place) names() []string {
	if p.numbered != "" || p.number {
		return []string{p.numbered + "1"}
	}
	return p.words
}

// checkPattern returns an error for a pattern that is malformed, or has a word that no
// event has at that place.
func checkPattern(pattern string) error {
	if _, err := faultnet.ParsePattern(pattern); err != nil {
		return err
	}
	words := strings.Fields(pattern)
	most := 0
	var want []string // in place of the first word that is wrong
	for _, shape := range eventShapes {
		k := shape.reach(words)
		if k == len(words) {
			return nil
		}
		if k > most {
			most, want = k, nil
		}
		if k == most && k < len(shape.places) {
			for _, name := range shape.places[k].names() {
				if !slices.Contains(want, name) {
					want = append(want, name)
				}
			}
		}
	}
	word := words[most]
	if len(want) == 0 {
		return fmt.Errorf("event pattern %q: no event has a word %q behind %q", pattern, word, strings.Join(words[:most], " "))
	}
	return fmt.Errorf("event pattern %q: no event has %q there%s; it can be: %s", pattern, word, nearest.DidYouMean(word, want), strings.Join(want, ", "))
}

// watchedHold is a Hold of the test, and whether it was of use: it held an event, or the
// test wanted that nothing is held by it.
type watchedHold struct {
	pattern faultnet.Pattern
	used    bool
	where   string
}

// watchHold notes a Hold of the test.
func (n *Net) watchHold(pattern string) {
	p, _ := faultnet.ParsePattern(pattern)
	n.holds = append(n.holds, &watchedHold{pattern: p, where: n.t.here()})
}

// noteHeld notes, at a quiet point, which holds have something to hold.
func (n *Net) noteHeld(pending []*faultnet.Event) {
	for _, h := range n.holds {
		h.used = h.used || slices.ContainsFunc(pending, h.pattern.Match)
	}
}
