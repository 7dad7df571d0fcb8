package harness

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/halfopen/halfopen/internal/color"
)

// Progress returns a function for [ExploreReport] and [Script.ExploreReport] that writes a line
// about what has been explored to w, at most once a second.
func Progress(w io.Writer) func(*Exploration) {
	start := time.Now()
	last := start
	return func(x *Exploration) {
		if time.Since(last) < time.Second {
			return
		}
		last = time.Now()
		fmt.Fprintf(w, "%s: %d schedules, %.0f a second, %d outcomes; %d more are known\n", x.Name,
			x.Schedules, float64(x.Schedules)/time.Since(start).Seconds(), len(x.Outcomes), x.Waiting)
	}
}

// terminal is Progress to standard error if that is a terminal, and nil if not.
func terminal() func(*Exploration) {
	if !color.IsTerminal(os.Stderr) {
		return nil
	}
	return Progress(os.Stderr)
}
