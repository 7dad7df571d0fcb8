package harness_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/internal/deep/on"
)

// A transport that calls back with its mutex held freezes when it is parked
// there. That is said, with the gate and with the goroutine that waits, and is no
// failure: it would go on if the gate were released. In a deep bubble it does not freeze,
// and what it fails by is said.
func TestFrozen(t *testing.T) {
	out := elsewhere(t, func() {
		r := harness.TestReport("frozen", lockedAtGate)
		fmt.Println("failed:", r.Failed(), "undecided:", r.Undecided())
		fmt.Println(r)
	})
	wants := []string{
		"failed: false undecided: true",
		"undecided: a goroutine waits for a mutex",
		"; held: [gate r1 Value]", "may hold it: chan receive: harness_test.lockedAtGate",
		"sync.Mutex.Lock:", "frozen_test.go:",
	}
	if on.Deep() {
		wants = []string{"failed: true undecided: false\ngate r1 Value: still held\n", "sync.Mutex.Lock: harness_test.lockedAtGate"}
	}
	for _, want := range wants {
		if !strings.Contains(out, want) {
			t.Errorf("got:\n%s\nwant it to contain %q", out, want)
		}
	}
}

// A test that is undecided is skipped, with the report. In a deep bubble it is not.
func TestFrozenSkips(t *testing.T) {
	if on.Deep() {
		rec := &failing{TB: t, name: "TestPool"}
		rec.run(func() { harness.Test(rec, lockedAtGate) })
		if want := "gate r1 Value: still held"; !strings.Contains(rec.text, want) {
			t.Errorf("got %s, want %s", rec.text, want)
		}
		return
	}
	out := elsewhere(t, func() { harness.Test(t, lockedAtGate) })
	if want := "--- SKIP: TestFrozenSkips"; !strings.Contains(out, want) || !strings.Contains(out, "undecided: a goroutine waits for a mutex") {
		t.Errorf("got:\n%s\nwant it to contain %q", out, want)
	}
}

// A failure that was seen before time stood still is one.
func TestFrozenFails(t *testing.T) {
	out := elsewhere(t, func() {
		r := harness.TestReport("frozen", func(t *harness.T) {
			t.Error("seen before")
			lockedAtGate(t)
		})
		fmt.Println("failed:", r.Failed(), "undecided:", r.Undecided())
		fmt.Println(r)
	})
	if want := "failed: true undecided: false\nseen before  ("; !strings.Contains(out, want) {
		t.Errorf("got:\n%s\nwant it to contain %q", out, want)
	}
}

// An exploration tells what is undecided once, and ends when two schedules are.
func TestFrozenExplored(t *testing.T) {
	out := elsewhere(t, func() {
		x, err := harness.ExploreReport("frozen", harness.Bounds{}, nil, lockedAtGate)
		fmt.Println(len(x.Findings), len(x.Undecided), x.Schedules, x.Complete, err)
		fmt.Println(x)
	})
	if on.Deep() {
		if want := "1 0 1 false <nil>\n"; !strings.Contains(out, want) || strings.Contains(out, "undecided: ") || !strings.Contains(out, "stuck: nothing moved") {
			t.Errorf("got:\n%s\nwant it to contain %q", out, want)
		}
		return
	}
	if want := "0 1 2 false <nil>\nundecided: "; !strings.Contains(out, want) || !strings.Contains(out, "\nexplored 2 schedules") || strings.Count(out, "undecided: ") != 1 || !strings.Contains(out, "    schedule: start r1") {
		t.Errorf("got:\n%s\nwant it to contain %q", out, want)
	}
}

// A goroutine that computes while another waits for its mutex is not taken for one
// that stands still, though it takes some times as long as a run may stand still.
func TestSlowIsNotFrozen(t *testing.T) {
	out := elsewhere(t, func() {
		compute := longComputation()
		fmt.Println(harness.TestReport("slow", func(t *harness.T) {
			var mu sync.Mutex
			locked := make(chan bool)
			go func() {
				mu.Lock()
				defer mu.Unlock()
				locked <- true
				compute()
			}()
			<-locked
			mu.Lock()
		}))
	}, "-halfopen.frozen=100ms")
	if want := "slow: held\n"; !strings.Contains(out, want) {
		t.Errorf("got:\n%s\nwant it to contain %q", out, want)
	}
}

// A goroutine of the bubble that waits for one outside which computes is not accused,
// though every processor is busy.
func TestSlowOutsideIsNotAccused(t *testing.T) {
	out := elsewhere(t, func() {
		var stop atomic.Bool
		for range runtime.GOMAXPROCS(0) {
			go func() {
				for !stop.Load() {
				}
			}()
		}
		done, compute := make(chan bool), longComputation()
		go func() {
			compute()
			close(done)
		}()
		fmt.Println(harness.TestReport("slow", func(t *harness.T) { <-done }))
		stop.Store(true)
	}, "-halfopen.frozen=100ms")
	if want := "slow: held\n"; !strings.Contains(out, want) {
		t.Errorf("got:\n%s\nwant it to contain %q", out, want)
	}
}

// longComputation returns a function that runs for half a second of real time, in a
// bubble too.
func longComputation() func() {
	begun := make(chan bool, 1)
	var passed atomic.Bool
	go func() {
		<-begun
		time.Sleep(500 * time.Millisecond) // of real time: it is outside of every bubble
		passed.Store(true)
	}()
	return func() {
		begun <- true
		for !passed.Load() {
		}
	}
}

// What a goroutine waits for outside the bubble ends the test, in words that name it, and
// its line, and what to do. So does a goroutine that never waits. The next test runs.
func TestOutside(t *testing.T) {
	never, full := make(chan bool), make(chan bool)
	var group sync.WaitGroup
	group.Add(1)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	const dial = "outside: a goroutine waits for a real socket, pipe or file: to reach the network of the test, it has to dial t.Net (DialContext: t.Net.DialContext)"
	const channel = "outside: a goroutine waits for a channel that was made outside the bubble: make it in the body of the test"
	cases := []struct {
		name, want string
		body       func(t *harness.T)
	}{
		{"a channel", channel, func(*harness.T) { <-never }},
		{"a select", channel, func(t *harness.T) {
			select {
			case <-never:
			case <-t.Context().Done():
			}
		}},
		{"a send", channel, func(*harness.T) { full <- true }},
		{"a goroutine's channel", channel, func(*harness.T) { go func() { <-never }() }},
		{"a group", "outside: a goroutine waits for a sync.WaitGroup that was used outside the bubble", func(*harness.T) { group.Wait() }},
		{"a socket", dial, func(t *harness.T) {
			if _, err := http.Get("http://" + listener.Addr().String()); err != nil {
				t.Error(err)
			}
		}},
		{"a loop", "endless: a goroutine runs on and on, and neither ends nor waits  (frozen_test.go:", func(*harness.T) {
			for stop := new(atomic.Bool); !stop.Load(); {
			}
		}},
	}
	out := elsewhere(t, func() {
		for _, c := range cases {
			fmt.Printf("case: %s\n%s\n", c.name, harness.TestReport(c.name, c.body))
		}
	})
	parts := strings.Split(out, "case: ")[1:]
	for i, c := range cases {
		if i >= len(parts) || !strings.HasPrefix(parts[i], c.name+"\n"+c.want) || !strings.Contains(parts[i], "frozen_test.go:") {
			t.Errorf("%s: want it to be %q at its line, in:\n%s", c.name, c.want, out)
		}
	}
}

// A finding that stands still is not shrunk, as each try would stand still too, and ends
// the exploration as any other finding does.
func TestOutsideExplored(t *testing.T) {
	never := make(chan bool)
	out := elsewhere(t, func() {
		x, err := harness.ExploreReport("outside", harness.Bounds{}, nil, func(t *harness.T) {
			t.Serve("api.test:80", nil)
			t.Get("r1", roundTripper(func(req *http.Request) (*http.Response, error) {
				<-never
				return nil, http.ErrNotSupported
			}), "http://api.test/").MayCancel()
		})
		fmt.Println(len(x.Findings), len(x.Undecided), err)
		fmt.Println(x)
	})
	if want := "1 0 <nil>\n"; !strings.Contains(out, want) || strings.Count(out, "outside: ") != 1 {
		t.Errorf("got:\n%s\nwant it to contain %q, and the failure once", out, want)
	}
}

// A test may look up a name, and so may the next one: what package net makes at its first
// look-up, and keeps, belongs to no bubble.
func TestLookUps(t *testing.T) {
	out := elsewhere(t, func() {
		for _, name := range []string{"first", "second"} {
			fmt.Println(harness.TestReport(name, func(t *harness.T) {
				if _, err := net.LookupHost("localhost"); err != nil {
					t.Error(err)
				}
			}))
		}
	})
	if want := "first: held\n\nsecond: held\n"; !strings.Contains(out, want) {
		t.Errorf("got:\n%s\nwant it to contain %q", out, want)
	}
}

// A look-up that a bubble leaves behind, because it waits for something outside, answers no later
// bubble that asks for the same name: package net would share the answer, and that would be the end of the
// process.
func TestLookUpLeftBehind(t *testing.T) {
	out := elsewhere(t, func() {
		outside := make(chan struct{})
		net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
			<-outside
			return nil, errors.New("no server")
		}}
		answered := make(chan error, 2)
		for _, name := range []string{"first", "second"} {
			fmt.Println(harness.TestReport(name, func(t *harness.T) {
				addrs, err := net.DefaultResolver.LookupIPAddr(context.Background(), "server.test")
				answered <- fmt.Errorf("%d addresses, %w", len(addrs), err)
			}))
		}
		close(outside)
		fmt.Println("answered:", <-answered, <-answered)
	})
	if n := strings.Count(out, "outside: a goroutine waits for a channel that was made outside the bubble"); n != 2 {
		t.Errorf("got:\n%s\nwant two bubbles that stand still, got %d", out, n)
	}
	if want := "answered: 0 addresses, lookup server.test"; !strings.Contains(out, want) {
		t.Errorf("got:\n%s\nwant it to contain %q", out, want)
	}
}

// elsewhereEnv says that this is the process of its own.
const elsewhereEnv = "HALFOPEN_TEST_ELSEWHERE"

// elsewhere calls run in a process of its own, as a frozen bubble cannot be freed, and
// returns what it prints.
func elsewhere(t *testing.T, run func(), flags ...string) string {
	t.Helper()
	if os.Getenv(elsewhereEnv) != "" {
		run()
		os.Exit(0)
	}
	cmd := exec.Command(os.Args[0], append([]string{"-test.v", "-test.run=^" + t.Name() + "$", "-halfopen.frozen=20ms"}, flags...)...)
	cmd.Env = append(os.Environ(), elsewhereEnv+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// lockedAtGate has one request parked at a gate with a mutex that another waits for.
func lockedAtGate(t *harness.T) {
	var mu sync.Mutex
	t.Gates("Value")
	rt := roundTripper(func(req *http.Request) (*http.Response, error) {
		mu.Lock()
		defer mu.Unlock()
		req.Context().Value("anything")
		return nil, http.ErrNotSupported
	})
	t.Net.Hold("gate")
	t.Get("r1", rt, "http://api.test/")
	t.Get("r2", rt, "http://api.test/")
}
