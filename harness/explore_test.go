package harness_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/internal/deep/on"
)

// twoGets starts the smallest race: two requests, one of which may be cancelled.
func twoGets(t *harness.T) {
	tr := t.Net.Transport()
	t.Serve("api.test:80", nil)
	t.Get("r1", tr, "http://api.test/").MayCancel()
	t.Get("r2", tr, "http://api.test/")
}

func threeGets(t *harness.T) {
	tr := t.Net.Transport()
	t.Serve("api.test:80", nil)
	for _, name := range []string{"r1", "r2", "r3"} {
		t.Get(name, tr, "http://api.test/")
	}
}

// everyOrder is the bounds of an exhaustive exploration without faults.
var everyOrder = harness.Bounds{Strategy: "exhaustive", Delays: harness.All, Faults: harness.None, Schedules: harness.All, Gates: noGates}

// noGates is for bounds of all orders of events alone.
var noGates = []string{}

// Every order of two requests and one cancellation against net/http holds, and
// it is the same orders with the same outcomes each time.
func TestExploreExhaustive(t *testing.T) {
	x := harness.Explore(t, harness.WholeOf(everyOrder), twoGets)
	again := harness.Explore(t, harness.WholeOf(everyOrder), twoGets)
	if x.String() != again.String() {
		t.Errorf("got\n%s\nand then\n%s", x, again)
	}
	if !x.Complete || x.Schedules < 300 || len(x.Outcomes) < 5 {
		t.Errorf("got %s, want all of more than 300 schedules and at least 5 outcomes", x)
	}
}

// Without bounds too only what is equal to something that is explored is left out: at least five
// times fewer schedules, and the same outcomes. Of handlers of the test's own that must be said.
func TestIndependent(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]func(*harness.T){
		"three at a limit of two": func(t *harness.T) {
			tr := t.Net.Transport()
			tr.MaxConnsPerHost = 2
			t.Serve("api.test:80", nil)
			for _, name := range []string{"r1", "r2", "r3"} {
				t.Get(name, tr, "http://api.test/")
			}
		},
		"two, and one to a host that is not there": func(t *harness.T) {
			tr := t.Net.Transport()
			t.Serve("api.test:80", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNoContent) }))
			t.Get("r1", tr, "http://api.test/")
			t.Get("r2", tr, "http://api.test/")
			t.Get("r3", tr, "http://nowhere.test/")
		},
	} {
		less := everyOrder
		less.Independent = true
		all := harness.Explore(t, harness.WholeOf(everyOrder), body)
		few := harness.Explore(t, less, body)
		t.Logf("%s: %d schedules of %d", name, few.Schedules, all.Schedules)
		if !few.Complete || 5*few.Schedules > all.Schedules {
			t.Errorf("%s: got %d schedules of %d, want at most a fifth", name, few.Schedules, all.Schedules)
		}
		want, got := slices.Sorted(maps.Keys(all.Outcomes)), slices.Sorted(maps.Keys(few.Outcomes))
		if !slices.Equal(got, want) {
			t.Errorf("%s: got outcomes %q, want %q", name, got, want)
		}
	}
}

// Four shards explore exactly what one process does, no schedule twice; their
// reports, through JSON, merge to the report of one.
func TestShards(t *testing.T) {
	bounds := harness.Bounds{Strategy: "exhaustive", Delays: 2, Schedules: harness.All, KeepGoing: true, Gates: noGates}
	for name, body := range map[string]func(*harness.T){
		"net/http": twoGets,
		"defect":   func(t *harness.T) { oneAfterAnother(t, newMini(t, "unused dial leaked", 0)) },
	} {
		one, err := harness.ExploreReport(name, bounds, nil, body)
		if err != nil {
			t.Fatal(err)
		}
		var shards []*harness.Exploration
		for i := range 4 {
			t.Setenv("HALFOPEN_SHARDS", "4")
			t.Setenv("JOB_COMPLETION_INDEX", string(rune('0'+i)))
			part := bounds
			if i%2 == 1 { // the environment and the bounds say the same
				part.Shard = harness.Shard{Index: i, Total: 4}
			}
			x, err := harness.ExploreReport(name, part, nil, body)
			if err != nil {
				t.Fatal(err)
			}
			if x.Schedules == 0 || x.Schedules == one.Schedules {
				t.Errorf("%s: shard %d ran %d of %d schedules", name, i, x.Schedules, one.Schedules)
			}
			data, err := json.Marshal(x)
			if err != nil {
				t.Fatal(err)
			}
			back := new(harness.Exploration)
			if err := json.Unmarshal(data, back); err != nil {
				t.Fatal(err)
			}
			shards = append(shards, back)
		}
		os.Unsetenv("HALFOPEN_SHARDS")
		all, err := harness.Merge(shards)
		if err != nil {
			t.Fatal(err)
		}
		if all.String() != one.String() {
			t.Errorf("%s: got\n%s\nwant\n%s", name, all, one)
		}
	}
	t.Setenv("TEST_TOTAL_SHARDS", "2")
	t.Setenv("TEST_SHARD_INDEX", "2")
	if _, err := harness.ExploreReport("x", bounds, nil, twoGets); err == nil || !strings.Contains(err.Error(), `bad shard: TEST_SHARD_INDEX="2" of TEST_TOTAL_SHARDS="2"`) {
		t.Errorf("got %v for shard 2 of 2", err)
	}
}

// replayRuns is how many runs TestReplays makes of each scenario.
var replayRuns = flag.Int("replays", 150, "how often TestReplays runs each of its schedules' scenarios")

// A schedule that is run again offers the same choices at every step and comes
// to the same outcome: over HTTP/1, h2c and HTTP/2 with TLS, with cancellations
// and faults. A divergence would be a finding of its own. See serverChance for an exception.
func TestReplays(t *testing.T) {
	t.Parallel()
	for name, body := range replayScenarios(t) {
		t.Run(name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 2))
			seen := 0
			for seen < *replayRuns {
				// Each exploration draws its schedules from a seed: the same
				// twice must have come to the same.
				bounds := harness.Bounds{Strategy: "random", Seed: rng.Uint64() | 1, Schedules: 50, KeepGoing: true}
				a, err := harness.ExploreReport(name, bounds, nil, body)
				if err != nil {
					t.Fatal(err)
				}
				b, err := harness.ExploreReport(name, bounds, nil, body)
				if err != nil {
					t.Fatal(err)
				}
				if a.String() != b.String() && !(serverChance(name) && maps.Equal(a.Outcomes, b.Outcomes)) {
					t.Fatalf("seed %d: got\n%s\nand then\n%s", bounds.Seed, a, b)
				}
				seen += a.Schedules + b.Schedules
			}
			// And the tree compares every prefix that it runs again.
			x, err := harness.ExploreReport(name, harness.Bounds{Strategy: "exhaustive", Schedules: *replayRuns, KeepGoing: true}, nil, body)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range x.Findings {
				if !serverChance(name) || f.Report.Failures[0].Kind != harness.KindUncontrolled {
					t.Errorf("%s", x)
				}
			}
		})
	}
}

// serverChance reports whether, in an ordinary bubble, chance inside a step decides what a scenario's
// server sends: when a client goes away while net/http's server of HTTP/2 begins, it may send its settings
// or close at once. TestInsideHTTP2 has HTTP/2 in a deep bubble, where all of it repeats.
func serverChance(name string) bool { return name == "HTTP 2, TLS" && !on.Deep() }

// Goroutines have time to end when a run is over; with the race detector too,
// where time passes only if there are any.
func TestTimeToEnd(t *testing.T) {
	x := harness.Explore(t, harness.Bounds{Strategy: "exhaustive", Faults: harness.None}, func(t *harness.T) {
		tr := t.Net.Transport()
		t.Serve("api.test:80", nil)
		t.Get("r1", tr, "http://api.test/")
		r2 := t.Get("r2", tr, "http://api.test/").MayCancel()
		r2.Await()
		if r2.Err() != nil {
			go time.Sleep(time.Second) // virtual
		}
	})
	if len(x.Outcomes) < 2 {
		t.Errorf("got %s, want r2 cancelled in some schedules", x)
	}
}

// What is not under control is said, and not hidden: a body that knows how often it has
// run. (A deep bubble has the same random numbers each time.) Its calls share a variable, so
// they come one after another.
func TestUncontrolled(t *testing.T) {
	runs := 0
	x, err := harness.ExploreReport("lots", harness.Bounds{Strategy: "exhaustive", Parallel: 1}, nil, func(t *harness.T) {
		tr := t.Net.Transport()
		t.Serve("api.test:80", nil)
		t.Get("r1", tr, "http://api.test/").MayCancel()
		if runs++; runs > 2 && runs%2 == 0 {
			t.Get("r2", tr, "http://api.test/")
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(x.Findings) == 0 {
		t.Fatalf("got %s, want uncontrolled nondeterminism", x)
	}
	got := x.Findings[0].Report.String()
	for _, want := range []string{"uncontrolled nondeterminism", "offered: start r1\n", "offered: start r1; start r2\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("got\n%s\nwant %q", got, want)
		}
	}
}

// What the search draws is compared with a second run too. What differs is printed, and is no
// failure: it may be the chance of the code under test.
func TestRepeated(t *testing.T) {
	for _, controlled := range []bool{true, false} {
		runs := 0
		x, err := harness.ExploreReport("lots", harness.Bounds{Strategy: "random", Schedules: 200}, nil, func(t *harness.T) {
			t.Serve("api.test:80", nil)
			t.Get("r1", t.Net.Transport(), "http://api.test/")
			if runs++; !controlled {
				t.Outcome("run %d", runs)
			}
		})
		if err != nil || len(x.Findings) > 0 || x.Repeated < 4 {
			t.Fatalf("got %s, %v, %d run again, want at least 4", x, err, x.Repeated)
		}
		want := fmt.Sprintf("uncontrolled: of %d schedules run again %d came out otherwise, so not all of this can be repeated; the first:\n  outcome: r1 ", x.Repeated, x.Repeated)
		if got := strings.Contains(x.String(), want); got == controlled || (x.Differed == 0) != controlled {
			t.Errorf("controlled: %t: got %s", controlled, x)
		}
	}
}

// Two things with no quiet between them are a sample in an ordinary bubble, and are called one.
func TestCoincidences(t *testing.T) {
	if on.Deep() {
		t.Skip("TestInsideCoincidences is about a deep bubble")
	}
	x := harness.Explore(t, harness.Bounds{Strategy: "exhaustive", Delays: harness.None, Faults: harness.None, Coincidences: 1}, twoGets)
	if x.Sampled == 0 || !strings.Contains(x.String(), "with coincidences, each run 5 times: a sample") {
		t.Errorf("got %s, want some schedules with coincidences", x)
	}
}

// A wrong bound is an error with what was meant.
func TestBadBounds(t *testing.T) {
	for want, b := range map[string]harness.Bounds{
		`unknown strategy "pctt" (did you mean "pct"?)`:  {Strategy: "pctt"},
		`unknown outcome "rest" (did you mean "reset"?)`: {Effects: []string{"rest"}},
		"bound Delays: got -2, want at least 0":          {Delays: -2},
		"bound Faults: got -3, want":                     {Faults: -3},
		"bound Coincidences: got -2, want":               {Coincidences: -2},
		"bound Schedules: got -7, want":                  {Schedules: -7},
		"bound Time: got -1s, want at least 0":           {Time: -time.Second},
		"bad shard: got Index 3 of Total 3":              {Shard: harness.Shard{Index: 3, Total: 3}},
		`effect "pass": an exploration cannot give it`:   {Effects: []string{"pass"}},
		`effect "error:EPIPE": an exploration cannot`:    {Effects: []string{"reset", "error:EPIPE"}},
	} {
		_, err := harness.ExploreReport("x", b, nil, twoGets)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// A wrong variable of the environment is an error, as a wrong flag is.
func TestBadEnvironment(t *testing.T) {
	for name, value := range map[string]string{"HALFOPEN_SEED": "seven", "HALFOPEN_BUDGET": "-1", "HALFOPEN_SHARDS": "3", "HALFOPEN_SHARD": "1"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, value)
			rec := &failing{TB: t, name: "TestPool"}
			rec.run(func() { harness.Explore(rec, harness.Bounds{Schedules: 1}, twoGets) })
			if want := name + `="` + value + `"`; !strings.Contains(rec.text, want) {
				t.Errorf("got %q, want %q", rec.text, want)
			}
		})
	}
	t.Setenv("HALFOPEN_UPDATE", "yes please")
	s, err := harness.ParseScript("x.txtar", []byte("# A claim.\nwant conns 0\n"))
	if err != nil {
		t.Fatal(err)
	}
	rec := &failing{TB: t, name: "TestPool"}
	rec.run(func() { s.Test(rec, nil) })
	if want := `HALFOPEN_UPDATE="yes please": want 0 or 1`; !strings.Contains(rec.text, want) {
		t.Errorf("got %q, want %q", rec.text, want)
	}
}

// A gate parks the transport inside: between the moment when a connection is
// idle again and the moment when the body's reader learns it.
func TestGates(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		t.Gates("PutIdleConn")
		tr := t.Net.Transport()
		t.Serve("api.test:80", nil)
		t.Net.Hold("gate")
		r1 := t.Get("r1", tr, "http://api.test/")
		r1.WantDone(t.Conn("c1"))
		r1.Read()
		t.Net.WantHeld("gate r1 PutIdleConn", "the read loop is parked there")
		r2 := t.Get("r2", tr, "http://api.test/")
		r2.WantPending("c1 is taken from the idle list, and its read loop does not listen yet")
		t.Net.Release("gate")
		r2.WantDone(t.Conn("c1"))
		r2.Finish()
		r1.Finish()
	})
}

// Each gate is reached by some transport and parks it.
func TestEveryGate(t *testing.T) {
	reached := make(map[string]bool)
	for _, name := range []string{"Value", "Done", "Err", "GetConn", "Proxy", "GotConn", "SetDeadline", "Write", "Close",
		"WroteHeaders", "Wait100Continue", "BodyRead", "BodyClose", "WroteRequest", "GetBody", "Got100Continue",
		"GotFirstResponseByte", "PutIdleConn"} {
		r := harness.TestReport(name, func(t *harness.T) {
			t.Gates(name)
			tr := t.Net.Transport()
			tr.ExpectContinueTimeout = time.Hour
			t.Serve("api.test:80", nil)
			rt := roundTripper(func(req *http.Request) (*http.Response, error) {
				// What net/http does not do for a first request.
				switch name {
				case "GetBody":
					req.GetBody()
				case "Err":
					req.Context().Err()
				}
				return tr.RoundTrip(req)
			})
			if name == "SetDeadline" {
				rt = func(req *http.Request) (*http.Response, error) {
					c, err := t.Net.DialContext(req.Context(), "tcp", "api.test:80")
					if err == nil {
						c.SetDeadline(time.Time{})
						c.Close()
					}
					return tr.RoundTrip(req)
				}
			}
			req, _ := http.NewRequest("POST", "http://api.test/echo", strings.NewReader("x"))
			req.Header.Set("Expect", "100-continue")
			t.Start("r1", rt, req).Finish()
			tr.CloseIdleConnections()
		})
		if r.Failed() {
			t.Errorf("%s: %s", name, r)
		}
		reached[name] = strings.Contains(r.Trace(), " "+name+"\n") && strings.Contains(r.Trace(), "  gate ")
		if !reached[name] {
			t.Errorf("%s: got no such event in\n%s", name, r.Trace())
		}
	}
}

// go test -fuzz drives schedules.
func FuzzTwoGets(f *testing.F) { harness.Fuzz(f, harness.Bounds{}, twoGets) }
