package faultnet

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// numbered is the rule that keeps the verdicts of r only for the events whose
// number, from 1 among those that r selects, is wanted.
func numbered(r Rule, wanted func(n int) bool) Rule {
	n := 0
	return func(e *Event) Verdict {
		v := r(e)
		if v.Kinds()&e.Kind == 0 {
			return Pass
		}
		if n++; wanted(n) {
			return v
		}
		return Pass
	}
}

// Nth keeps the verdict of a rule for the nth event that it selects, from 1.
func Nth(n int, r Rule) Rule { return numbered(r, func(i int) bool { return i == n }) }

// First keeps the verdicts of a rule for the first n events that it selects;
// then all is normal.
func First(n int, r Rule) Rule { return numbered(r, func(i int) bool { return i <= n }) }

// After keeps the verdicts of a rule for all but the first n events that it
// selects: n connections, then refuse.
func After(n int, r Rule) Rule { return numbered(r, func(i int) bool { return i > n }) }

// From lets the first b bytes of a direction through, and has the verdict of the
// rule, if it is one about bytes, begin at the next.
func From(b int64, r Rule) Rule {
	return func(e *Event) Verdict {
		v := r(e)
		if e.Kind != Data || v.Kinds()&Data == 0 || e.endAt(b) {
			return Pass
		}
		return v
	}
}

// For keeps the verdicts of a rule for d, by the network's clock, from the
// first event that it selects on.
func (n *Net) For(d time.Duration, r Rule) Rule {
	var until time.Time
	return func(e *Event) Verdict {
		v := r(e)
		if v.Kinds()&e.Kind == 0 {
			return Pass
		}
		now := n.clock().Now()
		if until.IsZero() {
			until = now.Add(d)
		}
		if now.Before(until) {
			return v
		}
		return Pass
	}
}

// Fault is a verdict with the combinators that it was written with.
type Fault struct {
	Verdict Verdict
	text    string
	wrap    []func(*Net, Rule) Rule
	once    bool
}

// ParseFault reads a verdict and the words that say to which of the selected
// events it is given:
//
//	refuse            to the next, once
//	refuse nth 2      to the second
//	refuse first 3    to the first three
//	refuse after 3    to all but the first three
//	refuse always     to each, until it is lifted
//	cut from 100      to the one with byte 100 of the stream, at that byte, once
//	refuse for 5s     to each, for so long from the first on
func ParseFault(s string) (Fault, error) {
	words := strings.Fields(s)
	if len(words) == 0 {
		return Fault{}, fmt.Errorf("faultnet: a verdict is missing")
	}
	v, err := ParseVerdict(words[0])
	f := Fault{Verdict: v, text: s, once: len(words) == 1}
	if err != nil {
		return f, err
	}
	for words = words[1:]; len(words) > 0; {
		word := words[0]
		if word == "always" {
			words = words[1:]
			continue
		}
		if len(words) == 1 {
			return f, fmt.Errorf("faultnet: %q: %q wants a number behind it", s, word)
		}
		wrap, err := combinator(word, words[1])
		if err != nil {
			return f, fmt.Errorf("faultnet: %q: %w", s, err)
		}
		f.wrap = append(f.wrap, wrap)
		words = words[2:]
	}
	return f, nil
}

func combinator(word, arg string) (func(*Net, Rule) Rule, error) {
	if word == "for" {
		d, err := time.ParseDuration(arg)
		if err != nil || d <= 0 {
			return nil, fmt.Errorf("bad duration %q", arg)
		}
		return func(net *Net, r Rule) Rule { return net.For(d, r) }, nil
	}
	n, err := strconv.ParseUint(arg, 10, 31)
	if err != nil {
		return nil, fmt.Errorf("bad number %q", arg)
	}
	switch word {
	case "nth":
		return func(_ *Net, r Rule) Rule { return Nth(int(n), r) }, nil
	case "first":
		return func(_ *Net, r Rule) Rule { return First(int(n), r) }, nil
	case "after":
		return func(_ *Net, r Rule) Rule { return After(int(n), r) }, nil
	case "from":
		return func(_ *Net, r Rule) Rule { return From(int64(n), r) }, nil
	}
	return nil, fmt.Errorf("unknown word %q; there are: nth, first, after, from, for, always", word)
}

// String is the text that the fault was read from.
func (f Fault) String() string { return f.text }

// Once reports whether the fault is for the next event alone.
func (f Fault) Once() bool { return f.once }

// Rule gives the fault to all the events that the pattern selects, or to those
// that its words say. It panics if the pattern is malformed.
func (f Fault) Rule(n *Net, pattern string) Rule {
	r := On(pattern, f.Verdict)
	for _, wrap := range f.wrap {
		r = wrap(n, r)
	}
	return r
}
