package suites_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/suites"
)

// Under the race detector an answer and a cancellation come at once in some schedules, in the cases of
// the groups that say so; otherwise the client has seen the one before the other comes.
func TestAtOnce(t *testing.T) {
	var both atomic.Int64
	s := suites.ClientSubject{Name: "counts", Make: func(t *harness.T, s suites.ClientSettings) (suites.Client, error) {
		return suites.NewClient(func(ctx context.Context, say string) (string, error) {
			return countBoth(ctx, t, s.Addr, say, &both)
		}, func() error { return nil }), nil
	}}
	all := suites.ClientCases()
	c := all[slices.IndexFunc(all, func(c suites.Case) bool { return c.Name == "leak-nothing" })]
	if r := s.Subject().Run(c); r.State != suites.Held {
		t.Fatalf("got %s, want it held\n%s", r.State, r.Report)
	}
	if n := both.Load(); n > 0 != suites.RaceEnabled {
		t.Errorf("got %d answers that came together with a cancellation, want some under the race detector, else none", n)
	}
}

// countBoth says something on a new connection, and counts where its answer and its cancellation have both come.
func countBoth(ctx context.Context, t *harness.T, addr, say string, both *atomic.Int64) (string, error) {
	c, err := t.Net.DialContext(ctx, "tcp", addr)
	if err != nil {
		return "", err
	}
	defer c.Close()
	heard := make(chan string, 1)
	go func(c net.Conn) {
		defer close(heard)
		io.WriteString(c, say+"\n")
		if line, err := bufio.NewReader(c).ReadString('\n'); err == nil {
			heard <- strings.TrimSpace(line)
		}
	}(c)
	seen := func() {
		for range 1000 { // what has come by now has reached the goroutines that wait for it
			runtime.Gosched()
		}
	}
	select {
	case <-ctx.Done():
		if seen(); len(heard) > 0 {
			both.Add(1)
		}
		return "", ctx.Err()
	case said, ok := <-heard:
		if !ok {
			return "", io.ErrUnexpectedEOF
		}
		if seen(); ctx.Err() != nil {
			both.Add(1)
		}
		return said, nil
	}
}
