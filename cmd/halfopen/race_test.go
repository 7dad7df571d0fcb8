//go:build race

package main

// part is the part of check that is run under -race, which takes ten times as
// long and shuffles what is inside a step: enough to see that the cells of the
// table share nothing.
var part = []string{"-group", "reuse", "-subject", "^pool|http1$"}
