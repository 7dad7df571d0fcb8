#!/usr/bin/env bash
# context.Context's documentation: "If Done is not yet closed, Err returns nil." The context that
# jonboulle/clockwork v0.5.0 makes of a fake clock (WithDeadline, WithTimeout) receives from Done in its Err
# (context.go): as long as the context is alive a call of Err waits for its end, and so does context.Cause.
# So what asks Err between two steps stops there in the test only, until the fake clock passes the
# deadline, and then finds the deadline exceeded though it was in time: hashicorp/go-retryablehttp v0.7.8
# asks it after each answer, so that a GET which was answered 200 at once returns the context's
# error. The contexts of benbjohnson/clock v1.3.5 and tilinna/clock v1.1.0 return nil, and the GET its answer.
# In a bubble of testing/synctest: "waits" is a goroutine that is durably blocked, and the clock is moved
# when all are. Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module finding
go 1.26.0
require (
	github.com/benbjohnson/clock v1.3.5
	github.com/hashicorp/go-retryablehttp v0.7.8
	github.com/jonboulle/clockwork v0.5.0
	github.com/tilinna/clock v1.1.0
)
MOD
cat > main_test.go <<'GO'
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	benbjohnson "github.com/benbjohnson/clock"
	"github.com/hashicorp/go-retryablehttp"
	"github.com/jonboulle/clockwork"
	tilinna "github.com/tilinna/clock"
)

// clocks returns, for each library, a context that has a minute, and what moves its clock.
var clocks = []struct {
	name string
	make func() (context.Context, context.CancelFunc, func(time.Duration))
}{
	{"clockwork", func() (context.Context, context.CancelFunc, func(time.Duration)) {
		c := clockwork.NewFakeClock()
		ctx, cancel := clockwork.WithTimeout(context.Background(), c, time.Minute)
		return ctx, cancel, c.Advance
	}},
	{"benbjohnson", func() (context.Context, context.CancelFunc, func(time.Duration)) {
		c := benbjohnson.NewMock()
		ctx, cancel := c.WithTimeout(context.Background(), time.Minute)
		return ctx, cancel, c.Add
	}},
	{"tilinna", func() (context.Context, context.CancelFunc, func(time.Duration)) {
		c := tilinna.NewMock(time.Unix(0, 0))
		ctx, cancel := c.TimeoutContext(context.Background(), time.Minute)
		return ctx, cancel, func(d time.Duration) { c.Add(d) }
	}},
}

type answers struct{}

func (answers) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Body: http.NoBody, Request: req}, nil
}

var questions = []struct {
	name string
	ask  func(context.Context) string
}{
	{"Err", func(ctx context.Context) string { return exceeded(ctx.Err()) }},
	{"context.Cause", func(ctx context.Context) string { return exceeded(context.Cause(ctx)) }},
	{"GET of retryablehttp", func(ctx context.Context) string {
		c := retryablehttp.NewClient()
		c.HTTPClient, c.Logger = &http.Client{Transport: answers{}}, nil
		req, err := retryablehttp.NewRequestWithContext(ctx, "GET", "http://server.test/", nil)
		if err != nil {
			return err.Error()
		}
		resp, err := c.Do(req)
		if err != nil {
			return exceeded(err)
		}
		resp.Body.Close()
		return resp.Status + http.StatusText(resp.StatusCode)
	}},
}

func exceeded(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return "deadline exceeded"
	}
	return fmt.Sprint(err)
}

func Test(t *testing.T) {
	for _, q := range questions {
		for _, c := range clocks {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel, move := c.make()
				defer cancel()
				answer := make(chan string, 1)
				go func() { answer <- q.ask(ctx) }()
				synctest.Wait()
				select {
				case a := <-answer:
					fmt.Printf("finding: %s, %s: %s\n", c.name, q.name, a)
				default:
					move(time.Minute)
					fmt.Printf("finding: %s, %s: waits until the clock is at the deadline, then %s\n", c.name, q.name, <-answer)
				}
			})
		}
	}
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go test -count 1 . > test.log 2>&1 || { cat test.log; exit 1; }
go test -count 1 -v . | sed -n 's/^finding: //p' > got
cat > want <<'WANT'
clockwork, Err: waits until the clock is at the deadline, then deadline exceeded
benbjohnson, Err: <nil>
tilinna, Err: <nil>
clockwork, context.Cause: waits until the clock is at the deadline, then deadline exceeded
benbjohnson, context.Cause: <nil>
tilinna, context.Cause: <nil>
clockwork, GET of retryablehttp: waits until the clock is at the deadline, then deadline exceeded
benbjohnson, GET of retryablehttp: OK
tilinna, GET of retryablehttp: OK
WANT
diff want got && echo "as stated"
