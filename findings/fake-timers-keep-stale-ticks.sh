#!/usr/bin/env bash
# time.Timer's documentation: as of Go 1.23, a receive from a timer's channel after Stop
# blocks, and one after Reset yields nothing of the setting before. The fake clocks
# benbjohnson/clock v1.3.5, clockwork v0.5.0 and k8s.io/utils 2026-10-23 (clock/testing) keep
# the tick of a timer that fired and was not read: after Stop it is still there, and a timer
# that is Reset to an hour ticks at once. Code without the old drain (right since Go 1.23) sees
# a timeout in the test that production never sees. coder/quartz v0.3.1 drops the tick, but
# its Stop is false where that of package time is true (golang/go#69312), so the old drain
# "if !t.Stop() { <-t.C }" would wait on it for ever. For clockwork this is known: its open
# issue 98. The real timer runs in a bubble of testing/synctest. Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module finding
go 1.26.0
require (
	github.com/benbjohnson/clock v1.3.5
	github.com/coder/quartz v0.3.1
	github.com/jonboulle/clockwork v0.5.0
	k8s.io/utils v0.0.0-20261023123148-ca04ba58ecab
)
MOD
cat > timers_test.go <<'GO'
package finding

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/coder/quartz"
	"github.com/jonboulle/clockwork"
	k8s "k8s.io/utils/clock/testing"
)

type timer struct {
	c     <-chan time.Time
	stop  func() bool
	reset func(time.Duration) bool
}

func waiting(c <-chan time.Time) string {
	synctest.Wait()
	select {
	case <-c:
		return "a tick"
	default:
		return "none"
	}
}

func TestTimers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, c, k, q := clock.NewMock(), clockwork.NewFakeClock(), k8s.NewFakeClock(time.Now()), quartz.NewMock(t)
		for _, x := range []struct {
			name    string
			start   func(time.Duration) timer
			advance func(time.Duration)
		}{
			{"time", func(d time.Duration) timer { t := time.NewTimer(d); return timer{t.C, t.Stop, t.Reset} }, time.Sleep},
			{"benbjohnson", func(d time.Duration) timer { t := b.Timer(d); return timer{t.C, t.Stop, t.Reset} }, b.Add},
			{"clockwork", func(d time.Duration) timer { t := c.NewTimer(d); return timer{t.Chan(), t.Stop, t.Reset} }, c.Advance},
			{"k8s", func(d time.Duration) timer { t := k.NewTimer(d); return timer{t.C(), t.Stop, t.Reset} }, k.Step},
			{"quartz", func(d time.Duration) timer {
				t := q.NewTimer(d)
				return timer{t.C, func() bool { return t.Stop() }, func(d time.Duration) bool { return t.Reset(d) }}
			}, func(d time.Duration) { q.Advance(d).MustWait(t.Context()) }},
		} {
			stopped, again := x.start(time.Minute), x.start(time.Minute)
			x.advance(time.Minute)
			synctest.Wait()
			ok := stopped.stop()
			again.reset(time.Hour)
			fmt.Printf("%s: Stop %v, after it %s; after Reset to an hour %s\n", x.name, ok, waiting(stopped.c), waiting(again.c))
		}
	})
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go test -count=1 . -v | grep 'after Reset' > got || true
cat > want <<'WANT'
time: Stop true, after it none; after Reset to an hour none
benbjohnson: Stop false, after it a tick; after Reset to an hour a tick
clockwork: Stop false, after it a tick; after Reset to an hour a tick
k8s: Stop false, after it a tick; after Reset to an hour a tick
quartz: Stop false, after it none; after Reset to an hour none
WANT
diff want got && echo "as stated"
