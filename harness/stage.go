package harness

import (
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/halfopen/halfopen/harness/internal/bubble"
)

// live calls the functions that next returns, until it returns nil. Each runs to its end
// even if the one before failed. A Goexit ends the goroutine too: the next function gets
// a new one then.
func (r *driver) live(next func() func(), done chan struct{}) {
	ended := false
	defer func() {
		if !ended {
			go r.live(next, done)
		}
	}()
	for f := next(); f != nil; f = next() {
		r.protect(f)
	}
	ended = true
	close(done)
}

// cleanup has f called when the body has returned.
func (r *driver) cleanup(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cleanups = append(r.cleanups, f)
}

// takeCleanup returns the clean-up function that was added last, or nil.
func (r *driver) takeCleanup() func() {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := len(r.cleanups)
	if n == 0 {
		return nil
	}
	f := r.cleanups[n-1]
	r.cleanups = r.cleanups[:n-1]
	return f
}

// errSkipped is the reason of a run whose body skipped the test that it is part of.
var errSkipped = errors.New("the body skipped the test")

// protect calls f and takes a panic as the end of f alone. After a Goexit it is for
// its caller to go on.
func (r *driver) protect(f func()) {
	finished := false
	defer func() {
		if !finished && r.std != nil && r.std.Skipped() {
			r.journal.refuse(errSkipped)
		}
		if !finished && !r.journal.over() {
			r.journal.add(Failure{Kind: KindGoexit, Text: "the body called runtime.Goexit"})
		}
	}()
	defer r.caught("")
	f()
	finished = true
}

// caught turns a panic of the function that defers it into a failure.
func (r *driver) caught(subject string) {
	if p := recover(); p != nil {
		r.panicked(subject, p)
	}
}

// panicked makes a failure of a panic, with the stack of its goroutine.
func (r *driver) panicked(subject string, p any) {
	detail := bubble.PanicFrames(debug.Stack())
	r.snapshot()
	r.journal.add(Failure{Kind: KindPanic, Text: fmt.Sprintf("%spanic: %v", subject, p), Detail: detail})
}
