#!/usr/bin/env bash
# time.Ticker's documentation: after Stop, no more ticks will be sent. On the fake clock of
# k8s.io/utils 2026-10-23 (clock/testing) Stop of a ticker does nothing: it ticks on, and
# Waiters, which says that it counts the tickers that are "currently ticking", counts it. On
# clockwork v0.5.0 a Reset enters the running ticker a second time, and Stop takes out one
# entry: a ticker that was Reset ticks on after Stop, and BlockUntilContext, which waits for a
# number of waiters, finds two where there is one ticker. benbjohnson/clock v1.3.5, quartz
# v0.3.1 and package time (in a bubble) end their tickers. Exits with 0 if that is so.
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
cat > tickers_test.go <<'GO'
package finding

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/coder/quartz"
	"github.com/jonboulle/clockwork"
	k8s "k8s.io/utils/clock/testing"
)

func TestTickers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ticks := func(name string, c <-chan time.Time, advance func(time.Duration)) {
			n := 0
			for range 3 {
				advance(time.Minute)
				synctest.Wait()
				select {
				case <-c:
					n++
				default:
				}
			}
			fmt.Printf("%s: %d of 3 ticks after Stop\n", name, n)
		}
		real := time.NewTicker(time.Minute)
		real.Reset(time.Minute)
		real.Stop()
		ticks("time, Reset", real.C, time.Sleep)

		b := clock.NewMock()
		bt := b.Ticker(time.Minute)
		bt.Reset(time.Minute)
		bt.Stop()
		ticks("benbjohnson, Reset", bt.C, b.Add)

		q := quartz.NewMock(t)
		qt := q.NewTicker(time.Minute)
		qt.Reset(time.Minute)
		qt.Stop()
		ticks("quartz, Reset", qt.C, func(d time.Duration) { q.Advance(d).MustWait(t.Context()) })

		k := k8s.NewFakeClock(time.Now())
		kt := k.NewTicker(time.Minute)
		kt.Stop()
		fmt.Println("k8s: waiters after Stop", k.Waiters())
		ticks("k8s", kt.C(), k.Step)

		c := clockwork.NewFakeClock()
		ct := c.NewTicker(time.Minute)
		ct.Stop()
		ticks("clockwork", ct.Chan(), c.Advance)

		c = clockwork.NewFakeClock()
		ct = c.NewTicker(time.Minute)
		ct.Reset(time.Minute)
		done, cancel := context.WithCancel(t.Context())
		cancel()
		fmt.Println("clockwork, Reset: two waiters", c.BlockUntilContext(done, 2) == nil)
		ct.Stop()
		ticks("clockwork, Reset", ct.Chan(), c.Advance)
	})
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go test -count=1 . -v | grep -E 'ticks after|waiters' > got || true
cat > want <<'WANT'
time, Reset: 0 of 3 ticks after Stop
benbjohnson, Reset: 0 of 3 ticks after Stop
quartz, Reset: 0 of 3 ticks after Stop
k8s: waiters after Stop 1
k8s: 3 of 3 ticks after Stop
clockwork: 0 of 3 ticks after Stop
clockwork, Reset: two waiters true
clockwork, Reset: 3 of 3 ticks after Stop
WANT
diff want got && echo "as stated"
