package planted

import (
	"maps"
	"slices"
	"sync"
)

var locks = []Program{
	{"check, then act", "a value is looked up under the lock and made under the lock, but not under one lock", func(fail func(string)) {
		var mu sync.Mutex
		made := 0
		get := func() {
			mu.Lock()
			missing := made == 0
			mu.Unlock()
			if missing {
				mu.Lock()
				made++
				mu.Unlock()
			}
		}
		together(get, get)
		failed(fail, made, 1)
	}},
	{"lock order", "two goroutines take two locks in different orders", func(fail func(string)) {
		var a, b sync.Mutex
		both := func(first, second *sync.Mutex) func() {
			return func() {
				first.Lock()
				defer first.Unlock()
				second.Lock()
				defer second.Unlock()
			}
		}
		together(both(&a, &b), both(&b, &a))
	}},
	{"unlock too early", "a buffer is put back before it is cleared", func(fail func(string)) {
		var mu sync.Mutex
		type buffer struct {
			mu   sync.Mutex
			text string
		}
		free := []*buffer{{}, {}}
		use := func(text string) func() {
			return func() {
				mu.Lock()
				b := free[len(free)-1]
				free = free[:len(free)-1]
				mu.Unlock()
				b.mu.Lock()
				failed(fail, b.text, "")
				b.text = text
				b.mu.Unlock()
				mu.Lock()
				free = append(free, b)
				mu.Unlock()
				b.mu.Lock()
				b.text = ""
				b.mu.Unlock()
			}
		}
		together(use("one"), use("two"))
	}},
	{"iteration while changed", "a list is measured under the lock and read under the lock, but not under one lock", func(fail func(string)) {
		var mu sync.Mutex
		list := []int{1, 2, 3}
		together(func() {
			mu.Lock()
			n := len(list)
			mu.Unlock()
			for i := range n {
				mu.Lock()
				caught(fail, func() { _ = list[i] })
				mu.Unlock()
			}
		}, func() {
			mu.Lock()
			list = slices.Delete(list, 0, 1)
			mu.Unlock()
		})
	}},
	{"order of a lock", "the one that waits first is believed to be the next that gets the lock", func(fail func(string)) {
		var mu sync.Mutex
		var order []int
		waiting := make(chan bool, 3)
		mu.Lock()
		for i := range 3 {
			go func() {
				waiting <- true
				mu.Lock()
				order = append(order, i)
				mu.Unlock()
				waiting <- true
			}()
			<-waiting
		}
		mu.Unlock()
		for range 3 {
			<-waiting
		}
		if !slices.IsSorted(order) {
			fail("got the lock out of order")
		}
	}},
	{"order of a map", "the first entry of a range is believed to be the oldest", func(fail func(string)) {
		idle := map[string]int{"a": 1, "b": 2, "c": 3}
		for name, age := range idle {
			failed(fail, age, slices.Min(slices.Collect(maps.Values(idle))))
			delete(idle, name)
			break
		}
	}},
}
