package harness

// roomy grows the stack of its goroutine once, before there is much on it. The runtime doubles
// a stack whenever it is too small, and copies what is on it: an operation would have its own
// copied three times on its way into a transport.
//
//go:noinline
func roomy() byte {
	var room [7 << 10]byte
	return room[len(room)-1-int(roomyAt)]
}

// roomyAt keeps the compiler from doing without the array.
var roomyAt uint8
