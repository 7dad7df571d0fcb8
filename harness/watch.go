package harness

import (
	"cmp"
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness/internal/bubble"
)

// watch makes the record of a request, and the request as it is sent: with
// its name in the header and in the context.
func (c *census) watch(name string, req *http.Request, at string) (*Request, *http.Request) {
	ctx, cancel := context.WithCancel(req.Context())
	r := &Request{Op: Op{name: name, where: at, cancel: cancel}, method: req.Method, url: *req.URL}
	//lint:ignore SA1019 Request.Cancel is part of what net/http promises, deprecated or not.
	r.request, r.ctx, r.quit = r, ctx, req.Cancel
	r.runs, r.hooks.got, r.sent = r.firstRuns[:0], r.firstGot[:0], r.firstSent[:0]
	r.parent = cmp.Or(c.request(req.Header.Get(RequestHeader)), c.request(faultnet.Owner(ctx)))
	r.once = !replayable(req)
	r.upload = req.Body != nil && req.Body != http.NoBody
	r.deadline, _ = req.Context().Deadline()
	r.plainAddr = plainAddr(req.URL)
	c.add(&r.Op)
	out := req.WithContext(c.dresser.trace(faultnet.WithOwner(r.shieldHooks(ctx), r.name), r))
	out.Header = make(http.Header, len(req.Header)+1)
	for k, v := range req.Header {
		out.Header[k] = slices.Clone(v)
	}
	out.Header[RequestHeader] = []string{r.name}
	return r, c.dresser.addGates(r.name, r.shield(out))
}

// roundTrip sends the request and keeps the result.
func (r *Request) roundTrip(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
	r.goesTo(rt)
	resp, err := rt.RoundTrip(req)
	r.checkReturn(resp, err)
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	r.returned, r.resp, r.err = true, resp, err
	r.change()
	switch {
	case err != nil || resp == nil:
		r.finished = true
		if err != nil {
			r.c.failed = append(r.c.failed, r)
		}
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
	r      *Request
	closed bool // guarded by census.mu
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	r := b.r
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	addBytes(&r.got, p[:n])
	if err != nil {
		r.change()
		// Reading to the end is as good as closing: net/http frees the
		// connection then.
		r.finished = true
	}
	switch {
	case err == io.EOF:
		r.got.state = wholeTally
	case err != nil && !b.closed && r.broken == nil:
		r.broken = err
		r.c.failed = append(r.c.failed, r)
	}
	return n, err
}

func (b *body) Close() error {
	b.r.c.mu.Lock()
	b.closed = true
	b.r.early = b.r.early || !b.r.finished
	b.r.finished = true
	b.r.change()
	b.r.c.mu.Unlock()
	return b.ReadCloser.Close()
}

// watched is a transport whose round trips are requests of the census.
type watched struct {
	c  *census
	rt http.RoundTripper
}

// RoundTrip watches the request, unless it is on its way through another watched
// transport already: the two are one operation.
func (w *watched) RoundTrip(req *http.Request) (*http.Response, error) {
	if r := w.c.requestOf(req); r != nil {
		r.goesTo(w.rt)
		resp, err := w.rt.RoundTrip(req)
		if resp != nil && err == nil {
			r.tried(resp)
		}
		return resp, err
	}
	r, out := w.c.watch("", req, bubble.Caller())
	r.t.lacks("the code that makes %s", r.name)
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

// checkReturn checks the one outcome of a round trip.
func (r *Request) checkReturn(resp *http.Response, err error) {
	switch {
	case resp == nil && err == nil:
		r.t.violate(oracleReturn, &r.Op, "%s: RoundTrip returned neither a response nor an error", r.name)
	case resp != nil && err != nil:
		r.t.violate(oracleReturn, &r.Op, "%s: RoundTrip returned a response and an error: %v", r.name, err)
	case resp != nil:
		if of := resp.Header.Get(RequestHeader); of != "" && of != r.name && !r.within(of) {
			r.c.mu.Lock()
			r.c.foreign = append(r.c.foreign, answered{r, of})
			r.c.mu.Unlock()
		}
	}
}

// within reports whether the request of that name was made to carry out this one: by what is
// between two transports that are watched.
func (r *Request) within(name string) bool {
	q := r.c.request(name)
	for q != nil && q != r {
		q = q.parent
	}
	return q != nil
}

// answered is a request that has returned the response to the one of that name.
type answered struct {
	r  *Request
	of string
}

// checkAnswers looks at the responses that are not their requests' own. A request that was sent
// to no server has its response from a cache, or shares the one of another: RFC 9111 section 4.
func (o *oracles) checkAnswers(pending []*faultnet.Event) {
	o.census.mu.Lock()
	foreign := o.census.foreign
	o.census.foreign = nil
	o.census.mu.Unlock()
	for _, f := range foreign {
		o.census.mu.Lock()
		sent := len(f.r.runs) > 0 || len(f.r.hooks.got) > 0
		o.census.mu.Unlock()
		if sent || f.r.onItsWay(pending) {
			o.t.violate(oracleAnswer, &f.r.Op, "%s: got the response to %s", f.r.name, f.of)
		}
	}
}

// replayable reports whether a request may be sent again when it is not known
// whether a server carried it out: RFC 9110 section 9.2.2, and the
// Idempotency-Key that net/http documents, which may be a header without a value.
func replayable(req *http.Request) bool {
	switch req.Method {
	case "", "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE":
		return true
	}
	return req.Header["Idempotency-Key"] != nil || req.Header["X-Idempotency-Key"] != nil
}

// plainAddr returns the "host:port" that a request for a plain http URL dials.
func plainAddr(u *url.URL) string {
	if u.Scheme != "http" {
		return ""
	}
	port := u.Port()
	if port == "" {
		port = "80"
	}
	return net.JoinHostPort(u.Hostname(), port)
}
