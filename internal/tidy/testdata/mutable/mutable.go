// Package mutable has variables.
package mutable

import "errors"

// Bounds has fields that can be set.
type Bounds struct{ Delays int }

// Verdict has none.
type Verdict struct{ name string }

// Failure is an error.
type Failure struct{ Text string }

// Error is that of package errors.
func (Failure) Error() string { return "" }

var (
	ErrClosed = errors.New("closed")
	Lost      = Failure{}
	Refuse    = Verdict{"refuse"}
	Reset     = &Verdict{"reset"}
	Sweep     = Bounds{1}       // want `Sweep is a variable that every importer can change`
	Groups    = []string{"one"} // want `Groups is a variable that every importer can change`
	own       = []string{"two"}
)

// Quirks has those that are known. It must not be
// changed.
var Quirks = []string{"one"}

// Subjects has those that are known.
var Subjects = []string{"two"} // want `Subjects is a variable that every importer can change`
