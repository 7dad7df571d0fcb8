package wakeup

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
	return pool{&Pool{Dial: dial, Max: s.MaxConns}}, nil
}

type pool struct{ *Pool }

func (p pool) Get(ctx context.Context) (suites.Lease, error) {
	c, err := p.Pool.Get(ctx)
	return suites.Lease{Conn: c, Put: func() { p.Put(c) }, Discard: func() { p.Discard(c) }}, err
}

func TestWakeUp(t *testing.T) {
	report := planted.Failure(t, "stuck-after-break", subject)
	planted.Named(t, report, "wakeup.go", "stuck: nothing moved for ", "select: wakeup.(*Pool).Get GUILTY")
}
