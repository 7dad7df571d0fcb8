// Package nearest finds the name that the author of a wrong one may have meant.
package nearest

import (
	"fmt"
	"strings"
)

// DidYouMean returns a suggestion of the name that is nearest to a wrong one, or
// nothing if none is near. Capital letters make no difference. A name that has no letter in
// common with the wrong one is not near.
func DidYouMean(wrong string, names []string) string {
	best, least := "", 1+max(1, len(wrong)/2)
	for _, name := range names {
		if d := distance(strings.ToLower(wrong), strings.ToLower(name)); d < least && d < len(wrong) && d < len(name) {
			best, least = name, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %q?)", best)
}

// mostOfList is how long a list may be that stands behind a suggestion.
const mostOfList = 200

// ThereAre returns what an error says about the names that there are: the nearest one, and all of
// them. Behind a suggestion a long list is left out.
func ThereAre(wrong string, names []string) string {
	near, list := DidYouMean(wrong, names), strings.Join(names, ", ")
	if near != "" && len(list) > mostOfList {
		return near
	}
	return near + "; there are: " + list
}

// distance returns the number of letters to insert, remove, replace or swap with
// their neighbour to make b of a.
func distance(a, b string) int {
	var before, last, row []int
	for j := 0; j <= len(b); j++ {
		row = append(row, j)
	}
	for i := 1; i <= len(a); i++ {
		before, last, row = last, row, make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
