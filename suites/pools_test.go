package suites_test

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/suites"
)

// timerPool keeps timers, as some clients do in a package-level variable.
var timerPool = sync.Pool{New: func() any { return time.NewTimer(time.Hour) }}

// timed makes a client of lines whose operations take a timer from the pool. It has no settings.
func timed(t *harness.T, s suites.ClientSettings) (suites.Client, error) {
	if s != (suites.ClientSettings{Addr: s.Addr}) {
		return nil, errors.New("timed has no settings")
	}
	return suites.NewClient(func(ctx context.Context, say string) (string, error) {
		timer := timerPool.Get().(*time.Timer)
		timer.Reset(time.Hour)
		defer func() {
			timer.Stop()
			select {
			case <-timer.C:
			default:
			}
			timerPool.Put(timer)
		}()
		c, err := t.Net.DialContext(ctx, "tcp", s.Addr)
		if err != nil {
			return "", err
		}
		defer c.Close()
		defer context.AfterFunc(ctx, func() { c.SetDeadline(time.Unix(1, 0)) })()
		if _, err := c.Write([]byte(say + "\n")); err != nil {
			return "", causeOf(ctx, err)
		}
		line, err := bufio.NewReader(c).ReadString('\n')
		return strings.TrimSuffix(line, "\n"), causeOf(ctx, err)
	}, func() error { return nil }), nil
}

// causeOf returns the error of a context that has ended, or that error.
func causeOf(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// A timer of one bubble that a package-level pool carries to the next one ends the process. The
// pools that a subject names are emptied in between, and two of its cases do not run at once.
func TestPools(t *testing.T) {
	const named, forgotten = "named", "forgotten"
	subject := suites.ClientSubject{Name: "timed", Make: timed}
	switch os.Getenv(startedEnv) {
	case named:
		subject.Pools = []*sync.Pool{&timerPool}
		fallthrough
	case forgotten:
		for range 2 {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				for _, c := range suites.ClientCases() {
					if c.Group() == "leak" || c.Group() == "cancel" {
						t.Run(c.Name, func(t *testing.T) { subject.Subject().Test(t, c) })
					}
				}
			})
		}
		return
	}
	for which, want := range map[string]string{named: "\nPASS\n", forgotten: "fatal error: receive on synctest channel from outside bubble"} {
		cmd := exec.Command(os.Args[0], "-test.v", "-test.run=^TestPools$")
		cmd.Env = append(os.Environ(), startedEnv+"="+which)
		out, err := cmd.CombinedOutput()
		if (err == nil) != (which == named) || !strings.Contains(string(out), want) {
			t.Errorf("%s: got %v:\n%s\nwant %q", which, err, out, want)
		}
	}
}
