package planted

import "sync/atomic"

// node is an element of a stack.
type node struct {
	id   int
	next atomic.Pointer[node]
}

var atomics = []Program{
	{"lost update", "a counter is loaded and stored, not added to", func(fail func(string)) {
		var n atomic.Int64
		add := func() { n.Store(n.Load() + 1) }
		together(add, add)
		failed(fail, n.Load(), 2)
	}},
	{"ABA", "an element is taken from a stack, and put back, between the load and the swap of another goroutine", func(fail func(string)) {
		var top atomic.Pointer[node]
		a, b := &node{id: 1}, &node{id: 2}
		a.next.Store(b)
		top.Store(a)
		var taken [3]atomic.Int32
		pop := func() *node {
			for {
				n := top.Load()
				if n == nil {
					return nil
				}
				if next := n.next.Load(); top.CompareAndSwap(n, next) {
					taken[n.id].Add(1)
					return n
				}
			}
		}
		push := func(n *node) {
			taken[n.id].Add(-1)
			for {
				old := top.Load()
				n.next.Store(old)
				if top.CompareAndSwap(old, n) {
					return
				}
			}
		}
		together(func() { pop() }, func() {
			first := pop()
			pop()
			if first != nil {
				push(first)
			}
		})
		for pop() != nil {
		}
		for id := 1; id <= 2; id++ {
			if n := taken[id].Load(); n > 1 {
				fail("an element was taken twice")
			}
		}
	}},
	{"published too early", "the flag that says that a value is there is set before the value", func(fail func(string)) {
		var ready atomic.Bool
		var value atomic.Int32
		together(func() {
			ready.Store(true)
			value.Store(7)
		}, func() {
			if ready.Load() {
				failed(fail, value.Load(), 7)
			}
		})
	}},
	{"torn pair", "two values that belong together are stored one after the other", func(fail func(string)) {
		var low, high atomic.Int32
		together(func() {
			low.Store(1)
			high.Store(1)
		}, func() {
			l, h := low.Load(), high.Load()
			failed(fail, h, l)
		})
	}},
}
