//go:build race

package main

// checkPart lists the flags of check under -race. The race detector takes ten times
// as long and changes the order inside a step, so only a part of the table is
// checked. That is enough to see that the cells of the table share nothing.
var checkPart = []string{"-group", "reuse", "-subject", "^pool|http1$"}
