package harness_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/internal/mini"
)

// A defect is a classic mistake of connection pools.
type defect struct {
	bug      string
	like     string                                 // the public bug that it is a model of, if there is one
	scenario func(t *harness.T, tr *mini.Transport) // can show it
	limit    int
	lines    int // of the shortest script, written by hand, that shows it and holds without it
}

var defects = []defect{
	{"unused dial leaked", "golang/go#59017", oneAfterAnother, 0, 5},
	{"goroutine left waiting", "golang/go#33850", oneGet, 0, 4},
	{"slot lost after cancel", "golang/go#65705", threeAtLimit, 1, 6},
	{"slot lost after error", "gomodule/redigo#520", twoAtLimit, 1, 6},
	{"no dial after failure", "golang/go#10886", threeAtLimit, 1, 6},
	{"over the limit", "golang/go#29889", threeAtLimit, 1, 5},
	{"dialing waiter skipped", "golang/go#32336", oneAfterAnother, 0, 5},
	{"idle conn used twice", "", oneThenTwo, 0, 7},
	{"put back twice", "", oneThenTwo, 0, 7},
	{"POST retried", "golang/go#22158", fourPosts, 0, 10},
	{"cancel ignored", "golang/go#28012", oneGet, 0, 4},
	{"pooled after cancel", "redis/go-redis#1113", threeFree, 0, 7},
	{"broken conn left open", "golang/go#28012", oneGet, 0, 4},
	{"no response and no error", "", oneGet, 0, 4},
	{"leaked after close-idle", "golang/go#8483", oneAfterAnother, 0, 6},
	{"slot lost after close-idle", "golang/go#32336", idleBetween, 1, 7},
}

func newMini(t *harness.T, bug string, limit int) *mini.Transport {
	return &mini.Transport{DialContext: t.Net.DialContext, Bug: bug, MaxConnsPerHost: limit}
}

// one starts a request that may be cancelled.
func oneGet(t *harness.T, tr *mini.Transport) {
	t.Serve("api.test:80", nil)
	t.Get("r1", tr, "http://api.test/").MayCancel()
}

// twoAtLimit starts two requests at once.
func twoAtLimit(t *harness.T, tr *mini.Transport) {
	t.Serve("api.test:80", nil)
	t.Get("r1", tr, "http://api.test/").MayCancel()
	t.Get("r2", tr, "http://api.test/")
}

// oneThenTwo starts a request, and two at once when it is over.
func oneThenTwo(t *harness.T, tr *mini.Transport) {
	t.Serve("api.test:80", nil)
	t.Get("r1", tr, "http://api.test/").Await()
	t.Get("r2", tr, "http://api.test/")
	t.Get("r3", tr, "http://api.test/")
}

// oneAfterAnother starts two requests, each of which may be cancelled.
func oneAfterAnother(t *harness.T, tr *mini.Transport) {
	t.Serve("api.test:80", nil)
	t.Get("r1", tr, "http://api.test/").MayCancel()
	t.Get("r2", tr, "http://api.test/").MayCancel()
	t.MayCloseIdle(tr)
}

// idleBetween starts a request, and another one when the first is over.
func idleBetween(t *harness.T, tr *mini.Transport) {
	t.Serve("api.test:80", nil)
	t.MayCloseIdle(tr)
	t.Get("r1", tr, "http://api.test/").Await()
	t.Get("r2", tr, "http://api.test/").MayCancel()
}

// threeAtLimit is three requests that wait for each other.
func threeAtLimit(t *harness.T, tr *mini.Transport) {
	t.Serve("api.test:80", nil)
	t.Get("r1", tr, "http://api.test/").MayCancel()
	t.Get("r2", tr, "http://api.test/").MayCancel()
	t.Get("r3", tr, "http://api.test/")
	t.MayCloseIdle(tr)
}

// threeFree starts two requests at once, and two more when those are over.
func threeFree(t *harness.T, tr *mini.Transport) {
	t.Serve("api.test:80", nil)
	r1 := t.Get("r1", tr, "http://api.test/").MayCancel()
	r2 := t.Get("r2", tr, "http://api.test/")
	r1.Await()
	r2.Await()
	t.Get("r3", tr, "http://api.test/")
	t.Get("r4", tr, "http://api.test/")
}

// fourPosts is four requests that must not be sent twice, one after another.
func fourPosts(t *harness.T, tr *mini.Transport) {
	t.Serve("api.test:80", nil)
	for i := range 4 {
		name := fmt.Sprintf("r%d", i+1)
		t.Post(name, tr, "http://api.test/echo", name).Await()
	}
}

// Without a defect the small transport holds in every scenario: what the
// others show is their defect.
func TestNoDefect(t *testing.T) {
	for name, s := range map[string]func(*harness.T, *mini.Transport){
		"oneAfterAnother": oneAfterAnother, "threeFree": threeFree, "fourPosts": fourPosts, "threeAtLimit": threeAtLimit,
	} {
		t.Run(name, func(t *testing.T) {
			harness.Explore(t, harness.Bounds{Schedules: 1000}, func(t *harness.T) { s(t, newMini(t, "", 0)) })
			harness.Explore(t, harness.Bounds{Schedules: 1000}, func(t *harness.T) { s(t, newMini(t, "", 1)) })
		})
	}
}

// Every defect is found, by the portfolio in a few hundred schedules whatever the seed.
func TestDefects(t *testing.T) {
	if len(defects) < 12 {
		t.Fatalf("got %d defects, want at least 12", len(defects))
	}
	for _, d := range defects {
		found := needed(t, d, "portfolio")
		median := found[len(found)/2]
		if found[len(found)-1] > budget {
			t.Errorf("%s: the portfolio missed it with a seed", d.bug)
		}
		if median >= 500 || d.bug == "POST retried" && median >= 40 {
			t.Errorf("%s: the portfolio took %d schedules in the median", d.bug, median)
		}
		t.Logf("%s: %d schedules in the median", d.bug, median)
	}
}

// BenchmarkDefects prints how many schedules each strategy takes for each defect, in the
// median over 30 seeds; a dash is more than 2,000 in half of them.
func BenchmarkDefects(b *testing.B) {
	names := []string{"portfolio", "exhaustive", "pct", "pos", "random"}
	for b.Loop() {
		table := fmt.Sprintf("%-26s %10s %10s %10s %10s %10s", "defect", names[0], names[1], names[2], names[3], names[4])
		for _, d := range defects {
			table += fmt.Sprintf("\n%-26s", d.bug)
			for _, strategy := range names {
				found := needed(b, d, strategy)
				cell := "-"
				if median := found[len(found)/2]; median <= budget {
					cell = fmt.Sprint(median)
				}
				table += fmt.Sprintf(" %10s", cell)
			}
		}
		b.Logf("\n%s", table)
	}
}

const budget = 2000

// seeds is over how many seeds a strategy is measured: one that draws nothing
// has no use for more than one.
func seeds(strategy string) int {
	if strategy == "exhaustive" {
		return 1
	}
	return 30
}

// needed returns, for each seed, the number of the schedule that shows the defect, the least
// first.
func needed(tb testing.TB, d defect, strategy string) []int {
	tb.Helper()
	found := make([]int, seeds(strategy))
	for seed := range found {
		x, err := harness.ExploreReport(d.bug, harness.Bounds{Strategy: strategy, Seed: uint64(seed + 1), Schedules: budget, AsFound: true}, nil,
			func(t *harness.T) { d.scenario(t, newMini(t, d.bug, d.limit)) })
		if err != nil {
			tb.Fatal(err)
		}
		found[seed] = budget + 1
		if len(x.Findings) > 0 {
			found[seed] = x.Findings[0].Found
		}
	}
	slices.Sort(found)
	return found
}

// What is found is printed as a script that fails by itself, with the same
// verdict, holds without the defect, and is hardly longer than the shortest that a person
// wrote.
func TestDefectScripts(t *testing.T) {
	for _, d := range defects {
		t.Run(d.bug, func(t *testing.T) {
			x, err := harness.ExploreReport(d.bug, harness.Bounds{}, nil,
				func(t *harness.T) { d.scenario(t, newMini(t, d.bug, d.limit)) })
			if err != nil || len(x.Findings) == 0 {
				t.Fatalf("got %v, %v, want a finding", x, err)
			}
			f := x.Findings[0]
			lines := 0
			for l := range strings.Lines(f.Script) {
				if !strings.HasPrefix(l, "#") {
					lines++
				}
			}
			if lines > (3*d.lines+1)/2 {
				t.Errorf("got %d lines, want at most 1.5 x %d:\n%s", lines, d.lines, f.Script)
			}
			s, err := harness.ParseScript("found.txtar", []byte(f.Script))
			if err != nil {
				t.Fatalf("%v:\n%s", err, f.Script)
			}
			r, err := s.TestReport(func(t *harness.T, _ harness.Settings) (http.RoundTripper, error) {
				return newMini(t, d.bug, d.limit), nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if !r.Failed() || r.Failures[0].Text != f.Report.Failures[0].Text {
				t.Errorf("got %s\nwant it to fail with: %s\n%s", r, f.Report.Failures[0], f.Script)
			}
			if strings.Contains(f.Script, lacksLine) {
				t.Errorf("it lacks nothing:\n%s", f.Script)
			}
			r, err = s.TestReport(func(t *harness.T, _ harness.Settings) (http.RoundTripper, error) {
				return newMini(t, "", d.limit), nil
			})
			if err != nil || len(r.Failures) > 0 {
				t.Errorf("got %s, %v\nwithout the defect:\n%s", r, err, f.Script)
			}
		})
	}
}
