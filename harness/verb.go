package harness

import (
	"strconv"
	"strings"
)

// verb is one verb of the script language. The manual and the checks of a
// script come from the tables of verbs alone.
type verb struct {
	name      string
	args      string // as the manual shows them
	doc       string
	negatable bool
	run       func(p *scriptRun, c *command)
}

// command is a line of a script that is being run.
type command struct {
	negate bool
	args   []string
	why    []string
}

// splitPattern splits "c1 server fin as reset".
func splitPattern(s string) (pattern, outcome string) {
	pattern, outcome, _ = strings.Cut(s, " as ")
	return pattern, outcome
}

// argNumber returns an argument that is a number.
func argNumber(s string) int {
	n, _ := strconv.Atoi(s) // checked when the script was parsed
	return n
}
