#!/usr/bin/env bash
# Package time: a timer whose duration is zero or negative, such as time.Until of an instant that
# has passed, fires at once; time.Timer's documentation: Stop and Reset return false if the timer has
# expired or been stopped. k8s.io/utils 2026-10-23 (clock/testing): NewTimer, AfterFunc and Reset with these fire
# only when the clock is moved, so code that is late (right in production) waits in the test for good.
# benbjohnson/clock v1.3.5 fires NewTimer (since its issue 49), but neither AfterFunc nor
# Reset. The fake clock of code.cloudfoundry.org/clock v1.60.0 fires all (it has no
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

// clock is what is asked of each; timer returns a timer and its channel.
type clock struct {
	timer     func(time.Duration) (stopper, <-chan time.Time)
	afterFunc func(time.Duration, func())
	move      func(time.Duration)
}

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

var clocks = []struct {
	name string
	make func() clock
}{
	{"time", func() clock {
		return clock{func(d time.Duration) (stopper, <-chan time.Time) { t := time.NewTimer(d); return t, t.C },
			func(d time.Duration, f func()) { time.AfterFunc(d, f) }, time.Sleep}
	}},
	{"clockwork", func() clock {
		c := clockwork.NewFakeClockAt(start)
		return clock{func(d time.Duration) (stopper, <-chan time.Time) { t := c.NewTimer(d); return t, t.Chan() },
			func(d time.Duration, f func()) { c.AfterFunc(d, f) }, c.Advance}
	}},
	{"juju", func() clock {
		c := juju.NewClock(start)
		return clock{func(d time.Duration) (stopper, <-chan time.Time) { t := c.NewTimer(d); return t, t.Chan() },
			func(d time.Duration, f func()) { c.AfterFunc(d, f) }, c.Advance}
	}},
	{"tilinna", func() clock {
		c := tilinna.NewMock(start)
		return clock{func(d time.Duration) (stopper, <-chan time.Time) { t := c.NewTimer(d); return t, t.C },
			func(d time.Duration, f func()) { c.AfterFunc(d, f) }, func(d time.Duration) { c.Add(d) }}
	}},
	{"k8s", func() clock {
		c := k8s.NewFakeClock(start)
		return clock{func(d time.Duration) (stopper, <-chan time.Time) { t := c.NewTimer(d); return t, t.C() },
			func(d time.Duration, f func()) { c.AfterFunc(d, f) }, c.Step}
	}},
	{"benbjohnson", func() clock {
		c := benbjohnson.NewMock()
		return clock{func(d time.Duration) (stopper, <-chan time.Time) { t := c.Timer(d); return t, t.C },
			func(d time.Duration, f func()) { c.AfterFunc(d, f) }, c.Add}
	}},
	{"cloudfoundry", func() clock {
		c := cloudfoundry.NewFakeClock(start)
		return clock{func(d time.Duration) (stopper, <-chan time.Time) { t := c.NewTimer(d); return t, t.C() },
			func(_ time.Duration, f func()) { f() }, c.Increment} // it has no AfterFunc
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
		synctest.Test(t, func(t *testing.T) {
			_, timer := c.make().timer(-time.Second)
			again, other := c.make().timer(time.Hour)
			again.Reset(0)
			function := make(chan time.Time, 1)
			c.make().afterFunc(0, func() { function <- start })
			fmt.Printf("finding: %s fires: NewTimer(-1s) %v, Reset(0) %v, AfterFunc(0) %v", c.name, fired(timer), fired(other), fired(function))
			c1 := c.make()
			first, channel := c1.timer(time.Second)
			second, channel2 := c1.timer(time.Second)
			third, _ := c1.timer(time.Hour)
			c1.move(2 * time.Second)
			<-channel
			<-channel2
			fmt.Printf("; returns: Stop after it fired %v, Reset after it fired %v, Stop %v and again %v\n", first.Stop(), second.Reset(time.Hour), third.Stop(), third.Stop())
		})
	}
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go test -count 1 . > test.log 2>&1 || { cat test.log; exit 1; }
go test -count 1 -v . | sed -n 's/^finding: //p' > got
cat > want <<'WANT'
time fires: NewTimer(-1s) true, Reset(0) true, AfterFunc(0) true; returns: Stop after it fired false, Reset after it fired false, Stop true and again false
clockwork fires: NewTimer(-1s) true, Reset(0) true, AfterFunc(0) true; returns: Stop after it fired false, Reset after it fired false, Stop true and again false
juju fires: NewTimer(-1s) true, Reset(0) true, AfterFunc(0) true; returns: Stop after it fired false, Reset after it fired false, Stop true and again false
tilinna fires: NewTimer(-1s) true, Reset(0) true, AfterFunc(0) true; returns: Stop after it fired false, Reset after it fired false, Stop true and again false
k8s fires: NewTimer(-1s) false, Reset(0) false, AfterFunc(0) false; returns: Stop after it fired false, Reset after it fired false, Stop true and again false
benbjohnson fires: NewTimer(-1s) true, Reset(0) false, AfterFunc(0) false; returns: Stop after it fired false, Reset after it fired false, Stop true and again false
cloudfoundry fires: NewTimer(-1s) true, Reset(0) true, AfterFunc(0) true; returns: Stop after it fired true, Reset after it fired true, Stop true and again true
WANT
diff want got && echo "as stated"
