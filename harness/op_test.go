package harness_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/halfopen/halfopen/harness"
)

// An operation that is not HTTP has a name, a start, a cancellation and an outcome, and what
// it dials is opened for it.
func TestOp(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		l, err := t.Net.Listen("tcp", "server.test:7")
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			for c, err := l.Accept(); err == nil; c, err = l.Accept() {
				go func() {
					io.Copy(io.Discard, c)
					c.Close()
				}()
			}
		}()
		ask := func(ctx context.Context) error {
			c, err := t.Net.DialContext(ctx, "tcp", "server.test:7")
			if err != nil {
				return err
			}
			defer c.Close()
			<-ctx.Done()
			return ctx.Err()
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		r1, r2 := t.Do(t.Context(), "r1", ask), t.Do(ctx, "r2", ask)
		r3 := t.Do(t.Context(), "r3", func(context.Context) error { return nil })
		r3.WantDone()
		r1.WantPending()
		if owner := t.Conn("c1").Client().Owner(); owner != "r1" {
			t.Errorf("got c1 opened for %q", owner)
		}
		r1.Cancel()
		r1.WantErr(context.Canceled)
		r2.Await()
		r2.WantErr(context.DeadlineExceeded)
		if got, want := r3.String(), "r3: done  (op_test.go:42)"; got != want || r3.Pending() || r1.Err() == nil {
			t.Errorf("got %q, want %q", got, want)
		}
		t.Rest()
	})
}

// What an operation does wrong is a failure, by its name.
func TestOpsFail(t *testing.T) {
	start := func(t *harness.T) *harness.Op {
		return t.Do(t.Context(), "r1", func(context.Context) error {
			<-t.Context().Done() // and not its own
			return nil
		})
	}
	for want, body := range map[string]func(*harness.T){
		"r1: cancelled, and still pending when all was quiet": func(t *harness.T) { start(t).Cancel() },
		"r1 never returned": func(t *harness.T) { start(t) },
		"r1: panic: oh":     func(t *harness.T) { t.Do(t.Context(), "r1", func(context.Context) error { panic("oh") }) },
		"r1: got error: EOF, want done": func(t *harness.T) {
			t.Do(t.Context(), "r1", func(context.Context) error { return io.EOF }).WantDone()
		},
		"there is an operation r1 already": func(t *harness.T) {
			done := func(context.Context) error { return nil }
			t.Do(t.Context(), "r1", done)
			t.Do(t.Context(), "r1", done)
		},
	} {
		if r := harness.TestReport("fails", body); !r.Failed() || r.Failures[0].Text != want {
			t.Errorf("got %s, want %q", r, want)
		}
	}
}

// An exploration starts operations in any order, makes the calls that it may make, and its
// printed script has a line for each that no script can contain.
func TestOpsExplored(t *testing.T) {
	x, err := harness.ExploreReport("ops", harness.Bounds{Schedules: 200, Faults: harness.None}, nil, func(t *harness.T) {
		var order []string
		did := func(what string) { order = append(order, what) }
		t.Do(t.Context(), "r1", func(context.Context) error { did("r1"); return nil })
		t.Do(t.Context(), "r2", func(context.Context) error { did("r2"); return nil })
		t.MayCall("close", func() { did("close") })
		t.AtQuiet(func() {
			if strings.Join(order, " ") == "r2 close r1" {
				t.Error("they came in that order")
			}
		})
		t.Rest()
	})
	if err != nil || len(x.Findings) == 0 {
		t.Fatalf("got %v, %v", x, err)
	}
	want := `# they came in that order
# A schedule of ops.
# No script can contain: what the test asserts at op_test.go:97, the operation r2, the call close, the operation r1. This one may hold; the test itself: ops
begin
# do r2
# close
# do r1
rest
`
	if got := x.Findings[0].Script; got != want {
		t.Errorf("got the script\n%s\nwant\n%s", got, want)
	}
}

// Rest returns when the calls that a watched client has made have returned.
func TestRestAfterClient(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		t.Serve("api.test:80", nil)
		resp, err := t.Client(t.Net.Transport()).Get("http://api.test/")
		if err != nil {
			t.Fatal(err)
		}
		err = errors.Join(err, resp.Body.Close())
		t.Rest()
		if err != nil {
			t.Error(err)
		}
	})
}
