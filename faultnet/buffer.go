package faultnet

import "sync"

// buffer is a queue of bytes in one array that wraps around. It holds a small
// array of its own for short messages and borrows larger ones from a pool
// only while it has bytes in them, so that an idle connection is cheap.
type buffer struct {
	b    []byte
	head int // index of the first byte
	n    int // bytes held
}

// The arrays that a buffer grows through. What is held at once never exceeds
// the send and the receive buffer together, whose default is the last size.
const (
	smallBuffer  = 512
	mediumBuffer = 8 << 10
	largeBuffer  = 128 << 10
)

var mediumBuffers = sync.Pool{New: func() any { return new([mediumBuffer]byte) }}
var largeBuffers = sync.Pool{New: func() any { return new([largeBuffer]byte) }}

func (q *buffer) push(p []byte) {
	if q.n+len(p) > len(q.b) {
		q.grow(q.n + len(p))
	}
	tail := q.head + q.n
	if tail >= len(q.b) {
		tail -= len(q.b)
	}
	if k := copy(q.b[tail:], p); k < len(p) {
		copy(q.b, p[k:])
	}
	q.n += len(p)
}

// pop moves up to len(p) of the first limit bytes into p.
func (q *buffer) pop(p []byte, limit int) int {
	n := q.peek(p, 0, limit)
	q.head += n
	if q.head >= len(q.b) {
		q.head -= len(q.b)
	}
	q.n -= n
	if q.n == 0 {
		q.head = 0
		if len(q.b) > smallBuffer {
			q.release()
		}
	}
	return n
}

// peek copies up to len(p) of the bytes from..limit into p.
func (q *buffer) peek(p []byte, from, limit int) int {
	n := min(len(p), limit-from)
	if n <= 0 {
		return 0
	}
	at := q.head + from
	if at >= len(q.b) {
		at -= len(q.b)
	}
	if k := copy(p[:n], q.b[at:]); k < n {
		copy(p[k:n], q.b)
	}
	return n
}

// truncate forgets all but the first n bytes.
func (q *buffer) truncate(n int) {
	q.n = n
	if n == 0 {
		q.head = 0
		q.release()
	}
}

func (q *buffer) grow(need int) {
	var b []byte
	switch {
	case need <= smallBuffer:
		b = make([]byte, smallBuffer)
	case need <= mediumBuffer:
		b = mediumBuffers.Get().(*[mediumBuffer]byte)[:]
	case need <= largeBuffer:
		b = largeBuffers.Get().(*[largeBuffer]byte)[:]
	default:
		b = make([]byte, max(need, 2*len(q.b)))
	}
	n := q.peek(b, 0, q.n)
	q.release()
	q.b, q.head, q.n = b, 0, n
}

// release gives a borrowed array back.
func (q *buffer) release() {
	switch len(q.b) {
	case mediumBuffer:
		mediumBuffers.Put((*[mediumBuffer]byte)(q.b))
	case largeBuffer:
		largeBuffers.Put((*[largeBuffer]byte)(q.b))
	}
	q.b = nil
}
