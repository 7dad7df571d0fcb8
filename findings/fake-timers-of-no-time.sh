#!/usr/bin/env bash
# Package time: a timer whose duration is zero or negative, such as time.Until of an instant that
# has passed, fires at once; time.Timer's documentation: Stop and Reset return false if the timer has
# expired or been stopped. k8s.io/utils 2026-10-23 (clock/testing): NewTimer, After, AfterFunc and Reset
# with 0 or -1 s fire only when the clock is moved, so code that is late (right in production) waits for ever
# in the test. benbjohnson/clock v1.3.5 fires NewTimer and After (since its issue 49), but neither
# AfterFunc nor Reset. The fake clock of code.cloudfoundry.org/clock v1.60.0 fires all (it has no
# AfterFunc), but its Stop and Reset return true for a timer that fired and was read, and Stop for one that
# is stopped: "if !t.Stop() { <-t.C }" and counts of what was cancelled take the wrong way.
# clockwork v0.5.0, juju/clock v1.1.1 and tilinna/clock v1.1.0 do as package time does. In a bubble of
# testing/synctest, so "never" is after all goroutines are blocked. Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module finding
go 1.26.0
require (
	code.cloudfoundry.org/clock v1.60.0
	github.com/benbjohnson/clock v1.3.5
	github.com/jonboulle/clockwork v0.5.0
	github.com/juju/clock v1.1.1
	github.com/tilinna/clock v1.1.0
	k8s.io/utils v0.0.0-20261023123148-ca04ba58ecab
)
MOD
cat > main_test.go <<'GO'
package main

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	cloudfoundry "code.cloudfoundry.org/clock/fakeclock"
	benbjohnson "github.com/benbjohnson/clock"
	"github.com/jonboulle/clockwork"
	juju "github.com/juju/clock/testclock"
	tilinna "github.com/tilinna/clock"
	k8s "k8s.io/utils/clock/testing"
)

type stopper interface {
	Stop() bool
	Reset(time.Duration) bool
}

// clock is what all of them have; timer returns a timer and its channel.
type clock struct {
	timer     func(time.Duration) (stopper, <-chan time.Time)
	after     func(time.Duration) <-chan time.Time
	afterFunc func(time.Duration, func())
	move      func(time.Duration)
}

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

var clocks = []struct {
	name string
	make func() clock
}{
	{"time", func() clock {
		return clock{func(d time.Duration) (stopper, <-chan time.Time) { t := time.NewTimer(d); return t, t.C }, time.After,
			func(d time.Duration, f func()) { time.AfterFunc(d, f) }, time.Sleep}
	}},
	{"clockwork", func() clock {
		c := clockwork.NewFakeClockAt(start)
		return clock{func(d time.Duration) (stopper, <-chan time.Time) { t := c.NewTimer(d); return t, t.Chan() }, c.After,
			func(d time.Duration, f func()) { c.AfterFunc(d, f) }, c.Advance}
	}},
	{"juju", func() clock {
		c := juju.NewClock(start)
		return clock{func(d time.Duration) (stopper, <-chan time.Time) { t := c.NewTimer(d); return t, t.Chan() }, c.After,
			func(d time.Duration, f func()) { c.AfterFunc(d, f) }, c.Advance}
	}},
	{"tilinna", func() clock {
		c := tilinna.NewMock(start)
		return clock{func(d time.Duration) (stopper, <-chan time.Time) { t := c.NewTimer(d); return t, t.C }, c.After,
			func(d time.Duration, f func()) { c.AfterFunc(d, f) }, func(d time.Duration) { c.Add(d) }}
	}},
	{"k8s", func() clock {
		c := k8s.NewFakeClock(start)
		return clock{func(d time.Duration) (stopper, <-chan time.Time) { t := c.NewTimer(d); return t, t.C() }, c.After,
			func(d time.Duration, f func()) { c.AfterFunc(d, f) }, c.Step}
	}},
	{"benbjohnson", func() clock {
		c := benbjohnson.NewMock()
		return clock{func(d time.Duration) (stopper, <-chan time.Time) { t := c.Timer(d); return t, t.C }, c.After,
			func(d time.Duration, f func()) { c.AfterFunc(d, f) }, c.Add}
	}},
	{"cloudfoundry", func() clock {
		c := cloudfoundry.NewFakeClock(start)
		return clock{func(d time.Duration) (stopper, <-chan time.Time) { t := c.NewTimer(d); return t, t.C() }, c.After, nil, c.Increment}
	}},
}

// fired says whether a channel has something when nothing moves any more.
func fired(c <-chan time.Time) bool {
	synctest.Wait()
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func Test(t *testing.T) {
	for _, c := range clocks {
		for _, d := range []time.Duration{0, -time.Second} {
			synctest.Test(t, func(t *testing.T) {
				_, timer := c.make().timer(d)
				again, other := c.make().timer(time.Hour)
				again.Reset(d)
				function := make(chan time.Time, 1)
				if afterFunc := c.make().afterFunc; afterFunc != nil {
					afterFunc(d, func() { function <- start })
				} else {
					function <- start
				}
				after := c.make().after(d)
				fmt.Printf("finding: %s, %v fires: NewTimer %v, After %v, Reset %v, AfterFunc %v\n", c.name, d, fired(timer), fired(after), fired(other), fired(function))
			})
		}
		synctest.Test(t, func(t *testing.T) {
			c1 := c.make()
			first, channel := c1.timer(time.Second)
			second, channel2 := c1.timer(time.Second)
			third, _ := c1.timer(time.Hour)
			c1.move(2 * time.Second)
			<-channel
			<-channel2
			fmt.Printf("finding: %s: Stop after it fired %v, Reset after it fired %v, Stop %v and again %v\n", c.name, first.Stop(), second.Reset(time.Hour), third.Stop(), third.Stop())
		})
	}
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go test -count 1 . > test.log 2>&1 || { cat test.log; exit 1; }
go test -count 1 -v . | sed -n 's/^finding: //p' > got
cat > want <<'WANT'
time, 0s fires: NewTimer true, After true, Reset true, AfterFunc true
time, -1s fires: NewTimer true, After true, Reset true, AfterFunc true
time: Stop after it fired false, Reset after it fired false, Stop true and again false
clockwork, 0s fires: NewTimer true, After true, Reset true, AfterFunc true
clockwork, -1s fires: NewTimer true, After true, Reset true, AfterFunc true
clockwork: Stop after it fired false, Reset after it fired false, Stop true and again false
juju, 0s fires: NewTimer true, After true, Reset true, AfterFunc true
juju, -1s fires: NewTimer true, After true, Reset true, AfterFunc true
juju: Stop after it fired false, Reset after it fired false, Stop true and again false
tilinna, 0s fires: NewTimer true, After true, Reset true, AfterFunc true
tilinna, -1s fires: NewTimer true, After true, Reset true, AfterFunc true
tilinna: Stop after it fired false, Reset after it fired false, Stop true and again false
k8s, 0s fires: NewTimer false, After false, Reset false, AfterFunc false
k8s, -1s fires: NewTimer false, After false, Reset false, AfterFunc false
k8s: Stop after it fired false, Reset after it fired false, Stop true and again false
benbjohnson, 0s fires: NewTimer true, After true, Reset false, AfterFunc false
benbjohnson, -1s fires: NewTimer true, After true, Reset false, AfterFunc false
benbjohnson: Stop after it fired false, Reset after it fired false, Stop true and again false
cloudfoundry, 0s fires: NewTimer true, After true, Reset true, AfterFunc true
cloudfoundry, -1s fires: NewTimer true, After true, Reset true, AfterFunc true
cloudfoundry: Stop after it fired true, Reset after it fired true, Stop true and again true
WANT
diff want got && echo "as stated"
