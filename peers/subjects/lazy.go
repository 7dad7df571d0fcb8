package subjects

import (
	"context"
	"errors"

	"github.com/halfopen/halfopen/suites"
)

// lazy makes a client when an operation first needs it, because making it dials. If that
// fails, so does the operation, and the next one makes it again.
type lazy[C any] struct {
	make  func() (C, error)
	do    func(ctx context.Context, c C, say string) (string, error)
	close func(C) error

	turn chan struct{} // a mutex for which a context may wait
	made bool
	c    C
	done bool // closed
}

// lazily returns a client of suites that makes the real one with make.
func lazily[C any](make1 func() (C, error), do func(ctx context.Context, c C, say string) (string, error), close func(C) error) suites.Client {
	return &lazy[C]{make: make1, do: do, close: close, turn: make(chan struct{}, 1)}
}

var errClosed = errors.New("the client is closed")

func (l *lazy[C]) Do(ctx context.Context, say string) (string, error) {
	if err := l.ready(ctx); err != nil {
		return "", err
	}
	return l.do(ctx, l.c, say)
}

// ready waits until the client is there.
func (l *lazy[C]) ready(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case l.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	if l.done || l.made {
		defer func() { <-l.turn }()
		if l.done {
			return errClosed
		}
		return nil
	}
	failed := make(chan error, 1)
	go func() { // it goes on if the context ends
		c, err := l.make()
		if err == nil {
			l.c, l.made = c, true
		}
		<-l.turn
		failed <- err
	}()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *lazy[C]) Close() error {
	l.turn <- struct{}{}
	defer func() { <-l.turn }()
	l.done = true
	if !l.made {
		return nil
	}
	return l.close(l.c)
}
