package clock

import "time"

// Clock is what code that depends on time asks for. Each method behaves as
// the function of the same name in package [time], as of Go 1.23: after Stop
// or Reset returns, no value of the earlier setting is ever received.
type Clock interface {
	// Now is the current time of this clock.
	Now() time.Time
	// Since is the time elapsed since t: Now().Sub(t).
	Since(t time.Time) time.Duration
	// Until is the time that is left until t: t.Sub(Now()).
	Until(t time.Time) time.Duration
	// Sleep blocks its caller for at least d.
	Sleep(d time.Duration)
	// After is NewTimer(d).C.
	After(d time.Duration) <-chan time.Time
	// AfterFunc runs f in a goroutine of its own when d has passed.
	AfterFunc(d time.Duration, f func()) *Timer
	// NewTimer sends the time on its channel when d has passed.
	NewTimer(d time.Duration) *Timer
	// NewTicker sends the time on its channel each d, which must be positive.
	NewTicker(d time.Duration) *Ticker
}
