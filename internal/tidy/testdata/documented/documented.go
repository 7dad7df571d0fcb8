// Package documented has exported names with and without a comment.
package documented

// Told has a comment.
type Told struct{}

// A Clock has one with an article.
type Clock struct{}

type Silent struct{} // want `Silent is exported and has no comment`

// This does not begin with the name.
func Elsewhere() {} // want `the comment of Elsewhere does not begin with its name`

// String has a comment.
func (Told) String() string { return "" }

func (Told) Error() string { return "" } // want `Error is exported and has no comment`

type hidden struct{}

func (hidden) String() string { return "" }

// These are two of a kind.
const (
	One = 1
	Two = 2
)

const Three = 3 // a comment at the end of the line is one

const (
	// Zero has one of its own.
	Zero = 0

	Four = 2 + // want `Four is exported and has no comment`
		2

	Five = 5 // Five has its comment at the end of the line
)
