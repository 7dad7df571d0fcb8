package main

import (
	"fmt"
	"io"
	"time"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/internal/color"
	"github.com/halfopen/halfopen/suites"
)

// progress returns a function that prints progress, if errs is a terminal or the
// user has asked for progress with -v, else nil.
func progress(verbose bool, errs io.Writer) func(*harness.Exploration) {
	if !verbose && !color.IsTerminal(errs) {
		return nil
	}
	return harness.Progress(errs)
}

// tally prints how far a check is: a line at its first result, then one a second.
type tally struct {
	to              io.Writer
	started, last   time.Time
	of              int // results that there will be
	done, schedules int
}

// checkProgress returns a function that prints the progress of a check of that number of cells, if
// errs is a terminal, else nil.
func checkProgress(errs io.Writer, cells int) func(suites.Result) {
	if !color.IsTerminal(errs) {
		return nil
	}
	t := &tally{to: errs, started: time.Now(), of: cells}
	return func(r suites.Result) { t.add(r, time.Now()) }
}

// add counts a result that came at that time.
func (t *tally) add(r suites.Result, now time.Time) {
	t.done++
	t.schedules += r.Schedules
	if now.Sub(t.last) < time.Second {
		return
	}
	t.last = now
	passed := max(now.Sub(t.started), time.Millisecond)
	left := passed * time.Duration(t.of-t.done) / time.Duration(t.done)
	fmt.Fprintf(t.to, "%d of %d cells, %.0f schedules a second, about %s left\n",
		t.done, t.of, float64(t.schedules)/passed.Seconds(), left.Round(time.Second))
}
