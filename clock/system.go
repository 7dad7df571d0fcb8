package clock

import "time"

// System is the [Clock] of package [time]. Inside a [testing/synctest] bubble
// that is the bubble's virtual time. Its type has one value only, so that no
// importer can change it.
var System system

// system is the type of System.
type system struct{}

func (system) Now() time.Time                         { return time.Now() }
func (system) Since(t time.Time) time.Duration        { return time.Since(t) }
func (system) Until(t time.Time) time.Duration        { return time.Until(t) }
func (system) Sleep(d time.Duration)                  { time.Sleep(d) }
func (system) After(d time.Duration) <-chan time.Time { return time.After(d) }

func (system) AfterFunc(d time.Duration, f func()) *Timer {
	return newTimer(nil, event{target: time.AfterFunc(d, f)})
}

func (system) NewTimer(d time.Duration) *Timer {
	t := time.NewTimer(d)
	return newTimer(t.C, event{target: t})
}

func (system) NewTicker(d time.Duration) *Ticker {
	t := time.NewTicker(d)
	return newTicker(t.C, event{target: t})
}
