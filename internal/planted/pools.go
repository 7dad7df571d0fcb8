package planted

import (
	"slices"
	"sync"
)

// pool is a pool of numbered connections, with a waiting list. Each of its programs
// switches one defect on.
type pool struct {
	mu      sync.Mutex
	idle    []int
	waiting []*waiter
	made    int

	closed       bool
	forgetsClose bool // whether it is closed is asked once, before the lock is taken
	peeks        bool // an idle connection is chosen under one lock and taken under another
	givesUpLate  bool // a waiter that gave up is taken off the list under a second lock
}

type waiter struct {
	conn chan int
	gone bool
}

// get returns an idle connection, a new one if there may be another one, or waits. It
// returns 0 if it is cancelled.
func (p *pool) get(most int, cancel chan bool) int {
	p.mu.Lock()
	if p.peeks && len(p.idle) > 0 {
		c := p.idle[0]
		p.mu.Unlock()
		p.mu.Lock()
		p.idle = slices.DeleteFunc(p.idle, func(other int) bool { return other == c })
		p.mu.Unlock()
		return c
	}
	if len(p.idle) > 0 {
		c := p.idle[0]
		p.idle = p.idle[1:]
		p.mu.Unlock()
		return c
	}
	if p.made < most {
		p.made++
		c := p.made
		p.mu.Unlock()
		return c
	}
	w := &waiter{conn: make(chan int, 1)}
	p.waiting = append(p.waiting, w)
	p.mu.Unlock()
	select {
	case c := <-w.conn:
		return c
	case <-cancel:
	}
	if p.givesUpLate {
		select {
		case c := <-w.conn:
			p.put(c)
			return 0
		default:
		}
	}
	p.mu.Lock()
	w.gone = true
	p.waiting = slices.DeleteFunc(p.waiting, func(other *waiter) bool { return other == w })
	p.mu.Unlock()
	if !p.givesUpLate {
		select {
		case c := <-w.conn:
			p.put(c)
		default:
		}
	}
	return 0
}

// put gives a connection to a waiter, or keeps it.
func (p *pool) put(c int) {
	p.mu.Lock()
	closed := p.closed
	if p.forgetsClose {
		p.mu.Unlock()
		p.mu.Lock()
	}
	defer p.mu.Unlock()
	if closed {
		p.made--
		return
	}
	if len(p.waiting) > 0 {
		w := p.waiting[0]
		p.waiting = p.waiting[1:]
		w.conn <- c
		return
	}
	p.idle = append(p.idle, c)
}

// close closes the pool, and its idle connections.
func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	p.made -= len(p.idle)
	p.idle = nil
	p.mu.Unlock()
}

var pools = []Program{
	{"pool: one for two", "two requests get one idle connection", func(fail func(string)) {
		p := &pool{peeks: true, idle: []int{1}, made: 1}
		var mu sync.Mutex
		users := make(map[int]bool)
		use := func() {
			c := p.get(2, nil)
			mu.Lock()
			if users[c] {
				fail("one connection has two users")
			}
			users[c] = true
			mu.Unlock()
		}
		together(use, use)
	}},
	{"pool: given to one that left", "a connection is given to a request that has been cancelled, and is lost", func(fail func(string)) {
		p := &pool{givesUpLate: true}
		first := p.get(1, nil)
		cancel := make(chan bool)
		together(func() {
			if c := p.get(1, cancel); c != 0 {
				p.put(c)
			}
		}, func() { p.put(first) }, func() { close(cancel) })
		failed(fail, len(p.idle), 1)
	}},
	{"pool: kept after close", "a connection becomes idle in a pool that was closed meanwhile", func(fail func(string)) {
		p := &pool{forgetsClose: true}
		c := p.get(1, nil)
		together(func() { p.put(c) }, p.close)
		failed(fail, p.made, 0)
	}},
}
