package harness

import (
	"bytes"
	"io"
	"log"
	"runtime"
	"strings"
	"sync"

	"github.com/halfopen/halfopen/harness/internal/bubble"
)

// A client of net/http writes to the standard log ("Unsolicited response received on idle
// HTTP channel"), which cannot be set for one transport. What it writes belongs to the
// steps of the run in whose bubble it does so; an exploration would print it a thousand
// times.

// bubbleLog is the output of the standard log while there are runs: it passes on what does
// not come from net/http in a bubble of a run.
type bubbleLog struct {
	to   io.Writer
	runs sync.Map // of bubble numbers to *driver
}

// stdLog is the bubbleLog, once there has been a run.
var stdLog = sync.OnceValue(func() *bubbleLog {
	l := &bubbleLog{to: log.Writer()}
	log.SetOutput(l)
	return l
})

// Write implements io.Writer.
func (l *bubbleLog) Write(p []byte) (int, error) {
	if r, ok := l.runs.Load(bubble.CurrentID()); ok && calledByNetHTTP() {
		line, _, _ := bytes.Cut(p, []byte("\n"))
		if log.Flags() == log.LstdFlags && log.Prefix() == "" {
			line = line[min(len(line), len("2000/01/01 00:00:00 ")):]
		}
		if r := r.(*driver); !r.set.silent {
			r.journal.write(logLine, "net/http: "+string(line))
		}
		return len(p), nil
	}
	return l.to.Write(p)
}

// calledByNetHTTP reports whether a call of the log comes from net/http.
func calledByNetHTTP() bool {
	var pcs [16]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])])
	for {
		f, more := frames.Next()
		if !strings.HasPrefix(f.Function, "log.") || !more {
			return strings.HasPrefix(f.Function, "net/http.")
		}
	}
}
