// Package on knows whether the program runs on the edited runtime of package
// deep.
package on
