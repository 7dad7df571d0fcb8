package faultnet

import (
	"fmt"
	"path"
	"strings"
)

// Pattern selects events by name. It is a list of words, each matched as by
// [path.Match] against the word of the event's name at its place; words that
// the pattern does not have match anything:
//
//	dial                     every dial
//	dial * api.test:80       every dial to that address
//	c1                       everything on c1
//	* server->client data    bytes from any server
//	* client write           each Write at a client's end
//	accept                   each Accept of a listener
type Pattern struct {
	text  string
	words []string
}

// ParsePattern checks and splits a pattern.
func ParsePattern(s string) (Pattern, error) {
	p := Pattern{text: s, words: strings.Fields(s)}
	if len(p.words) == 0 {
		return p, fmt.Errorf("faultnet: empty event pattern")
	}
	for _, w := range p.words {
		if _, err := path.Match(w, ""); err != nil {
			return p, fmt.Errorf("faultnet: event pattern %q: %v in %q", s, err, w)
		}
	}
	return p, nil
}

// String returns the text that the pattern was made from.
func (p Pattern) String() string { return p.text }

// Match reports whether the pattern selects e.
func (p Pattern) Match(e *Event) bool {
	name := strings.Fields(e.String())
	if len(p.words) > len(name) {
		return false
	}
	for i, w := range p.words {
		if ok, _ := path.Match(w, name[i]); !ok {
			return false
		}
	}
	return true
}
