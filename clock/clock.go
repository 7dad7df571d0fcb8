package clock

import "time"

// Clock tells the time and starts timers for code that depends on time. Each
// method behaves as the function of the same name in package [time], as of Go
// 1.23: after Stop or Reset returns, no value of the earlier setting is ever
// received.
type Clock interface {
	// Now returns the current time of this clock.
	Now() time.Time
	// Since returns the time that has passed since t: Now().Sub(t).
	Since(t time.Time) time.Duration
	// Until returns the time that is left until t: t.Sub(Now()).
	Until(t time.Time) time.Duration
	// Sleep blocks its caller for at least d.
	Sleep(d time.Duration)
	// After returns NewTimer(d).C.
	After(d time.Duration) <-chan time.Time
	// AfterFunc runs f in a goroutine of its own when d has passed.
	AfterFunc(d time.Duration, f func()) *Timer
	// NewTimer returns a timer that sends the time on its channel when d has
	// passed.
	NewTimer(d time.Duration) *Timer
	// NewTicker returns a ticker that sends the time on its channel after each
	// period d. It panics if d is not positive.
	NewTicker(d time.Duration) *Ticker
}
