package mini

import (
	"io"
	"maps"
	"net/http"
	"sync/atomic"
	"time"
)

// What is read at most of a body that was closed, and for how long.
const (
	drainMost = 256 << 10
	drainTime = 50 * time.Millisecond
)

// body gives the connection back when it was read to its end.
type body struct {
	io.ReadCloser
	m    *Transport
	c    *conn
	stop func() bool
	fit  bool // the connection, for another request
	over atomic.Bool

	// Of a transport that drains.
	closed   atomic.Bool
	turn     chan struct{}  // held by what reads
	from, to *http.Response // as it was received, and as the caller has it
}

// callers is a copy of a response that shares nothing with it that reading the body
// changes: http.ReadResponse writes the trailer when the body ends, whoever reads it.
func callers(resp *http.Response) *http.Response {
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
	case err == nil || b.m.Bug == "end not noticed":
	case err != io.EOF && b.m.Bug == "failure drained":
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
	if b.m.Drain && b.fit && b.m.Bug != "unread is pooled" {
		go b.drain()
		return nil
	}
	b.end(false)
	return nil
}

// drain reads what is left of the body, and gives the connection back, or closes it
// if that is too much or takes too long.
func (b *body) drain() {
	m := b.m
	m.mu.Lock()
	closes := m.closes
	m.mu.Unlock()
	timer := time.AfterFunc(drainTime, func() {
		if m.Bug != "drains for ever" && m.Bug != "failure drained" {
			b.c.Close()
		}
	})
	b.turn <- struct{}{}
	var err error
	switch m.Bug {
	case "part drained":
		if _, err = b.ReadCloser.Read(make([]byte, 4096)); err == nil {
			err = io.EOF
		}
	case "failure drained":
		_, err = io.Copy(io.Discard, b.c)
	default:
		_, err = io.CopyN(io.Discard, b.ReadCloser, drainMost+1)
	}
	<-b.turn
	whole := timer.Stop() && err == io.EOF
	m.mu.Lock()
	late := closes != m.closes
	m.mu.Unlock()
	if late && m.Bug == "drained and forgotten" {
		return
	}
	b.end(whole)
}

func (b *body) end(whole bool) {
	if b.over.Swap(true) {
		return
	}
	switch {
	case b.stop() && whole && b.fit:
		b.m.put(b.c)
		if b.m.Bug == "put back twice" {
			b.m.put(b.c.again())
		}
	case b.m.Bug == "unread is pooled":
		b.m.put(b.c)
	case b.m.Bug == "unread stays open":
	default:
		b.m.drop(b.c)
	}
}
