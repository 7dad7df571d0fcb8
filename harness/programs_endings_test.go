package harness_test

import (
	"context"
	"net"
	"os"
	"runtime/debug"
	"sync"
	"testing"

	"github.com/halfopen/halfopen/harness"
)

// endings is programs that end the process, which no code of this process can prevent:
// docs/debugging.md has them, with what is printed.
var endings = []program{
	{ends: true, does: "the body exits", run: once(func(*harness.T) { os.Exit(3) })},
	{ends: true, does: "a goroutine of the user's panics", run: once(func(*harness.T) {
		go func() { panic("mine") }()
		select {}
	}), want: "panic: mine"},
	{ends: true, does: "a map is written by two goroutines", run: once(func(t *harness.T) {
		m := make(map[int]int)
		for range 2 {
			go func() {
				for t.Context().Err() == nil {
					m[0]++
				}
			}()
		}
	}), want: "fatal error: concurrent map"},
	{ends: true, does: "a function calls itself without end", run: once(func(*harness.T) {
		debug.SetMaxStack(1 << 20)
		nested(1, func() {})
	}), want: "fatal error: stack overflow"},
	{ends: true, does: "a mutex is unlocked twice", run: once(func(*harness.T) { new(sync.Mutex).Unlock() }), want: "fatal error: sync: unlock of unlocked mutex"},
	{ends: true, does: "more memory is asked for than there is", run: once(func(t *harness.T) {
		t.Log(len(make([]byte, 1<<46+len(t.Requests()))))
	}), want: "fatal error: "}, // out of memory; under -race, "too many address space collisions"
	{ends: true, does: "a channel of one bubble is used in another", run: func(*testing.T) string {
		var before chan bool
		harness.TestReport("before", func(*harness.T) { before = make(chan bool, 1) })
		return once(func(*harness.T) { before <- true })(nil)
	}, want: "fatal error: send on synctest channel from outside bubble"},
	{ends: true, does: "a dialer of the transport panics", run: dialing(func(context.Context, string, string) (net.Conn, error) { panic("mine") }), want: "panic: mine"},
}
