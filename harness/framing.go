package harness

import (
	"bytes"
	"strconv"
)

// framing follows the responses on one connection of HTTP/1.1 without TLS and
// knows whether the last byte of the last one has arrived: RFC 9112 section 6.3.
// It is fed what arrives at the client's end. What it cannot follow (an upgraded
// connection, a tunnel, a response that it does not understand, bytes that
// answer no request) ends with the connection only. It follows the requests as well, where each
// begins behind the one before it.
type framing struct {
	requests bool // it follows requests
	done     int  // how many of them are whole
	fed      int  // how many bytes of all
	start    int  // where in these the last message begins
	state    framingState
	method   string // of the request that is answered, or followed
	line     []byte // the part of a line that has come
	n        int64  // bytes to come, of the body or of a chunk
	stray    bool   // bytes have come that answer no request

	// Of the head that is being read.
	status  int
	length  int64 // -1 while no Content-Length has come
	chunked bool
	coded   bool // a Transfer-Encoding has come
}

type framingState uint8

const (
	framingNone    framingState = iota // no request has been sent
	framingStatus                      // the status line comes next
	framingField                       // a header field, or the end of the head
	framingBody                        // n bytes
	framingSize                        // the size of a chunk
	framingChunk                       // n bytes, the line break behind the chunk included
	framingTrailer                     // a trailer field, or the end of the message
	framingWhole                       // the response is whole
	framingEndless                     // the connection's end is the end
)

// longestLine bounds how much of a line is kept: net/http's limit of a head.
const longestLine = 1 << 20

// begin notes that a request with that method is sent.
func (f *framing) begin(method string) {
	*f = framing{state: framingStatus, method: method, line: f.line[:0], stray: f.stray}
}

// whole reports whether the last byte of the response has arrived.
func (f *framing) whole() bool { return f.state == framingWhole }

// partial reports whether a part of the response has not arrived, as far as is known.
func (f *framing) partial() bool {
	return !f.stray && f.state != framingNone && f.state != framingWhole && f.state != framingEndless
}

// feed takes what arrives at the client's end.
func (f *framing) feed(b []byte) {
	f.fed += len(b)
	for len(b) > 0 {
		switch f.state {
		case framingNone, framingWhole:
			f.start = f.fed - len(b)
			if f.state = framingStatus; !f.requests {
				f.state, f.stray = framingEndless, true
			}
		case framingEndless:
			return
		case framingBody, framingChunk:
			n := min(f.n, int64(len(b)))
			b, f.n = b[n:], f.n-n
			switch {
			case f.n > 0:
			case f.state == framingBody:
				f.end()
			default:
				f.state = framingSize
			}
		default:
			i := bytes.IndexByte(b, '\n')
			if i < 0 {
				i = len(b) - 1
			}
			line, whole := b[:i+1], b[i] == '\n'
			b = b[i+1:]
			if len(f.line) > 0 || !whole {
				f.line = append(f.line, line...)
				line = f.line
			}
			switch {
			case whole:
				f.takeLine(bytes.TrimSuffix(line[:len(line)-1], []byte("\r")))
				f.line = f.line[:0]
			case len(f.line) > longestLine:
				f.state = framingEndless
			}
		}
	}
}

// takeLine takes a line without its line break.
func (f *framing) takeLine(line []byte) {
	switch f.state {
	case framingStatus:
		f.takeStatus(line)
	case framingField:
		if len(line) == 0 {
			f.endHead()
			return
		}
		f.takeField(line)
	case framingSize:
		size, _, _ := bytes.Cut(line, []byte(";"))
		n, err := strconv.ParseInt(string(bytes.TrimSpace(size)), 16, 63)
		switch {
		case err != nil || n < 0:
			f.state = framingEndless
		case n == 0:
			f.state = framingTrailer
		default:
			f.state, f.n = framingChunk, n+int64(len("\r\n"))
		}
	case framingTrailer:
		if len(line) == 0 {
			f.end()
		}
	}
}

// end notes the end of a message.
func (f *framing) end() {
	f.state = framingWhole
	f.done++
}

// takeStatus takes the first line of a response: "HTTP/1.1 200 OK"; or of a request, any.
func (f *framing) takeStatus(line []byte) {
	if f.requests {
		method, _, _ := bytes.Cut(line, []byte(" "))
		f.method = string(method)
		f.state, f.length, f.chunked, f.coded = framingField, -1, false, false
		return
	}
	version, rest, _ := bytes.Cut(line, []byte(" "))
	code, _, _ := bytes.Cut(rest, []byte(" "))
	n, err := strconv.Atoi(string(code))
	if !bytes.HasPrefix(version, []byte("HTTP/1.")) || err != nil || len(code) != 3 {
		f.state = framingEndless
		return
	}
	f.state, f.status, f.length, f.chunked, f.coded = framingField, n, -1, false, false
}

// takeField takes a header field that says how long the message is.
func (f *framing) takeField(line []byte) {
	name, value, _ := bytes.Cut(line, []byte(":"))
	value = bytes.TrimSpace(value)
	switch {
	case bytes.EqualFold(name, []byte("Content-Length")):
		n, err := strconv.ParseInt(string(value), 10, 63)
		if err != nil || n < 0 || f.length >= 0 && n != f.length {
			f.state = framingEndless
			return
		}
		f.length = n
	case bytes.EqualFold(name, []byte("Transfer-Encoding")):
		f.coded = true
		f.chunked = bytes.EqualFold(value, []byte("chunked"))
	}
}

// endHead decides, at the end of a head, how long the body is.
func (f *framing) endHead() {
	switch s := f.status; {
	case f.requests && !f.coded && f.length < 0:
		f.end()
	case s == 101 || s/100 == 2 && f.method == "CONNECT":
		f.state = framingEndless
	case s/100 == 1:
		f.state = framingStatus // an informational response: another one follows
	case f.method == "HEAD" || s == 204 || s == 304:
		f.end()
	case f.chunked:
		f.state = framingSize
	case f.coded || f.length < 0:
		f.state = framingEndless
	case f.length == 0:
		f.end()
	default:
		f.state, f.n = framingBody, f.length
	}
}
