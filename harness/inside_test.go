package harness_test

import (
	"fmt"
	"net/http"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/internal/deep/on"
)

// needsDeep skips a test of inner choices where there are none. Package internal/deep
// runs these tests in deep bubbles.
func needsDeep(t *testing.T) {
	t.Helper()
	if !on.Deep() {
		t.Skip("an ordinary bubble has no inner choices: halfopen test has")
	}
}

// inside returns the bounds of all orders with at most that number of delays inside
// steps, and of nothing else.
func inside(delays int) harness.Bounds {
	return harness.Bounds{Strategy: "exhaustive", Delays: harness.None, Faults: harness.None, Inner: delays, Schedules: harness.All, KeepGoing: true}
}

// Each order of a program whose orders are known is seen, and no other one.
func TestInsideOrders(t *testing.T) {
	needsDeep(t)
	for _, p := range []struct {
		name   string
		delays int
		orders int
		body   func(t *harness.T)
	}{
		{"six goroutines at one mutex", 5, 720, atOneMutex(6)},
		{"three goroutines at one mutex", harness.All, 6, atOneMutex(3)},
		{"three ready cases", harness.All, 3, threeReady},
		{"three timers of one instant", 3, 6, threeTimers},
		{"a range over four entries", harness.All, 4, fourEntries},
		{"two locks in two orders", 2, 2, twoLocks},
		{"a producer and a consumer of three items", 3, 4, threeItems},
	} {
		t.Run(p.name, func(t *testing.T) {
			x, err := harness.ExploreReport(p.name, inside(p.delays), nil, p.body)
			if err != nil {
				t.Fatal(err)
			}
			if !x.Complete || len(x.Outcomes) != p.orders || len(x.Findings) > 0 {
				t.Errorf("got %d orders, complete: %t, want %d:\n%s", len(x.Outcomes), x.Complete, p.orders, x)
			}
			t.Logf("%d schedules", x.Schedules)
		})
	}
}

// atOneMutex has n goroutines wait for one mutex.
func atOneMutex(n int) func(t *harness.T) {
	return func(t *harness.T) {
		var mu sync.Mutex
		var order strings.Builder
		mu.Lock()
		for i := range n {
			go func() {
				mu.Lock()
				fmt.Fprint(&order, i)
				mu.Unlock()
			}()
			t.Settle()
		}
		mu.Unlock()
		t.Settle()
		t.Outcome("%s", &order)
	}
}

// threeReady selects among three cases that are ready.
func threeReady(t *harness.T) {
	a, b, c := make(chan int, 1), make(chan int, 1), make(chan int, 1)
	a <- 1
	b <- 1
	c <- 1
	select {
	case <-a:
		t.Outcome("a")
	case <-b:
		t.Outcome("b")
	case <-c:
		t.Outcome("c")
	}
}

// threeTimers has three timers of one instant.
func threeTimers(t *harness.T) {
	fired := make(chan int, 3)
	for i := range 3 {
		time.AfterFunc(time.Second, func() { fired <- i })
	}
	t.Outcome("%d%d%d", <-fired, <-fired, <-fired)
}

// fourEntries begins a range over a map.
func fourEntries(t *harness.T) {
	for name := range map[string]int{"a": 1, "b": 2, "c": 3, "d": 4} {
		t.Outcome("%s", name)
		break
	}
}

// twoLocks has two goroutines take two locks in two orders: both get them, or neither.
func twoLocks(t *harness.T) {
	var a, b sync.Mutex
	got := make(chan bool, 2)
	for _, l := range [][2]*sync.Mutex{{&a, &b}, {&b, &a}} {
		go func() {
			l[0].Lock()
			if !l[1].TryLock() { // it would wait for ever
				got <- false
				return
			}
			got <- true
			l[1].Unlock()
			l[0].Unlock()
		}()
	}
	t.Settle()
	t.Outcome("both got both: %t", len(got) == 2 && <-got && <-got)
}

// threeItems has a producer put three items into a buffer of two, and a consumer take
// them: the orders in which each begins with "put" and has at most two items waiting.
func threeItems(t *harness.T) {
	var mu sync.Mutex
	cond := sync.NewCond(&mu)
	var order []string
	waiting, done := 0, make(chan bool)
	move := func(name string, by int, may func() bool) {
		for range 3 {
			mu.Lock()
			for !may() {
				cond.Wait()
			}
			waiting += by
			order = append(order, name)
			cond.Broadcast()
			mu.Unlock()
		}
		done <- true
	}
	go move("put", 1, func() bool { return waiting < 2 })
	go move("take", -1, func() bool { return waiting > 0 })
	<-done
	<-done
	t.Outcome("%s", strings.Join(order, " "))
}

// aDefect adds to a counter with a load and a store.
func aDefect(t *harness.T) {
	var n atomic.Int64
	done := make(chan bool)
	for range 2 {
		go func() {
			n.Store(n.Load() + 1)
			done <- true
		}()
	}
	<-done
	<-done
	if n.Load() != 2 {
		t.Errorf("got %d, want 2", n.Load())
	}
}

// A saved schedule with inner choices fails again in a deep bubble. In an ordinary one it
// is not run, and says so.
func TestInsideReplay(t *testing.T) {
	t.Chdir(t.TempDir())
	const schedule = "inner 1: 2 of 3, run the other one"
	f := &harness.Finding{Schedule: harness.Schedule{schedule}, Report: &harness.Report{Failures: []harness.Failure{{Text: "x"}}}}
	if on.Deep() {
		x, err := harness.ExploreReport("TestPool", harness.Bounds{}, nil, aDefect)
		if err != nil || len(x.Findings) == 0 {
			t.Fatalf("%v\n%s", err, x)
		}
		f = x.Findings[0]
	}
	if _, err := f.Save("testdata/replays", "TestPool"); err != nil {
		t.Fatal(err)
	}
	rec := &failing{TB: t, name: "TestPool"}
	var x *harness.Exploration
	rec.run(func() { x = harness.Explore(rec, harness.Bounds{Schedules: 1}, aDefect) })
	switch {
	case on.Deep():
		if !strings.Contains(rec.text, "got 1, want 2") {
			t.Errorf("got %s", rec.text)
		}
	case rec.text != "" || len(x.Replayed) != 1 || !x.Replayed[0].NeedsDeep ||
		!strings.HasSuffix(x.Replayed[0].String(), ": not run: it has inner choices, which need a deep bubble (halfopen test)"):
		t.Errorf("got %q, %v", rec.text, x)
	}
}

// A goroutine that waits for another one in a loop, with a pause for others or without,
// is no failure: every strategy lets the other one run.
func TestInsideWaitsInALoop(t *testing.T) {
	needsDeep(t)
	for name, pause := range map[string]func(){"with Gosched": runtime.Gosched, "without": func() {}} {
		for _, strategy := range []string{"pct", "pos", "random"} {
			t.Run(name+"/"+strategy, func(t *testing.T) {
				x, err := harness.ExploreReport(t.Name(), harness.Bounds{Strategy: strategy, Schedules: 60, KeepGoing: true, Inner: 2}, nil, func(t *harness.T) {
					var begun, ready atomic.Bool
					done := make(chan bool)
					go func() {
						for begun.Store(true); !ready.Load(); pause() {
						}
						done <- true
					}()
					go func() {
						for !begun.Load() {
							pause()
						}
						ready.Store(true)
						done <- true
					}()
					<-done
					<-done
				})
				if err != nil || len(x.Findings)+len(x.Undecided) > 0 {
					t.Errorf("%v\n%s", err, x)
				}
			})
		}
	}
}

// A repeated search with inner choices, drawn and in order, comes to the same, over HTTP/1
// and over HTTP/2.
func TestInsideRepeats(t *testing.T) {
	needsDeep(t)
	scenarios := replayScenarios(t)
	for name := range scenarios {
		t.Run(name, func(t *testing.T) {
			for _, strategy := range []string{"exhaustive", "pct", "pos", "random"} {
				bounds := harness.Bounds{Strategy: strategy, Schedules: 60, KeepGoing: true, Inner: 2}
				var texts []string
				for range 2 {
					x, err := harness.ExploreReport(name, bounds, nil, scenarios[name])
					if err != nil {
						t.Fatal(err)
					}
					if slices.ContainsFunc(x.Findings, func(f *harness.Finding) bool { return f.Report.Failures[0].Kind == harness.KindUncontrolled }) {
						t.Errorf("%s: %s", strategy, x)
					}
					texts = append(texts, x.String())
				}
				if texts[0] != texts[1] {
					t.Errorf("%s: got\n%s\nand then\n%s", strategy, texts[0], texts[1])
				}
			}
		})
	}
}

// A body whose inner choices are not the same in each run is a finding, which says at which
// choice the difference begins.
func TestInsideUncontrolled(t *testing.T) {
	needsDeep(t)
	runs := 0
	x, err := harness.ExploreReport(t.Name(), inside(1), nil, func(t *harness.T) {
		done := make(chan bool, 2)
		if runs++; runs%2 == 0 {
			go func() { done <- true }()
		}
		go func() { done <- true }()
		<-done
	})
	if err != nil || len(x.Findings) == 0 {
		t.Fatalf("%v\n%s", err, x)
	}
	got := x.Findings[0].Report.Failures[0]
	want := regexp.MustCompile(`^inner choices: \d+; (there is no inner choice \d|inner choice \d: ` +
		`(run the goroutine started at harness_test\.TestInsideUncontrolled\S* inside_test\.go:\d+ next, or another one|` +
		`at harness_test\.TestInsideUncontrolled\S* inside_test\.go:\d+, the goroutine started at \S+ \S+\.go:\d+ goes on, or (another one|one of 2 others)))$`)
	if got.Kind != harness.KindUncontrolled || len(got.Detail) != 3 || !want.MatchString(got.Detail[1]) || !want.MatchString(got.Detail[2]) || got.Detail[1] == got.Detail[2] {
		t.Errorf("got %s\n%s", got, strings.Join(got.Detail, "\n"))
	}
}

// What two things with no quiet between them come to is no chance: a schedule with them is run
// once, comes out the same when it is run again, and is made shorter if it fails.
func TestInsideCoincidences(t *testing.T) {
	needsDeep(t)
	bounds := harness.Bounds{Delays: 1, Faults: harness.None, Coincidences: 2, Inner: 1, KeepGoing: true}
	x := harness.Explore(t, bounds, twoGets)
	if x.Sampled > 0 || x.Repeated < 20 || x.Differed > 0 || strings.Contains(x.String(), "a sample") {
		t.Errorf("got %d with coincidences as a sample, %d of %d came out otherwise:\n%s", x.Sampled, x.Differed, x.Repeated, x)
	}
	bounds.Strategy = "random"
	for _, n := range []int{1, harness.None} {
		bounds.Coincidences = n
		x, err := harness.ExploreReport(t.Name(), bounds, nil, func(t *harness.T) {
			t.Serve("api.test:80", nil)
			both := &atEnd{RoundTripper: t.Net.Transport(), fail: func() { t.Errorf("both end at once") }}
			t.Get("r1", both, "http://api.test/")
			t.Get("r2", both, "http://api.test/")
		})
		if err != nil || len(x.Findings) != max(n, 0) {
			t.Fatalf("%d coincidences: got %v\n%s", n, err, x)
		}
		if n == 1 && !regexp.MustCompile(`^([^&]*; )?c1 server->client data & c2 server->client data(; inner \d+: [^;]*){1,6}$`).MatchString(strings.Join(x.Findings[0].Schedule, "; ")) {
			t.Errorf("got the schedule %q", x.Findings[0].Schedule)
		}
	}
}

// An atEnd fails if two requests end at once.
type atEnd struct {
	http.RoundTripper
	ending atomic.Int32
	fail   func()
}

func (a *atEnd) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := a.RoundTripper.RoundTrip(req)
	if a.ending.Add(1); a.ending.Load() == 2 {
		a.fail()
	}
	a.ending.Add(-1)
	return resp, err
}
