// Package limit is a pool of connections with a planted mistake: its limit is off
// by one. Its goal is to look like any pool; its test shows how the mistake is
// found.
package limit

import (
	"context"
	"net"
)

// Pool is connections of which there is a limit.
type Pool struct {
	dial  func(context.Context) (net.Conn, error)
	slots chan struct{} // full at the limit
	free  chan net.Conn
}

// New returns a pool of connections that dial makes, with a limit.
func New(most int, dial func(context.Context) (net.Conn, error)) *Pool {
	return &Pool{dial: dial,
		slots: make(chan struct{}, most+1), // one too many: "for the one that is being closed"
		free:  make(chan net.Conn, most)}
}

// Get waits for a connection.
func (p *Pool) Get(ctx context.Context) (net.Conn, error) {
	select {
	case c := <-p.free:
		return c, nil
	default:
	}
	select {
	case c := <-p.free:
		return c, nil
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	c, err := p.dial(ctx) // the guilty line
	if err != nil {
		<-p.slots
	}
	return c, err
}

// Put gives a connection back.
func (p *Pool) Put(c net.Conn) {
	select {
	case p.free <- c:
	default:
		p.Discard(c)
	}
}

// Discard closes a connection that is broken, or one too many.
func (p *Pool) Discard(c net.Conn) {
	c.Close()
	<-p.slots
}

// Close closes the connections that are free.
func (p *Pool) Close() error {
	for {
		select {
		case c := <-p.free:
			p.Discard(c)
		default:
			return nil
		}
	}
}
