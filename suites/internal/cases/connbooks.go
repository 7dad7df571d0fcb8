package cases

import (
	"io"
	"net/http"
	"sync"

	"github.com/halfopen/halfopen/harness"
)

func init() { harness.HelperFile() }

// connBooks is a connection with books of what ought to be in flight on it.
type connBooks struct {
	ClientConn
	e *Env

	mu       sync.Mutex
	reserved int             // reservations that neither RoundTrip nor Release has taken
	pending  map[string]bool // requests whose RoundTrip has not returned
	bodies   int             // of responses, that have not come to their ends
	failed   int             // RoundTrip calls that returned an error
}

// keepBooks has the connection's reservations and requests counted from then on,
// and the numbers that it reports compared with that at every quiet point.
func (e *Env) keepBooks(c ClientConn) *connBooks {
	b := &connBooks{ClientConn: c, e: e, pending: make(map[string]bool)}
	e.Transport = b
	e.AtQuiet(b.check)
	return b
}

func (b *connBooks) Reserve() error {
	err := b.ClientConn.Reserve()
	b.mu.Lock()
	defer b.mu.Unlock()
	if err == nil {
		b.reserved++
	}
	return err
}

func (b *connBooks) Release() {
	b.ClientConn.Release()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reserved = max(0, b.reserved-1)
}

func (b *connBooks) RoundTrip(req *http.Request) (*http.Response, error) {
	name := req.Header.Get(harness.RequestHeader)
	b.mu.Lock()
	b.reserved = max(0, b.reserved-1)
	b.pending[name] = true
	b.mu.Unlock()
	resp, err := b.ClientConn.RoundTrip(req)
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.pending, name)
	switch {
	case err != nil:
		b.failed++
	case resp != nil && resp.Body != http.NoBody:
		b.bodies++
		resp.Body = &bookBody{ReadCloser: resp.Body, books: b}
	}
	return resp, err
}

// bookBody is a response body whose end is noted in the books.
type bookBody struct {
	io.ReadCloser
	books *connBooks
	ended bool
}

func (r *bookBody) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	if err != nil {
		r.end()
	}
	return n, err
}

func (r *bookBody) Close() error {
	err := r.ReadCloser.Close()
	r.end()
	return err
}

func (r *bookBody) end() {
	r.books.mu.Lock()
	defer r.books.mu.Unlock()
	if !r.ended {
		r.ended = true
		r.books.bodies--
	}
}

// check compares the numbers that the connection reports with the books. In flight
// are at least the reservations, and the requests that have arrived and have no
// answer; at most all requests that are not over. One that failed may count too,
// until the server has confirmed that it is gone.
func (b *connBooks) check() {
	if b.Err() != nil {
		return // other cases tell what it says then
	}
	b.mu.Lock()
	least, most := b.reserved, b.reserved+len(b.pending)+b.bodies+b.failed
	for _, r := range b.e.Requests() {
		if b.pending[r.Name()] && r.Sent() > 0 {
			least++
		}
	}
	b.mu.Unlock()
	inFlight, available := b.InFlight(), b.Available()
	if inFlight < least || inFlight > most {
		b.e.Errorf("InFlight: got %d, want %d to %d: reservations, and requests that are under way", inFlight, least, most)
	}
	if room := b.e.room() - inFlight; available > max(0, room) {
		b.e.Errorf("Available: got %d, want %d at most: %d are in flight", available, max(0, room), inFlight)
	}
}
