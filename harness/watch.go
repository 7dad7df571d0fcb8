package harness

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness/internal/bubble"
)

// watch makes the record of a request, and the request as it is sent: with
// its name in the header and in the context.
func (t *T) watch(name string, req *http.Request, at string) (*Request, *http.Request) {
	ctx, cancel := context.WithCancel(req.Context())
	t.mu.Lock()
	if name == "" {
		t.calls++
		name = fmt.Sprintf("call%d", t.calls)
	}
	r := &Request{Op: Op{name: name, where: at, cancel: cancel}, method: req.Method, url: req.URL.String()}
	r.request = r
	t.addOp(&r.Op)
	t.requests = append(t.requests, r)
	t.mu.Unlock()
	out := req.WithContext(faultnet.WithOwner(ctx, name))
	out.Header = make(http.Header, len(req.Header)+1)
	for k, v := range req.Header {
		out.Header[k] = slices.Clone(v)
	}
	out.Header[RequestHeader] = []string{name}
	r.once = !replayable(req)
	r.sends = req.GetBody
	r.deadline, _ = req.Context().Deadline()
	r.plainAddr = plainAddr(req.URL)
	return r, t.addGates(r, out)
}

// roundTrip sends the request and keeps what came of it.
func (r *Request) roundTrip(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
	resp, err := rt.RoundTrip(req)
	t := r.t
	r.judge(resp, err)
	t.mu.Lock()
	defer t.mu.Unlock()
	r.returned, r.resp, r.err = true, resp, err
	switch {
	case err != nil || resp == nil:
		r.finished = true
	case resp.Body == nil || resp.Body == http.NoBody:
		r.finished, r.got.state = true, wholeTally
	default:
		r.body = &body{ReadCloser: resp.Body, r: r}
		resp.Body = r.body
		if w, ok := r.body.ReadCloser.(io.Writer); ok {
			resp.Body = upgradedBody{r.body, w}
		}
	}
	return resp, err
}

// upgradedBody is the body of a 101: an upgraded connection is written to, and
// half-closed, through it.
type upgradedBody struct {
	*body
	io.Writer
}

// CloseWrite does what that of net/http's body does.
func (b upgradedBody) CloseWrite() error {
	if w, ok := b.Writer.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return http.ErrNotSupported
}

// body watches a response body.
type body struct {
	io.ReadCloser
	r *Request
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	r := b.r
	r.t.mu.Lock()
	defer r.t.mu.Unlock()
	add(&r.got, p[:n])
	if err != nil {
		// Reading to the end is as good as closing: net/http frees the
		// connection then.
		r.finished = true
	}
	if err == io.EOF {
		r.got.state = wholeTally
	}
	return n, err
}

func (b *body) Close() error {
	b.r.t.mu.Lock()
	b.r.early = b.r.early || !b.r.finished
	b.r.finished = true
	b.r.t.mu.Unlock()
	return b.ReadCloser.Close()
}

// Client is an [http.Client] over rt for the code under test: each of its
// round trips is a Request that the harness watches, named call1, call2, ... in
// the order in which they start. Response bodies that are never closed are
// reported with the line that received them.
func (t *T) Client(rt http.RoundTripper) *http.Client {
	return &http.Client{Transport: t.Watch(rt)}
}

// Watch wraps a transport as [T.Client] does, for those who make their own
// client.
func (t *T) Watch(rt http.RoundTripper) http.RoundTripper {
	t.adopt(rt)
	t.study(rt)
	return &watched{t, rt}
}

type watched struct {
	t  *T
	rt http.RoundTripper
}

// RoundTrip watches the request, unless it is on its way through another watched
// transport already: the two are one operation.
func (w *watched) RoundTrip(req *http.Request) (*http.Response, error) {
	if w.t.requestOf(req) != nil {
		return w.rt.RoundTrip(req)
	}
	r, out := w.t.watch("", req, bubble.Caller())
	defer close(r.done)
	resp, err := r.roundTrip(w.rt, out)
	if resp != nil {
		resp.Request = req
	}
	return resp, err
}

func (w *watched) CloseIdleConnections() {
	if c, ok := w.rt.(idler); ok {
		c.CloseIdleConnections()
	}
}

// adopt remembers a transport whose idle connections are to be closed at the
// end.
func (t *T) adopt(rt http.RoundTripper) {
	c, ok := rt.(idler)
	if !ok {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	// A transport may be of a type that can't be compared.
	if !reflect.TypeOf(c).Comparable() || !slices.Contains(t.transports, c) {
		t.transports = append(t.transports, c)
	}
}
