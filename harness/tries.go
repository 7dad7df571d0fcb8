package harness

import (
	"io"
	"net/http"
	"slices"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness/internal/bubble"
)

// try is a response that a transport got of another one, which is watched too, to carry out a
// request: one that sends requests again may have several.
type try struct {
	io.ReadCloser
	r      *Request
	status int
	where  string // the line that received it
	over   bool   // the body was closed, or read to its end; guarded by census.mu
}

// tried keeps the response of a try, if it has a body.
func (r *Request) tried(resp *http.Response) {
	t := &try{ReadCloser: resp.Body, r: r, status: resp.StatusCode, where: bubble.Caller()}
	_, upgraded := resp.Body.(io.Writer)
	t.over = upgraded || resp.Body == nil || resp.Body == http.NoBody || resp.ContentLength == 0
	if !t.over {
		resp.Body = t
	}
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	r.tries = append(r.tries, t)
}

func (t *try) Read(p []byte) (int, error) {
	n, err := t.ReadCloser.Read(p)
	if err != nil {
		t.end()
	}
	return n, err
}

func (t *try) Close() error {
	t.end()
	return t.ReadCloser.Close()
}

func (t *try) end() {
	t.r.c.mu.Lock()
	defer t.r.c.mu.Unlock()
	t.over = true
}

// openTries adds the bodies of tries that were left, of requests that were the last on one of the connections.
// The last try of a request whose own body is open is that body.
func (c *census) openTries(ends []*faultnet.Conn, add func(kind Kind, where, format string, args ...any)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.requests {
		if !r.returned || !slices.ContainsFunc(ends, func(end *faultnet.Conn) bool { h := c.conns[end]; return h != nil && h.wire.last == r }) {
			continue
		}
		for i, t := range r.tries {
			if t.over || i == len(r.tries)-1 && r.err == nil && !r.finished {
				continue
			}
			add(KindBody, t.where, "%s: response body of %s %s never closed: that of try %d, with status %d", r.name, r.method, &r.url, i+1, t.status)
		}
	}
}
