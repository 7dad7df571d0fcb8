package harness

import (
	"cmp"
	"fmt"
	"runtime"
	"strings"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness/internal/bubble"
)

// step records a verb of the test and its arguments.
func (r *driver) step(words ...string) {
	if r.set.silent {
		return
	}
	if r.scheduler != nil {
		r.scheduler.verb(words)
	}
	r.note(words...)
}

// note records a step: a verb, or a choice of an exploration.
func (r *driver) note(words ...string) {
	r.drain()
	r.journal.write(stepLine, stepText(words))
}

// lacks notes a part of the test that no script can contain.
func (r *driver) lacks(format string, args ...any) {
	if !r.set.silent {
		r.journal.lack(fmt.Sprintf(format, args...))
	}
}

// drain moves the events that the network has recorded into the trace.
func (r *driver) drain() { r.drainBut("") }

// drainBut leaves the event of that name out.
func (r *driver) drainBut(name string) {
	if r.set.silent {
		return
	}
	for _, e := range r.records() {
		if s := e.String(); s != name {
			r.journal.write(eventLine, s)
		}
	}
}

// records returns what has happened on the network since the last call.
func (r *driver) records() []faultnet.Record {
	if rec := r.journal.rec; rec != nil {
		return rec.records()
	}
	return r.net.Events()
}

// fail records a failed expectation at the line of the test that has it. The
// reasons become the first line of the failure.
func (r *driver) fail(kind Kind, text string, why ...string) {
	r.failWith(Failure{Kind: kind, Text: text}, why...)
}

func (r *driver) failWith(f Failure, why ...string) {
	r.snapshot()
	f.Reason, f.Where = strings.Join(why, " "), cmp.Or(r.journal.place(), bubble.Caller())
	r.journal.add(f)
}

// fatal is fail, and the end of the body.
func (r *driver) fatal(kind Kind, text string, why ...string) {
	r.fail(kind, text, why...)
	runtime.Goexit()
}

// snapshot keeps the state of the network and of the goroutines, once.
func (r *driver) snapshot() {
	if r.net == nil || r.set.silent {
		return
	}
	r.journal.picture(func() (string, []string) {
		r.drain()
		table := r.net.String()
		for _, e := range r.net.Pending() {
			table += pendingEvent + e.String() + "\n"
		}
		return table, r.bubble.Blocked()
	})
}

// here returns the line of the test, or of the script, that is being run.
func (r *driver) here() string {
	if r.set.silent {
		return "" // it is not printed
	}
	if at := r.journal.place(); at != "" {
		return at
	}
	return bubble.Caller()
}
