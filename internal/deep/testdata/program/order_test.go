package program

import (
	"crypto/rand"
	"fmt"
	"hash/maphash"
	"iter"
	mathrand "math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// wantSame runs f in n bubbles, and fails if two of them say different things. It
// prints what they say, so that the outputs of two processes can be compared.
func wantSame(t *testing.T, n int, f func(say func(...any))) {
	t.Helper()
	var first string
	for i := range n {
		var b strings.Builder
		synctest.Test(t, func(*testing.T) {
			var mu sync.Mutex
			f(func(args ...any) {
				mu.Lock()
				defer mu.Unlock()
				fmt.Fprint(&b, args...)
				b.WriteByte(' ')
			})
		})
		if i == 0 {
			first = b.String()
		} else if b.String() != first {
			t.Errorf("run %d of %d:\n%s\nnot as the first:\n%s", i+1, n, b.String(), first)
		}
	}
	fmt.Printf("outcome %s %s\n", t.Name(), first)
}

// Everything is in the same order in each run: six goroutines at a mutex, a select
// of three channels, a map, four timers of one instant, and three kinds of random
// numbers.
func TestOrder(t *testing.T) {
	wantSame(t, 500, func(say func(...any)) {
		var mu sync.Mutex
		var wg sync.WaitGroup
		for i := range 6 {
			wg.Go(func() {
				mu.Lock()
				defer mu.Unlock()
				say(i)
				time.Sleep(time.Millisecond) // virtual
			})
		}
		wg.Wait()
		cs := [3]chan int{make(chan int, 1), make(chan int, 1), make(chan int, 1)}
		for range 8 {
			for _, c := range cs {
				select {
				case c <- 1:
				default:
				}
			}
			select {
			case <-cs[0]:
				say("a")
			case <-cs[1]:
				say("b")
			case <-cs[2]:
				say("c")
			}
		}
		m := map[int]bool{}
		for i := range 20 {
			m[i] = true
		}
		for k := range m {
			say(k)
		}
		for i := range 4 {
			time.AfterFunc(time.Second, func() { say("t", i) })
		}
		time.Sleep(2 * time.Second) // virtual
		var b [8]byte
		rand.Read(b[:])
		say(b, mathrand.IntN(1000), maphash.String(maphash.MakeSeed(), "x"))
	})
}

// A value that was put into a sync.Pool outside, or in another bubble, is not
// found.
func TestPool(t *testing.T) {
	pool := sync.Pool{New: func() any { return new(int) }}
	n := 7
	pool.Put(&n)
	wantSame(t, 20, func(say func(...any)) {
		p := pool.Get().(*int)
		say(*p)
		*p++
		pool.Put(p)
	})
}

// The order is also the same where goroutines become runnable in other ways than
// by a wake-up: the collector, system calls, locked threads, coroutines.
func TestDoors(t *testing.T) {
	wantSame(t, 5, func(say func(...any)) {
		var wg sync.WaitGroup
		turn := func(i int) {
			for j := range 3 {
				say(i, j)
				runtime.Gosched()
			}
		}
		wg.Go(func() { runtime.GC(); turn(0) })
		wg.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			turn(1)
			time.Sleep(time.Second) // virtual
			turn(1)
		})
		wg.Go(func() {
			next, stop := iter.Pull(func(yield func(int) bool) {
				for i := 0; yield(i); i++ {
					runtime.Gosched()
				}
			})
			for range 3 {
				i, _ := next()
				say("pull", i)
			}
			stop()
		})
		wg.Go(func() {
			var s [][]byte
			for range 2000 {
				s = append(s, make([]byte, 10000))
			}
			say(len(s))
			turn(3)
		})
		wg.Go(func() { os.Getwd(); syscall.Getpid(); turn(4) })
		wg.Wait()
	})
}

// A system call that waits for another goroutine of the bubble lets it run.
func TestSystemCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p [2]int
		if err := syscall.Pipe(p[:]); err != nil {
			t.Skip(err)
		}
		defer syscall.Close(p[0])
		defer syscall.Close(p[1])
		go func() {
			time.Sleep(0) // virtual
			syscall.Write(p[1], []byte("x"))
		}()
		var b [1]byte
		if n, err := syscall.Read(p[0], b[:]); n != 1 || err != nil {
			t.Error(n, err)
		}
		if out, err := exec.Command("echo", "hello").Output(); string(out) != "hello\n" {
			t.Errorf("%q, %v", out, err)
		}
	})
}

// A goroutine that waits in a loop does not stop its bubble for ever.
func TestSpin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ready atomic.Bool
		go ready.Store(true)
		for !ready.Load() {
		}
		go ready.Store(false)
		for ready.Load() {
			runtime.Gosched()
		}
	})
}

// Bubbles run in parallel, and share locks with each other and with a goroutine
// outside. One of the locks is held while time passes. (If two were, the time of
// two bubbles could stand still because of each other, and both would wait for
// ever.)
func TestParallel(t *testing.T) {
	var mu sync.Mutex
	var rw sync.RWMutex
	var n int
	var wg sync.WaitGroup
	stop := make(chan bool)
	outside := make(chan bool)
	go func() {
		defer close(outside)
		for {
			select {
			case <-stop:
				return
			default:
				mu.Lock()
				n++
				mu.Unlock()
				rw.RLock()
				rw.RUnlock()
				runtime.Gosched()
			}
		}
	}()
	for range 4 {
		wg.Go(func() {
			for range 20 {
				synctest.Test(new(testing.T), func(*testing.T) {
					var in sync.WaitGroup
					for i := range 4 {
						in.Go(func() {
							mu.Lock()
							n++
							time.Sleep(time.Duration(i)) // virtual
							mu.Unlock()
							if i%2 == 0 {
								rw.Lock()
								runtime.Gosched()
								rw.Unlock()
							} else {
								rw.RLock()
								runtime.Gosched()
								rw.RUnlock()
							}
						})
					}
					in.Wait()
				})
			}
		})
	}
	wg.Wait()
	close(stop)
	<-outside
}
