package harness_test

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/halfopen/halfopen/harness"
)

// A transport that calls back with its mutex held freezes when it is parked
// there. That is said, with the gate and with the goroutine that waits, and is no
// failure: it would go on if the gate were released.
func TestFrozen(t *testing.T) {
	out := elsewhere(t, func() {
		r := harness.Run("frozen", lockedAtGate)
		fmt.Println("failed:", r.Failed(), "undecided:", r.Undecided())
		fmt.Println(r)
	})
	for _, want := range []string{
		"failed: false undecided: true",
		"undecided: a goroutine waits for a mutex",
		"; parked at a gate: [gate r1 Value]",
		"sync.Mutex.Lock:", "frozen_test.go:",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("got:\n%s\nwant it to contain %q", out, want)
		}
	}
}

// A test that is undecided is skipped, with the report.
func TestFrozenSkips(t *testing.T) {
	out := elsewhere(t, func() { harness.Test(t, lockedAtGate) })
	if want := "--- SKIP: TestFrozenSkips"; !strings.Contains(out, want) || !strings.Contains(out, "undecided: a goroutine waits for a mutex") {
		t.Errorf("got:\n%s\nwant it to contain %q", out, want)
	}
}

// A failure that was seen before time stood still is one.
func TestFrozenFails(t *testing.T) {
	out := elsewhere(t, func() {
		r := harness.Run("frozen", func(t *harness.T) {
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
		x, err := harness.Search("frozen", harness.Bounds{}, nil, lockedAtGate)
		fmt.Println(len(x.Findings), len(x.Undecided), x.Schedules, x.Complete, err)
		fmt.Println(x)
	})
	if want := "0 1 2 false <nil>\nexplored 2 schedules"; !strings.Contains(out, want) || strings.Count(out, "undecided: ") != 1 || !strings.Contains(out, "    schedule: start r1") {
		t.Errorf("got:\n%s\nwant it to contain %q", out, want)
	}
}

// A goroutine that computes while another waits for its mutex is not taken for one
// that stands still, however long it takes.
func TestSlowIsNotFrozen(t *testing.T) {
	out := elsewhere(t, func() {
		fmt.Println(harness.Run("slow", func(t *harness.T) {
			var mu sync.Mutex
			locked := make(chan bool)
			go func() {
				mu.Lock()
				defer mu.Unlock()
				locked <- true
				for i := range 300_000_000 { // some times as long as a run may stand still there
					sum += i
				}
			}()
			<-locked
			mu.Lock()
		}))
	})
	if want := "slow: held\n"; !strings.Contains(out, want) {
		t.Errorf("got:\n%s\nwant it to contain %q", out, want)
	}
}

var sum int

// elsewhereEnv says that this is the process of its own.
const elsewhereEnv = "HALFOPEN_TEST_ELSEWHERE"

// elsewhere is what run prints, in a process of its own: what is frozen cannot be
// freed.
func elsewhere(t *testing.T, run func()) string {
	t.Helper()
	if os.Getenv(elsewhereEnv) != "" {
		run()
		os.Exit(0)
	}
	cmd := exec.Command(os.Args[0], "-test.v", "-test.run=^"+t.Name()+"$", "-halfopen.frozen=20ms")
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
