package harness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

// An error that says that a connection or a context has ended has a cause that the harness can
// see: a fault, the peer, a cancellation or the time. Of other errors (a request that is not
// valid, an answer that is not, a decision of the code under test) it knows nothing.

// checkCauses looks at the requests that have failed since the last quiet point.
func (o *oracles) checkCauses() {
	o.census.mu.Lock()
	failed := o.census.failed
	o.census.failed = nil
	o.census.mu.Unlock()
	for _, r := range failed {
		o.checkCause(r)
	}
}

// checkCause checks, at the quiet point after it, that the error of a request, or of reading
// its response, has a cause that is the request's own. What datagrams tell about a connection, and
// which belong to it, is not known.
func (o *oracles) checkCause(r *Request) {
	c := r.c
	c.mu.Lock()
	err := r.err
	if err == nil {
		err = r.broken
	}
	conns := c.carriersOf(r)
	mine := r.ctx.Err() != nil || r.bodyErr || r.decoded(err) || canceled(r.quit)
	passed := time.Since(r.since) > 0
	c.mu.Unlock()
	own, others := o.dialsOf(r, err)
	if mine || own {
		return
	}
	if others != "" {
		o.t.violate(oracleCause, &r.Op, "%s: %v, which is what the dial for %s came to, and its own did not", r.name, err, others)
		return
	}
	about := aboutOf(err)
	if about == aboutOther || len(conns) == 0 && o.t.net.Flows() > 0 || passed && (about == aboutTime || strings.Contains(err.Error(), "lost")) ||
		about != aboutContext && slices.ContainsFunc(conns, o.ends) {
		return
	}
	switch {
	case about == aboutContext:
		o.t.violateAt(oracleCause, &r.Op, o.t.journal.place(), fmt.Sprintf("%s: %v, and it was not cancelled", r.name, err), c.cancelled()...)
	case about == aboutTime:
		o.t.violate(oracleCause, &r.Op, "%s: %v, and no time has passed", r.name, err)
	default:
		o.t.violate(oracleCause, &r.Op, "%s: failed without a cause: %v; %s", r.name, err, r.history(conns))
	}
}

// about says what an error is about.
type about uint8

const (
	aboutOther   about = iota // something of which the harness does not know whether it has a cause
	aboutConn                 // the end of a connection
	aboutContext              // the end of a context, by a cancellation
	aboutTime                 // the end of a time
)

// endOfConn matches the texts of errors about the end of a connection.
var endOfConn = regexp.MustCompile(`(?i)\bconn(ection)?s?\b.*\b(broken|closed|lost|reset|bad state|timeout|idle)\b|\b(broken|closed|lost|reset)\b.*\bconn(ection)?s?\b|CloseIdleConnections|keep alives disabled|readLoop exiting`)

// aboutOf returns what an error is about.
func aboutOf(err error) about {
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return aboutTime
	case errors.Is(err, context.Canceled):
		return aboutContext
	}
	for _, end := range [...]error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, io.ErrClosedPipe, syscall.EPIPE, syscall.ECONNRESET, syscall.ECONNABORTED} {
		if errors.Is(err, end) {
			return aboutConn
		}
	}
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	switch text := err.Error(); {
	case strings.Contains(text, "request canceled"):
		return aboutContext
	case endOfConn.MatchString(text):
		return aboutConn
	}
	return aboutOther
}

// carriersOf returns, with mu held, the connections that have or may have carried a request:
// those that it was given, was sent on or was dialed for, or all if its transport does not
// tell which. A request that began no dial and was given no connection may have waited for any.
func (c *census) carriersOf(r *Request) (conns []*Conn) {
	its := func(h *Conn) bool {
		return slices.Contains(r.hooks.got, h) || slices.Contains(r.runs, h) || h.client.Owner() == r.name
	}
	began := func(d dialed) bool { return d.owner == r.name }
	told := r.hooks.asked > 0 && (len(r.hooks.got)+len(r.runs) > 0 || slices.ContainsFunc(c.dialed, began))
	for _, h := range c.conns {
		if !told || its(h) {
			conns = append(conns, h)
		}
	}
	slices.SortFunc(conns, func(a, b *Conn) int { return a.client.Number() - b.client.Number() })
	return conns
}

// ends reports whether something has happened to a connection that ends what is on it: a
// fault, its peer, or bytes that are no response. Over TLS and HTTP/2 a server says that it
// ends a connection before it does, and what one of the test's own says is not known.
func (o *oracles) ends(h *Conn) bool {
	if h.client.Fault() != "" || h.client.Ended() != 0 || h.hungUp {
		return true
	}
	w := &h.wire
	o.census.mu.Lock()
	defer o.census.mu.Unlock()
	if w.seen && !w.plain {
		return !o.t.vouched[h.client.Address()] || h.client.Peer().State() != "ESTABLISHED"
	}
	return w.response.stray || w.response.state == framingEndless
}

// dialsOf reports whether a dial of the request has failed, other than by its context, and
// returns the operation, if it is another one, whose dial has failed with the request's error
// although the request has begun a dial of its own.
func (o *oracles) dialsOf(r *Request, err error) (own bool, others string) {
	o.census.mu.Lock()
	defer o.census.mu.Unlock()
	began, shared := false, false
	for _, d := range o.census.dialed {
		mine := d.owner == r.name
		began = began || mine
		switch {
		case d.err == nil || errors.Is(d.err, context.Canceled):
		case mine:
			own = true
		case errors.Is(err, d.err):
			others, shared = d.owner, true
		}
	}
	if !began {
		return own || shared, "" // one dial for several, or one that does not say for which it is
	}
	return own, others
}

// decoded reports, with mu held, whether an error is that of a response's content, which the
// transport has decompressed.
func (r *Request) decoded(err error) bool {
	return r.err == nil && r.resp != nil && r.resp.Uncompressed && errors.Is(err, io.ErrUnexpectedEOF)
}

// canceled reports whether the channel of Request.Cancel is closed.
func canceled(quit <-chan struct{}) bool {
	select {
	case <-quit:
		return true
	default:
		return false
	}
}

// cancelled returns, in a line for each, which operations were cancelled.
func (c *census) cancelled() (lines []string) {
	for _, o := range c.allOps() {
		c.mu.Lock()
		if o.cancelled {
			lines = append(lines, o.name+" was cancelled")
		}
		c.mu.Unlock()
	}
	return lines
}

// history returns what has happened on the connections of a request, in a line.
func (r *Request) history(conns []*Conn) string {
	if len(conns) == 0 {
		return "it had no connection"
	}
	var all []string
	for _, h := range conns {
		s := h.ID()
		if owner := h.client.Owner(); owner != "" && owner != r.name {
			s += ", opened for " + owner
		}
		r.c.mu.Lock()
		sent := slices.Contains(r.runs, h)
		r.c.mu.Unlock()
		if sent {
			s += fmt.Sprintf(": %s was sent on it", r.name)
		} else {
			s += fmt.Sprintf(": nothing of %s has arrived", r.name)
		}
		s += fmt.Sprintf(", %d bytes came back", h.client.Arrived())
		if h.client.IsClosed() {
			s += ", the client closed it"
		} else {
			s += ", it is open"
		}
		all = append(all, s+", and neither a fault nor its peer has ended it")
	}
	return strings.Join(all, "; ")
}
