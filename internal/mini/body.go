package mini

import (
	"io"
	"maps"
	"net/http"
	"sync/atomic"
	"time"
)

// How much of a closed body drain reads at most, and for how long.
const (
	drainMost = 256 << 10
	drainTime = 50 * time.Millisecond
)

// body puts its connection back into the pool when it was read to its end.
type body struct {
	io.ReadCloser
	m    *Transport
	c    *conn
	stop func() bool
	fit  bool // the connection can serve another request
	over atomic.Bool

	// These are for a transport with Drain.
	closed   atomic.Bool
	turn     chan struct{}  // full while Read or drain reads
	from, to *http.Response // the received response, and the caller's copy of it
}

// forCaller returns a copy of a response for the caller. Reading the body to its
// end writes the trailer of the received response, also if drain reads it; the
// copy does not share the trailer.
func forCaller(resp *http.Response) *http.Response {
	c := *resp
	c.Trailer = maps.Clone(resp.Trailer)
	return &c
}

func (b *body) Read(p []byte) (int, error) {
	if b.m.Drain {
		b.turn <- struct{}{}
		defer func() { <-b.turn }()
		if b.closed.Load() {
			return 0, http.ErrBodyReadAfterClose
		}
	}
	n, err := b.ReadCloser.Read(p)
	switch {
	case err == nil || b.m.Bug == "body end missed":
	case err != io.EOF && b.m.Bug == "drained after error":
	case b.m.Drain && b.closed.Load(): // drain ends it
	default:
		if err == io.EOF && b.from != nil {
			b.to.Trailer = b.from.Trailer
		}
		b.end(err == io.EOF)
	}
	return n, err
}

func (b *body) Close() error {
	if b.closed.Swap(true) || b.over.Load() {
		return nil
	}
	if b.m.Drain && b.fit && b.m.Bug != "pooled with unread body" {
		go b.drain()
		return nil
	}
	b.end(false)
	return nil
}

// drain reads the rest of the body and puts the connection back. If the rest is too
// long or takes too long, drain closes the connection.
func (b *body) drain() {
	m := b.m
	m.mu.Lock()
	closes := m.closes
	m.mu.Unlock()
	timer := time.AfterFunc(drainTime, func() {
		if m.Bug != "drains for ever" && m.Bug != "drained after error" {
			b.c.Close()
		}
	})
	b.turn <- struct{}{}
	var err error
	switch m.Bug {
	case "drained in part":
		if _, err = b.ReadCloser.Read(make([]byte, 4096)); err == nil {
			err = io.EOF
		}
	case "drained after error":
		_, err = io.Copy(io.Discard, b.c)
	default:
		_, err = io.CopyN(io.Discard, b.ReadCloser, drainMost+1)
	}
	<-b.turn
	whole := timer.Stop() && err == io.EOF
	m.mu.Lock()
	late := closes != m.closes
	m.mu.Unlock()
	if late && m.Bug == "leaked after drain" {
		return
	}
	b.end(whole)
}

// end puts the connection back, or closes it if the body was not read to its end.
func (b *body) end(whole bool) {
	if b.over.Swap(true) {
		return
	}
	switch {
	case b.stop() && whole && b.fit:
		b.m.put(b.c)
		if b.m.Bug == "put back twice" {
			b.m.put(b.c.secondUse())
		}
	case b.m.Bug == "pooled with unread body":
		b.m.put(b.c)
	case b.m.Bug == "unread body leaks conn":
	default:
		b.m.drop(b.c)
	}
}
