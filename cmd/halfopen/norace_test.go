//go:build !race

package main

// part is the part of check that is run: all of it.
var part []string
