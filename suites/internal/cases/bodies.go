package cases

import (
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/halfopen/halfopen/harness"
)

func init() { harness.HelperFile() }

// compressed answers with 3,000 zeros, compressed if the client takes that. The
// end of the message comes behind the end of what is compressed.
func compressed(w http.ResponseWriter, r *http.Request) {
	if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		io.Copy(w, zeros(3000))
		return
	}
	w.Header().Set("Content-Encoding", "gzip")
	z := gzip.NewWriter(w)
	io.Copy(z, zeros(3000))
	z.Close()
	w.(http.Flusher).Flush()
}

// countedBody is the body of a request. It counts how often it is read and
// closed.
type countedBody struct {
	io.Reader
	reads, closes atomic.Int32
}

func newBody(r io.Reader) *countedBody { return &countedBody{Reader: r} }

func (b *countedBody) Read(p []byte) (int, error) {
	b.reads.Add(1)
	return b.Reader.Read(p)
}

func (b *countedBody) Close() error {
	b.closes.Add(1)
	return nil
}

func (b *countedBody) wantClosed(e *Env, whose string) {
	if n := b.closes.Load(); n != 1 {
		e.Errorf("%s: got its request body closed %d times, want once", whose, n)
	}
}

// upload returns a POST with a body that cannot be sent a second time.
func upload(ctx context.Context, url string, body io.ReadCloser) *http.Request {
	req, _ := http.NewRequestWithContext(ctx, "POST", url, nil)
	req.Body, req.ContentLength = body, -1
	return req
}

// zeros is so many bytes of "0".
func zeros(n int64) io.Reader { return io.LimitReader(zero{}, n) }

type zero struct{}

func (zero) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '0'
	}
	return len(p), nil
}

type failingReader struct{ err error }

func (r failingReader) Read([]byte) (int, error) { return 0, r.err }

// blockedBody is a body whose Read waits for its Close, as a pipe's does.
type blockedBody struct {
	*countedBody
	until chan struct{}
	once  sync.Once
}

func (b *blockedBody) Read([]byte) (int, error) {
	<-b.until
	return 0, io.ErrClosedPipe
}

func (b *blockedBody) Close() error {
	b.unblock()
	return b.countedBody.Close()
}

func (b *blockedBody) unblock() { b.once.Do(func() { close(b.until) }) }

// keeper is a transport that remembers what was read of each body, which an
// exploration reads by itself.
type keeper struct {
	http.RoundTripper
	mu   sync.Mutex
	kept map[string]*keptBody
}

// keptBody has what was read of a body, and the error that ended it. A body of
// which nothing was read has none.
type keptBody struct {
	io.ReadCloser
	content []byte
	err     error
}

// keepBodies has the bodies of the responses from now on remembered.
func (e *Env) keepBodies() *keeper {
	k := &keeper{RoundTripper: e.Transport, kept: make(map[string]*keptBody)}
	e.Transport = k
	return k
}

func (k *keeper) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := k.RoundTripper.RoundTrip(req)
	if resp == nil || resp.Body == nil {
		return resp, err
	}
	b := &keptBody{ReadCloser: resp.Body}
	resp.Body = b
	k.mu.Lock()
	defer k.mu.Unlock()
	k.kept[req.Header.Get(harness.RequestHeader)] = b
	return resp, err
}

func (k *keeper) CloseIdleConnections() {
	if c, ok := k.RoundTripper.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// of returns the body of a response that has ended.
func (k *keeper) of(name string) *keptBody {
	k.mu.Lock()
	defer k.mu.Unlock()
	if b := k.kept[name]; b != nil {
		return b
	}
	return &keptBody{}
}

func (b *keptBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.content = append(b.content, p[:n]...)
	if b.err == nil {
		b.err = err
	}
	return n, err
}
