package subjects

import (
	"context"
	"errors"
	"net"

	"github.com/jackc/puddle/v2"

	"github.com/halfopen/halfopen/suites"
)

// Puddle makes a [puddle.Pool] of connections.
func Puddle(dial func(context.Context) (net.Conn, error), s suites.ClientSettings) (suites.ConnPool, error) {
	if s.MaxIdle > 0 || s.IdleTimeout > 0 {
		return nil, errors.New("puddle has no limit of idle connections: its user has to check IdleDuration")
	}
	p, err := puddle.NewPool(&puddle.Config[net.Conn]{MaxSize: int32(orElse(s.MaxConns, 10)),
		Constructor: dial, Destructor: func(c net.Conn) { c.Close() }})
	return suites.NewPool(func(ctx context.Context) (suites.Lease, error) {
		r, err := p.Acquire(ctx)
		if err != nil {
			return suites.Lease{}, err
		}
		return suites.Lease{Conn: r.Value(), Put: r.Release, Discard: r.Destroy}, nil
	}, func() error { p.Close(); return nil }), err
}
