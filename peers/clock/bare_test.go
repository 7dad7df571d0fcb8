package clock

import (
	"cmp"
	"slices"
	"time"

	"github.com/halfopen/halfopen/clock"
)

// bare returns a subject that does only the work that every clock has to do whose
// timers have channels and fire in the order of deadlines. It makes the timers and the
// channels, sends in order, and lets the receiver read. It sorts the deadlines before
// the measured time begins.
func bare() subject {
	nothing := map[string]int{}
	for _, what := range []measure{createAndCall, advance, tick, reset, stop, now} {
		nothing[string(what)] = 0
	}
	return subject{name: "bare", caps: nothing, play: func(_ measure, list []time.Duration, _ int) time.Duration {
		order := make([]int, len(list))
		for i := range order {
			order[i] = i
		}
		slices.SortFunc(order, func(a, b int) int { return cmp.Compare(list[a], list[b]) })

		begin := time.Now()
		timers := make([]*bareTimer, len(list))
		queue := make([]chan time.Time, len(list))
		for i, d := range list {
			timers[i] = &bareTimer{c: make(chan time.Time, 1), when: clock.Epoch.Add(d)}
			queue[i] = timers[i].c
		}
		for next := range slices.Chunk(order, 16) {
			for _, i := range next {
				seen += len(queue[i]) // the channels lie anywhere in memory: fetch them all at once
			}
			for _, i := range next {
				select {
				case queue[i] <- clock.Epoch.Add(list[i]):
				default:
				}
			}
		}
		for _, t := range timers {
			<-t.c
		}
		return time.Since(begin)
	}}
}

// bareTimer is about as large as a timer.
type bareTimer struct {
	c    chan time.Time
	when time.Time
}

var seen int
