package limit

import (
	"context"
	"errors"
	"net"
	"testing"

	"github.com/halfopen/halfopen/suites"
	"github.com/halfopen/halfopen/suites/internal/planted"
)

// subject adapts the pool for suites.TestPool(t, subject).
func subject(dial func(context.Context) (net.Conn, error), s suites.ClientSettings) (suites.ConnPool, error) {
	if s.MaxIdle > 0 || s.IdleTimeout > 0 || s.Timeout > 0 {
		return nil, errors.New("no such setting")
	}
	return pool{New(s.MaxConns, dial)}, nil
}

type pool struct{ *Pool }

func (p pool) Get(ctx context.Context) (suites.Lease, error) {
	c, err := p.Pool.Get(ctx)
	return suites.Lease{Conn: c, Put: func() { p.Put(c) }, Discard: func() { p.Discard(c) }}, err
}

func TestLimit(t *testing.T) {
	report := planted.Failure(t, "limit-never-exceeded", subject)
	planted.Named(t, report, "limit.go", "more connections and dials than the limit, which is 2  (GUILTY)")
}
