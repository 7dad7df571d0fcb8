package harness

// Whole reports whether a response to a request with that method is whole.
func Whole(method, response string) bool {
	var f framing
	f.begin(method)
	f.feed([]byte(response))
	return f.whole()
}
