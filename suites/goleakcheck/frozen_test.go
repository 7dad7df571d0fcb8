package goleakcheck

import "testing"

// All goroutines of a bubble in which one waits for a mutex are left out, however long
// they have waited, and those of other bubbles, and of none, are not.
func TestWithoutFrozen(t *testing.T) {
	const (
		head   = "found unexpected goroutines:\n"
		locked = "Goroutine 7 in state sync.Mutex.Lock, 2 minutes, synctest bubble 3, with sync.(*Mutex).Lock on top of the stack:\nsync.(*Mutex).Lock()\n"
		beside = "Goroutine 8 in state select (durable), 2 minutes, synctest bubble 3, with main.wait on top of the stack:\nmain.wait()\n"
		thread = "Goroutine 9 in state select (durable), 2 minutes, locked to thread, synctest bubble 3, with main.wait on top of the stack:\nmain.wait()\n"
		other  = "Goroutine 10 in state select (durable), 1 minutes, synctest bubble 4, with main.wait on top of the stack:\nmain.wait()\n"
		none   = "Goroutine 11 in state sync.Mutex.Lock, with sync.(*Mutex).Lock on top of the stack:\nsync.(*Mutex).Lock()\n"
		young  = "Goroutine 12 in state sync.RWMutex.Lock, synctest bubble 5, with sync.(*RWMutex).Lock on top of the stack:\nsync.(*RWMutex).Lock()\n"
	)
	for _, c := range []struct{ text, want string }{
		{head + "[" + locked + " " + beside + " " + thread + "]", ""},
		{head + "[" + young + "]", ""},
		{head + "[" + other + " " + locked + " " + none + "]", "[" + other + " " + none},
	} {
		if got := withoutFrozen(c.text); got != c.want {
			t.Errorf("got %q of %q, want %q", got, c.text, c.want)
		}
	}
}
