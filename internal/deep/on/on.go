// Package on reports whether the program runs on the edited runtime of package
// deep.
package on
