package cases_test

import (
	"context"

	"github.com/halfopen/halfopen/suites"
)

// deafClient does not hear that the context of an operation ends, or only of its deadline.
type deafClient struct {
	suites.Client
	deadlines bool
}

func (c deafClient) Do(ctx context.Context, say string) (string, error) {
	deaf := context.WithoutCancel(ctx)
	if at, ok := ctx.Deadline(); ok && c.deadlines {
		var cancel context.CancelFunc
		deaf, cancel = context.WithDeadline(deaf, at)
		defer cancel()
	}
	return c.Client.Do(deaf, say)
}
