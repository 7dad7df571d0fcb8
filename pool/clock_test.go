package pool

import (
	"time"

	"github.com/halfopen/halfopen/clock"
)

// fast is a clock on which nothing takes long.
type fast struct{}

func (fast) Now() time.Time                       { return time.Now() }
func (fast) Since(t time.Time) time.Duration      { return time.Since(t) }
func (fast) Until(t time.Time) time.Duration      { return time.Until(t) }
func (fast) Sleep(time.Duration)                  {}
func (fast) After(time.Duration) <-chan time.Time { return clock.System.After(0) }
func (fast) AfterFunc(_ time.Duration, f func()) *clock.Timer {
	return clock.System.AfterFunc(time.Hour, f)
}
func (fast) NewTimer(time.Duration) *clock.Timer   { return clock.System.NewTimer(0) }
func (fast) NewTicker(time.Duration) *clock.Ticker { return clock.System.NewTicker(1) }
