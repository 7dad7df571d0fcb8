// Package planted has small programs, each with one defect that shows only in some
// orders of what happens inside a step. They measure how well orders are explored.
//
// Each program is free of data races: locks, channels and atomics order what it does. A
// run fails in one of three ways: it says so, it panics, or it never returns.
package planted

import "fmt"

// Program is a program with a defect.
type Program struct {
	Name   string // the kind of the defect
	Defect string // what is wrong, in a sentence
	// Run runs the program once. It calls fail when the defect shows, or never returns.
	Run func(fail func(string))
}

// Programs returns all programs.
func Programs() []Program {
	var all []Program
	for _, group := range [][]Program{locks, atomics, channels, waits, pools} {
		all = append(all, group...)
	}
	return all
}

// together runs the functions at the same time, and returns when all have returned.
func together(fs ...func()) {
	done := make(chan bool)
	for _, f := range fs {
		go func() {
			f()
			done <- true
		}()
	}
	for range fs {
		<-done
	}
}

// failed calls fail with what was got and what was wanted, if they differ.
func failed[V comparable](fail func(string), got, want V) {
	if got != want {
		fail(fmt.Sprintf("got %v, want %v", got, want))
	}
}

// caught calls f, and fail if f panics.
func caught(fail func(string), f func()) {
	defer func() {
		if r := recover(); r != nil {
			fail(fmt.Sprint("panic: ", r))
		}
	}()
	f()
}
