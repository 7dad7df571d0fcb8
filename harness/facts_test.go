package harness_test

import (
	"context"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/internal/mini"
)

// What a test can ask without wanting it, from the first request to the last.
func TestFacts(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		facts := func(dialed, open, idle int, requests ...string) {
			if n := t.Net.Dialed(); n != dialed {
				t.Errorf("got %d dials, want %d", n, dialed)
			}
			if c := t.Net.OpenConns(); len(c) != open {
				t.Errorf("got %v open, want %d", c, open)
			}
			if c := t.Net.IdleConns(); len(c) != idle {
				t.Errorf("got %v idle, want %d", c, idle)
			}
			var got []string
			for _, r := range t.Requests() {
				got = append(got, regexp.MustCompile(`  \(facts_test.go:\d+\)$`).ReplaceAllString(r.String(), ""))
			}
			if !slices.Equal(got, requests) {
				t.Errorf("got %q, want %q", got, requests)
			}
		}
		facts(0, 0, 0)
		t.Serve("api.test:80", nil)
		tr := t.Net.Transport()
		r1 := t.Get("r1", tr, "http://api.test/page/20000")
		facts(1, 1, 0, "r1: done on c1, its body open")
		r1.Finish()
		facts(1, 1, 1, "r1: done on c1")
		r2 := t.Get("r2", tr, "http://api.test/bytes/300000") // more than is read behind a body that is closed early
		if r1.Reused() || !r2.Reused() || r2.Sent() != 1 || t.Conn("c1").User() != r2 {
			t.Errorf("got r1 reused: %v, r2: %v, sent %d times", r1.Reused(), r2.Reused(), r2.Sent())
		}
		r2.CloseBody()
		facts(1, 0, 0, "r1: done on c1", "r2: done on c1, its body closed before its end")

		t.Net.Hold("dial")
		r3 := t.Get("r3", tr, "http://api.test/")
		if !r3.Pending() || r3.Reused() || r3.Sent() != 0 {
			t.Errorf("got %s", r3)
		}
		facts(2, 0, 0, "r1: done on c1", "r2: done on c1, its body closed before its end", "r3: pending")
		t.Net.WantDial().Refuse()
		t.Net.Release("dial")
		if got := r3.String(); r3.Pending() || !strings.Contains(got, "r3: error: ") {
			t.Errorf("got %s", got)
		}
		for event, want := range map[string]bool{"dial": true, "dial d2 * refuse": true, "dial d1 * refuse": false, "c1 client rst": true, "c1 client fin": false, "c2": false} {
			if got := t.Seen(event); got != want {
				t.Errorf("%s: got %v, want %v", event, got, want)
			}
		}
	})
}

// A pool that exceeds its limit is shown the line that dials.
func TestLimitNamesTheDial(t *testing.T) {
	r := harness.TestReport("limit", func(t *harness.T) {
		t.Serve("api.test:80", nil)
		tr := &mini.Transport{DialContext: t.Net.DialContext, MaxConnsPerHost: 1, Bug: "over the limit"}
		for _, name := range []string{"r1", "r2"} {
			t.Start(name, tr, mustGet("http://api.test/"))
		}
		t.Rest()
	})
	want := regexp.MustCompile(`^api\.test:80: more connections and dials than the limit, which is 1  \(mini\.go:\d+\)$`)
	if got := r.Failures[0].String(); !want.MatchString(got) {
		t.Errorf("got %q, want %s", got, want)
	}
	if !r.Seen("dial d2 api.test:80") || r.Seen("dial d3") {
		t.Errorf("got:\n%s", r.Trace())
	}
}

func mustGet(url string) *http.Request {
	req, err := http.NewRequest("GET", url, nil)
	if err != nil {
		panic(err)
	}
	return req
}

// A transport with a dialer of its own never reaches the network of the test, and the
// failure asks for that. One that dials it and fails is not asked.
func TestDialedElsewhere(t *testing.T) {
	const question = "r1 never dialed this network: does its transport have DialContext: t.Net.DialContext?"
	for _, c := range []struct {
		name   string
		dialer func(t *harness.T) func(ctx context.Context, network, address string) (net.Conn, error)
		asked  bool
	}{
		{"elsewhere", func(*harness.T) func(context.Context, string, string) (net.Conn, error) {
			return func(ctx context.Context, network, address string) (net.Conn, error) {
				return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
			}
		}, true},
		{"here", func(t *harness.T) func(context.Context, string, string) (net.Conn, error) { return t.Net.DialContext }, false},
	} {
		r := harness.TestReport(c.name, func(t *harness.T) {
			t.Get("r1", &http.Transport{DialContext: c.dialer(t)}, "http://nowhere.test/").WantBody("ok")
		})
		if got := strings.Contains(r.String(), question); !r.Failed() || got != c.asked {
			t.Errorf("%s: got it asked %v, want %v:\n%s", c.name, got, c.asked, r)
		}
	}
}

// A dial that was answered, by the test, a rule or a release, is not one that was given up.
func TestWantGone(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer func(t *harness.T, d *harness.Dial, r *harness.Request)
		want   string
	}{
		{"timed out", func(t *harness.T, d *harness.Dial, r *harness.Request) { t.Advance(time.Second) }, "held"},
		{"opened", func(t *harness.T, d *harness.Dial, r *harness.Request) { d.Open() }, "got d1 answered, want it given up"},
		{"refused", func(t *harness.T, d *harness.Dial, r *harness.Request) { d.Refuse() }, "got d1 answered, want it given up"},
		{"released", func(t *harness.T, d *harness.Dial, r *harness.Request) { t.Net.Release("dial") }, "got d1 answered, want it given up"},
		{"held", func(t *harness.T, d *harness.Dial, r *harness.Request) {}, "got d1 still pending, want it given up"},
	} {
		r := harness.TestReport(c.name, func(t *harness.T) {
			t.Serve("api.test:80", nil)
			t.Net.Hold("dial")
			dial := func(ctx context.Context, network, address string) (net.Conn, error) {
				ctx, cancel := context.WithTimeout(ctx, time.Second)
				defer cancel()
				return t.Net.DialContext(ctx, network, address)
			}
			r1 := t.Get("r1", &http.Transport{DialContext: dial}, "http://api.test/")
			d1 := t.Net.WantDial()
			c.answer(t, d1, r1)
			d1.WantGone()
		})
		got, _, _ := strings.Cut(first(r), "  (")
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// A want in an exploration, of a request that has not started, fails and says how it starts.
func TestNotStarted(t *testing.T) {
	x, err := harness.ExploreReport("not started", harness.Bounds{Schedules: 1}, nil, func(t *harness.T) {
		t.Serve("api.test:80", nil)
		t.Get("r1", t.Net.Transport(), "http://api.test/").WantStatus(200)
	})
	const want = "r1: got pending (it has not started: in an exploration Await or Rest lets it), want status 200"
	if err != nil || len(x.Findings) != 1 || x.Findings[0].Report.Failures[0].Text != want {
		t.Errorf("got %v and %s, want %q", err, x, want)
	}
}
