package planted

import (
	"sync"
	"sync/atomic"
)

var waits = []Program{
	{"signal before wait", "a signal is sent while nothing waits for it yet, and is not kept", func(fail func(string)) {
		var mu sync.Mutex
		cond := sync.NewCond(&mu)
		together(func() {
			mu.Lock()
			cond.Wait()
			mu.Unlock()
		}, func() {
			mu.Lock()
			//lint:ignore SA2001 What it changes here is left out: the side that waits never asks for it.
			mu.Unlock()
			cond.Signal()
		})
	}},
	{"lost wake-up", "a goroutine asks whether there is work before it says that it waits", func(fail func(string)) {
		var mu sync.Mutex
		work, waits := false, false
		wake := make(chan bool, 1)
		together(func() {
			mu.Lock()
			there := work
			mu.Unlock()
			if !there {
				mu.Lock()
				waits = true
				mu.Unlock()
				<-wake
			}
		}, func() {
			mu.Lock()
			work = true
			w := waits
			mu.Unlock()
			if w {
				wake <- true
			}
		})
	}},
	{"if in place of for", "a goroutine that was woken does not ask again whether there is something to take", func(fail func(string)) {
		var mu sync.Mutex
		cond := sync.NewCond(&mu)
		items := 0
		take := func() {
			mu.Lock()
			defer mu.Unlock()
			if items == 0 {
				cond.Wait()
			}
			items--
			if items < 0 {
				fail("took an item that was not there")
			}
		}
		together(take, func() {
			mu.Lock()
			items++
			mu.Unlock()
			cond.Signal()
		}, func() {
			mu.Lock()
			if items > 0 {
				items-- // this one asks, and does not wait
			}
			mu.Unlock()
			mu.Lock()
			items++ // and gives back
			mu.Unlock()
			cond.Signal()
		})
	}},
	{"added too late", "a goroutine is added to a WaitGroup by itself", func(fail func(string)) {
		var wg sync.WaitGroup
		var done atomic.Bool
		started := make(chan bool, 1)
		go func() {
			started <- true
			wg.Add(1)
			defer wg.Done()
			done.Store(true)
		}()
		<-started
		wg.Wait()
		failed(fail, done.Load(), true)
	}},
}
