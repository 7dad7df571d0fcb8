//go:build !race

package main

// checkPart lists the flags of check. Without any, the whole table is checked.
var checkPart []string
