package faultnet

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/halfopen/halfopen/internal/nearest"
)

// Selection says to which of the events that a rule selects its verdict is given.
// Several are applied one after the other: After(1) and First(2) are the second
// and the third event.
type Selection struct {
	text string
	wrap func(Rule) Rule
}

// String returns the words of a script: "nth 2".
func (w Selection) String() string { return w.text }

// Always selects every event.
func Always() Selection { return Selection{"always", func(r Rule) Rule { return r }} }

// Nth selects the nth event, from 1.
func Nth(n int) Selection { return numbered("nth", n, 1, func(i int) bool { return i == n }) }

// First selects the first n events; then all is normal.
func First(n int) Selection { return numbered("first", n, 1, func(i int) bool { return i <= n }) }

// After selects all but the first n events: n connections, then refuse.
func After(n int) Selection { return numbered("after", n, 0, func(i int) bool { return i > n }) }

// numbered keeps the verdicts of a rule for the events whose number, from 1 among
// those that it selects, is wanted.
func numbered(word string, n, least int, wanted func(int) bool) Selection {
	if n < least {
		panic(fmt.Sprintf("faultnet: %s: got %d, want %d or more", word, n, least))
	}
	return Selection{word + " " + strconv.Itoa(n), func(r Rule) Rule {
		selected := 0
		return func(e *Event) Verdict {
			v := r(e)
			if v.Kinds()&e.Kind == 0 {
				return Pass
			}
			if selected++; wanted(selected) {
				return v
			}
			return Pass
		}
	}}
}

// From lets the first b bytes of a direction through, and has the verdict, if it
// is one about bytes, begin at the next.
func From(b int64) Selection {
	if b < 0 {
		panic(fmt.Sprintf("faultnet: from: got byte %d, want 0 or more", b))
	}
	return Selection{"from " + strconv.FormatInt(b, 10), func(r Rule) Rule {
		return func(e *Event) Verdict {
			v := r(e)
			if e.Kind != Data || v.Kinds()&Data == 0 || e.endAt(b) {
				return Pass
			}
			return v
		}
	}}
}

// For selects the events of a time d, by the network's clock, from the first on.
func For(d time.Duration) Selection {
	if d <= 0 {
		panic(fmt.Sprintf("faultnet: for: got %s, want more than 0s", d))
	}
	return Selection{"for " + d.String(), func(r Rule) Rule {
		var until time.Time
		return func(e *Event) Verdict {
			v := r(e)
			if v.Kinds()&e.Kind == 0 {
				return Pass
			}
			now := e.net.clock().Now()
			if until.IsZero() {
				until = now.Add(d)
			}
			if now.Before(until) {
				return v
			}
			return Pass
		}
	}}
}

// ParseFault reads a verdict and the words that say to which of the selected
// events it is given, as [Net.Arm] takes them:
//
//	refuse            to the next, once
//	refuse nth 2      to the second
//	refuse first 3    to the first three
//	refuse after 3    to all but the first three
//	refuse always     to each, until it is lifted
//	cut from 100      to the bytes of the stream from byte 100 on
//	refuse for 5s     to each, for five seconds from the first on
func ParseFault(s string) (Verdict, []Selection, error) {
	words := strings.Fields(s)
	if len(words) == 0 {
		return Pass, nil, fmt.Errorf("faultnet: a verdict is missing")
	}
	v, err := ParseVerdict(words[0])
	if err != nil {
		return v, nil, err
	}
	var which []Selection
	for words = words[1:]; len(words) > 0; {
		word := words[0]
		if word == "always" {
			which, words = append(which, Always()), words[1:]
			continue
		}
		if !slices.Contains(selectionWords, word) {
			return v, nil, fmt.Errorf("faultnet: %q: unknown word %q%s; there are: %s", s, word, nearest.DidYouMean(word, selectionWords), strings.Join(selectionWords, ", "))
		}
		if len(words) == 1 {
			return v, nil, fmt.Errorf("faultnet: %q: %q wants a number behind it", s, word)
		}
		w, err := parseSelection(word, words[1])
		if err != nil {
			return v, nil, fmt.Errorf("faultnet: %q: %w", s, err)
		}
		which, words = append(which, w), words[2:]
	}
	return v, which, nil
}

// selectionWords say to which of the selected events a verdict is given.
var selectionWords = []string{"always", "nth", "first", "after", "from", "for"}

func parseSelection(word, arg string) (Selection, error) {
	if word == "for" {
		d, err := time.ParseDuration(arg)
		if err != nil || d <= 0 {
			return Selection{}, fmt.Errorf("bad duration %q: want 90s, 1ms and the like", arg)
		}
		return For(d), nil
	}
	n, err := strconv.ParseUint(arg, 10, 31)
	if err != nil || n == 0 && (word == "nth" || word == "first") {
		return Selection{}, fmt.Errorf("bad number %q behind %s: want 1, 2 and so on", arg, word)
	}
	switch word {
	case "nth":
		return Nth(int(n)), nil
	case "first":
		return First(int(n)), nil
	case "after":
		return After(int(n)), nil
	}
	return From(int64(n)), nil
}
