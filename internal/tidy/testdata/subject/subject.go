// Package subject has many files.
package subject

const ok = "HTTP/1.1 200 OK" // want `ok does not carry its subject, in a package of 8 files`

const okHead = "HTTP/1.1 200 OK"

func set() { // want `set does not carry its subject`
	ok := ok
	_ = ok
}
