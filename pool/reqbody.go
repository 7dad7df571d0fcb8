package pool

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"sync"
)

// A sentBody is the body of a request on its way out. It knows whether it was
// touched, so that a retry knows whether it can go without GetBody; it is
// closed exactly once, on every path (golang/go#35015, #40382); and it
// can be stopped from outside, so that a connection that closes does not leave
// its write loop in a Read that never returns.
type sentBody struct {
	src io.ReadCloser

	mu      sync.Mutex
	gate    func() error // waits for 100 Continue before the first read
	stopped error        // set: reads return it
	reading bool         // in src.Read
	touched bool         // read or closed
	closed  bool
	err     error // of src.Read, other than io.EOF
}

func (b *sentBody) Read(p []byte) (int, error) {
	if err := b.enter(); err != nil {
		return 0, err
	}
	n, err := b.src.Read(p)
	return n, b.leave(err)
}

func (b *sentBody) enter() error {
	b.mu.Lock()
	gate := b.gate
	b.gate = nil
	b.mu.Unlock()
	var refused error
	if gate != nil {
		refused = gate()
	}

	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stopped == nil {
		b.stopped = refused
	}
	if b.stopped != nil {
		return b.stopped
	}
	if b.closed {
		return http.ErrBodyReadAfterClose
	}
	b.reading, b.touched = true, true
	return nil
}

func (b *sentBody) leave(err error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reading = false
	switch {
	case b.stopped != nil:
		return b.stopped // whatever Read says, closing it under the reader caused it
	case err != nil && err != io.EOF:
		b.err = err
	}
	return err
}

// Close closes the source, the first time.
func (b *sentBody) Close() error {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return nil
	}
	b.closed, b.touched = true, true
	b.mu.Unlock()
	return b.src.Close()
}

// stop ends the body's use by a write loop whose connection is closed. A Read
// in progress is unblocked the only way there is, by closing the source;
// stop then reports true, and the write loop will not touch the request again.
func (b *sentBody) stop() (stuck bool) {
	b.mu.Lock()
	if b.stopped == nil {
		b.stopped = errBodyStopped
	}
	stuck = b.reading
	b.mu.Unlock()
	if stuck {
		b.Close()
	}
	return stuck
}

// readError returns the error with which reading the caller's body failed, or nil.
func (b *sentBody) readError() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}

// fault returns the reason why the write of a request failed if its body, which
// may be nil, failed or was stopped.
func (b *sentBody) fault() error {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return b.err
	}
	return b.stopped
}

// trackBody returns req, or a copy of it whose body is tracked. Bytes in memory
// that GetBody can bring back need no tracking: and left as they are, net/http
// sends them in one segment with the header.
func trackBody(req *http.Request) *http.Request {
	if noBody(req) || (req.GetBody != nil && req.Header["Expect"] == nil && inMemory(req.Body)) {
		return req
	}
	sent := *req
	sent.Body = &sentBody{src: req.Body}
	return &sent
}

func tracked(req *http.Request) *sentBody {
	b, _ := req.Body.(*sentBody)
	return b
}

func noBody(req *http.Request) bool {
	return req.Body == nil || req.Body == http.NoBody
}

// canRewind reports whether rewind would succeed.
func canRewind(req *http.Request) bool {
	if noBody(req) || req.GetBody != nil {
		return true
	}
	b := tracked(req)
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.touched
}

// rewind returns req with its whole body ahead of it. Where it fails the body
// has been closed.
func rewind(req *http.Request) (*http.Request, error) {
	if noBody(req) {
		return req, nil
	}
	b := tracked(req)
	if b != nil {
		b.mu.Lock()
		fresh := !b.touched
		if fresh {
			b.stopped, b.gate = nil, nil
		}
		b.mu.Unlock()
		if fresh {
			return req, nil
		}
	}
	closeBody(req)
	if req.GetBody == nil {
		return nil, errCannotRewind
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, err
	}
	if body == nil {
		return nil, errors.New("pool: Request.GetBody returned nil")
	}
	again := *req
	if again.Body = body; b != nil {
		again.Body = &sentBody{src: body}
	}
	return &again, nil
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		req.Body.Close()
	}
}

var nopClosers = [...]reflect.Type{
	reflect.TypeOf(io.NopCloser(nil)),
	reflect.TypeOf(io.NopCloser(struct {
		io.Reader
		io.WriterTo
	}{})),
}

// inMemory reports whether r reads from memory and closing it does nothing.
// These are the bodies that http.NewRequest makes.
func inMemory(r io.ReadCloser) bool {
	if t := reflect.TypeOf(r); t != nopClosers[0] && t != nopClosers[1] {
		return false
	}
	switch reflect.ValueOf(r).Field(0).Interface().(type) {
	case *bytes.Reader, *bytes.Buffer, *strings.Reader:
		return true
	}
	return false
}
