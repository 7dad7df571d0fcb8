// Package wakeup is a pool of connections with a planted mistake: who discards a
// connection wakes no waiter. Its goal is to look like any pool; its test shows how
// the mistake is found.
package wakeup

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
)

// Pool is connections of which there are at most Max.
type Pool struct {
	Dial func(context.Context) (net.Conn, error)
	Max  int

	mu     sync.Mutex
	free   []net.Conn
	open   int
	waits  []chan net.Conn
	closed bool
}

// Get waits for a connection.
func (p *Pool) Get(ctx context.Context) (net.Conn, error) {
	p.mu.Lock()
	if err := ctx.Err(); err != nil || p.closed {
		p.mu.Unlock()
		return nil, errors.Join(err, net.ErrClosed)
	}
	if n := len(p.free); n > 0 {
		c := p.free[n-1]
		p.free = p.free[:n-1]
		p.mu.Unlock()
		return c, nil
	}
	if p.open < p.Max {
		p.open++
		p.mu.Unlock()
		c, err := p.Dial(ctx)
		if err != nil {
			p.forget()
		}
		return c, err
	}
	w := make(chan net.Conn, 1)
	p.waits = append(p.waits, w)
	p.mu.Unlock()
	select { // the guilty line: here a Get waits for ever
	case c := <-w:
		if c == nil {
			return nil, net.ErrClosed
		}
		return c, nil
	case <-ctx.Done():
	}
	p.mu.Lock()
	p.waits = slices.DeleteFunc(p.waits, func(v chan net.Conn) bool { return v == w })
	p.mu.Unlock()
	select {
	case c := <-w: // it came too late
		if c != nil {
			p.Put(c)
		}
	default:
	}
	return nil, ctx.Err()
}

// Put gives a connection back, to the Get that has waited longest.
func (p *Pool) Put(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		p.open--
		c.Close()
	case len(p.waits) > 0:
		p.waits[0] <- c
		p.waits = p.waits[1:]
	default:
		p.free = append(p.free, c)
	}
}

// Discard closes a connection that is broken.
func (p *Pool) Discard(c net.Conn) {
	c.Close()
	p.forget()
}

// forget makes room for another connection, and should say so to those who wait.
func (p *Pool) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open--
}

// Close closes the connections, and those that are in use when they come back.
func (p *Pool) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, c := range p.free {
		c.Close()
	}
	p.free = nil
	for _, w := range p.waits {
		close(w)
	}
	p.waits = nil
	return nil
}
