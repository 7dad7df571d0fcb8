package planted

import (
	"sync"
	"sync/atomic"
	"time"
)

var channels = []Program{
	{"select priority", "a worker is believed to see the stop before work that came with it", func(fail func(string)) {
		work, stop := make(chan int, 1), make(chan bool)
		work <- 1
		close(stop)
		select {
		case <-work:
			fail("worked after the stop")
		case <-stop:
		}
	}},
	{"double close", "two goroutines ask whether a channel is closed before each closes it", func(fail func(string)) {
		c := make(chan bool)
		var closed atomic.Bool
		shut := func() {
			if !closed.Load() {
				caught(fail, func() { close(c) })
				closed.Store(true)
			}
		}
		together(shut, shut)
	}},
	{"send after close", "a sender asks whether the channel is closed before it sends", func(fail func(string)) {
		c := make(chan int, 1)
		var closed atomic.Bool
		together(func() {
			if !closed.Load() {
				caught(fail, func() { c <- 1 })
			}
		}, func() {
			closed.Store(true)
			close(c)
		})
	}},
	{"receiver gave up", "a result is sent on a channel without room, whose receiver may have left", func(fail func(string)) {
		result, cancel := make(chan int), make(chan bool)
		together(func() {
			select {
			case <-result:
			case <-cancel:
			}
		}, func() { result <- 1 }, func() { close(cancel) })
	}},
	{"timers of one instant", "of two timers of one instant, the one that was started first is believed to fire first", func(fail func(string)) {
		soft, hard := time.NewTimer(time.Millisecond), time.NewTimer(time.Millisecond)
		select {
		case <-soft.C:
		case <-hard.C:
			fail("the hard limit came before the soft one")
		}
	}},
	{"token lost", "a token of a semaphore is given back by the holder and by the one that gave up", func(fail func(string)) {
		tokens := make(chan bool, 2)
		tokens <- true
		var mu sync.Mutex
		released := false
		release := func() {
			mu.Lock()
			done := released
			mu.Unlock()
			if !done {
				select {
				case tokens <- true:
				default:
				}
				mu.Lock()
				released = true
				mu.Unlock()
			}
		}
		<-tokens
		together(release, release)
		failed(fail, len(tokens), 1)
	}},
}
