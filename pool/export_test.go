package pool

// WriteGrace is how long the end of a request is waited for when its response
// is over first.
const WriteGrace = writeGrace

// LastWord is how long a response is waited for after the request could not be
// written.
const LastWord = lastWord

// DrainTime is how long the rest of a body that was closed early is waited for.
const DrainTime = drainTime

// DrainBytes is how much of it is read at most.
const DrainBytes = drainBytes

// MaxHosts is how many hosts without a connection are remembered.
const MaxHosts = maxHosts

// Queued returns how many requests tr has in line, how many may dial, and how
// many dials it has, all together.
func Queued(tr *Transport) (n int) {
	for _, h := range tr.hosts {
		n += h.waiting.n + h.inLine.n + h.dials.n
	}
	return n
}

// The errors that a caller meets and cannot name.
var (
	ErrHeaderTimeout    error = errHeaderTimeout
	ErrRequestCanceled        = errCanceled
	ErrCannotRewind           = errCannotRewind
	ErrReadTwice              = errReadTwice
	ErrHandshakeTimeout error = errHandshakeTimeout
)

// BufferSizes returns the sizes of the buffers of the only connection of tr.
func BufferSizes(tr *Transport) (read, write int) {
	for _, h := range tr.hosts {
		pc := h.conns.front()
		read, write = pc.br.Size(), pc.bw.Size()
	}
	return read, write
}
