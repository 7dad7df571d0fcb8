package harness_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/halfopen/halfopen/harness"
)

// between is net/http's transport with something between it and the harness.
type between struct {
	*http.Transport
	do func(*http.Transport, *http.Request) (*http.Response, error)
}

func (b between) RoundTrip(req *http.Request) (*http.Response, error) { return b.do(b.Transport, req) }

// first returns the first failure of a run.
func first(r *harness.Report) string {
	if !r.Failed() {
		return "held"
	}
	return r.Failures[0].String()
}

// A body arrives as it was sent, whole; each side is checked.
func TestBodyIntact(t *testing.T) {
	run := func(path string, do func(*http.Transport, *http.Request) (*http.Response, error)) string {
		return first(harness.TestReport(t.Name(), func(t *harness.T) {
			t.Serve("api.test:80", nil)
			t.Post("r1", between{t.Net.Transport(), do}, "http://api.test"+path, "hello").Finish()
		}))
	}
	pass := (*http.Transport).RoundTrip
	for _, c := range []struct {
		name string
		path string
		do   func(*http.Transport, *http.Request) (*http.Response, error)
		want string
	}{
		{"as it is", "/echo", pass, "held"},
		{"a long one", "/bytes/100000", pass, "held"},
		{"empty", "/status/204", pass, "held"},
		{"cut, and taken for whole", "/bytes/100", func(tr *http.Transport, req *http.Request) (*http.Response, error) {
			resp, err := tr.RoundTrip(req)
			b, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			resp.Body = io.NopCloser(strings.NewReader(string(b[:50])))
			return resp, err
		}, "r1: read a whole body of 50 bytes, and no server sent that as the answer to it"},
		{"lost", "/bytes/100", func(tr *http.Transport, req *http.Request) (*http.Response, error) {
			resp, err := tr.RoundTrip(req)
			resp.Body.Close()
			resp.Body = http.NoBody
			return resp, err
		}, "r1: read a whole body of 0 bytes, and no server sent that as the answer to it"},
		{"a request body that was read before", "/echo", func(tr *http.Transport, req *http.Request) (*http.Response, error) {
			req.Body.Read(make([]byte, 2))
			req.ContentLength = -1
			return tr.RoundTrip(req)
		}, "r1: a server read a whole request body of 3 bytes, which is not the one of 5 bytes that was sent"},
	} {
		if got := run(c.path, c.do); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

// closing is a connection that is closed twice, written to afterwards, or has a
// deadline armed.
type closing struct {
	net.Conn
	how string
}

func (c closing) Close() error {
	defer func() {
		switch c.how {
		case "twice":
			c.Conn.Close()
		case "late":
			c.Conn.Write([]byte("bye"))
		}
	}()
	return c.Conn.Close()
}

func TestStrict(t *testing.T) {
	for how, want := range map[string]string{
		"":      "held",
		"twice": "c1: closed 2 times, opened for r1, last used by r1",
		"late":  "c1: written to after it was closed, opened for r1, last used by r1",
		"armed": "c1: idle, with a read deadline armed",
	} {
		r := harness.TestReport(t.Name(), func(t *harness.T) {
			t.Strict()
			t.Serve("api.test:80", nil)
			tr := t.Net.Transport()
			tr.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
				c, err := t.Net.DialContext(ctx, network, addr)
				if how == "armed" {
					c.SetReadDeadline(time.Now().Add(time.Minute))
				}
				return closing{c, how}, err
			}
			t.Get("r1", tr, "http://api.test/").Finish()
			t.Settle()
		})
		if first(r) != want {
			t.Errorf("%s: got %s, want %s", how, first(r), want)
		}
	}
}

// A check of one's own is asked between any two events; however it ends, the run
// goes on.
func TestAtQuiet(t *testing.T) {
	for name, c := range map[string]struct {
		check func(*harness.T, int)
		want  string
	}{
		"error": {func(t *harness.T, n int) { t.Errorf("%d open", n) }, "1 open"},
		"fatal": {func(t *harness.T, n int) { t.Fatalf("%d open", n) }, "1 open"},
		"panic": {func(t *harness.T, n int) { panic("broken") }, "a check of AtQuiet: panic: broken"},
	} {
		x, err := harness.ExploreReport(t.Name(), harness.Bounds{Faults: harness.None, Strategy: "exhaustive"}, nil, func(t *harness.T) {
			tr := t.Net.Transport()
			t.Serve("api.test:80", nil)
			t.AtQuiet(func() {
				if n := len(t.Net.OpenConns()); n > 0 {
					c.check(t, n)
				}
			})
			t.Get("r1", tr, "http://api.test/")
		})
		if err != nil || len(x.Findings) != 1 || len(x.Findings[0].Report.Failures) != 1 || x.Findings[0].Report.Failures[0].Text != c.want {
			t.Errorf("%s: got %v %s, want %s and nothing else", name, err, x, c.want)
		}
	}
}

// What a test means to reach it has to reach, once in all schedules.
func TestSometimes(t *testing.T) {
	body := func(asked string) func(*harness.T) {
		return func(t *harness.T) {
			tr := t.Net.Transport()
			t.Serve("api.test:80", nil)
			r1 := t.Get("r1", tr, "http://api.test/")
			r2 := t.Get("r2", tr, "http://api.test/")
			r1.Await()
			r2.Await()
			t.Sometimes("r2 is lucky", r2.Conn().ID() == asked)
		}
	}
	bounds := harness.Bounds{Faults: harness.None, Schedules: harness.All, Strategy: "exhaustive"}
	x, err := harness.ExploreReport(t.Name(), bounds, nil, body("c1"))
	if err != nil || len(x.Findings) > 0 || x.Reached["r2 is lucky"] == 0 || x.Reached["r2 is lucky"] == x.Schedules {
		t.Errorf("got %v %v, want it reached in some schedules:\n%s", err, x.Reached, x)
	}
	if x, err = harness.ExploreReport(t.Name(), bounds, nil, body("c9")); err != nil || len(x.Findings) != 1 {
		t.Fatalf("got %v, %s, want one finding", err, x)
	}
	if got := first(x.Findings[0].Report); got != "never: r2 is lucky" {
		t.Errorf("got %s", got)
	}
	// Shards leave it to the merger.
	var shards []*harness.Exploration
	for i := range 2 {
		bounds.Shard = harness.Shard{Index: i, Total: 2}
		x, err := harness.ExploreReport(t.Name(), bounds, nil, body("c9"))
		if err != nil || len(x.Findings) > 0 {
			t.Errorf("shard %d: got %v, %s, want no finding", i, err, x)
		}
		shards = append(shards, x)
	}
	if x, err = harness.Merge(shards); err != nil || len(x.Findings) != 1 {
		t.Errorf("merged: got %v, %s, want one finding", err, x)
	}
	// A test that is run once reaches it then, or fails.
	once := harness.TestReport(t.Name(), func(t *harness.T) { t.Sometimes("never", false) })
	if got := first(once); got != "never: never" {
		t.Errorf("got %s", got)
	}
}

// The deadlines that can be seen are waited for, each side of them.
func TestSeenDeadlines(t *testing.T) {
	seen := make(map[string]bool)
	x, err := harness.ExploreReport(t.Name(), harness.Bounds{Delays: 1, Faults: harness.None, Schedules: harness.All, Strategy: "exhaustive"}, nil, func(t *harness.T) {
		tr := t.Net.Transport()
		t.Serve("api.test:80", nil)
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		t.Cleanup(cancel)
		req, _ := http.NewRequestWithContext(ctx, "GET", "http://api.test/", nil)
		start := time.Now()
		r := t.Start("r1", tr, req)
		r.Await()
		took := time.Since(start)
		seen[took.String()] = true
		t.Outcome("after %s", took)
		if late := took > 3*time.Second; late && r.Err() == nil {
			t.Errorf("got an answer after %s, and the deadline is 3s", took)
		}
	})
	if err != nil || len(x.Findings) > 0 {
		t.Fatalf("got %v\n%s", err, x)
	}
	for _, want := range []string{"0s", "2.999999999s", "3s"} {
		if !seen[want] {
			t.Errorf("no schedule took %s", want)
		}
	}
	if !slices.ContainsFunc(slices.Collect(mapKeys(x.Outcomes)), func(o string) bool { return strings.HasPrefix(o, "r1 timeout") || strings.Contains(o, "deadline") }) {
		t.Errorf("no schedule ran into the deadline:\n%s", x)
	}
}

func mapKeys(m map[string]int) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// A client that never stops trying fails, and one that takes its time does not.
func TestEndless(t *testing.T) {
	x, err := harness.ExploreReport(t.Name(), harness.Bounds{Schedules: 1, Faults: harness.None, AsFound: true}, nil, func(t *harness.T) {
		tr := t.Net.Transport()
		t.Get("r1", &between{tr, func(tr *http.Transport, req *http.Request) (*http.Response, error) {
			for {
				if resp, err := tr.RoundTrip(req); err == nil || req.Context().Err() != nil {
					return resp, err
				}
			}
		}}, "http://api.test/")
	})
	if err != nil || len(x.Findings) != 1 {
		t.Fatalf("got %v, %s, want a finding", err, x)
	}
	if got := first(x.Findings[0].Report); got != "endless: 20000 events, and more to come" {
		t.Errorf("got %s", got)
	}
}

// The limit of a transport that is wrapped has to be given by the test.
func TestLimitConns(t *testing.T) {
	run := func(limit int) string {
		return first(harness.TestReport(t.Name(), func(t *harness.T) {
			if limit > 0 {
				t.LimitConns(limit)
			}
			t.Serve("api.test:80", nil)
			tr := &between{t.Net.Transport(), (*http.Transport).RoundTrip}
			r1 := t.Get("r1", tr, "http://api.test/")
			r2 := t.Get("r2", tr, "http://api.test/")
			r1.Finish()
			r2.Finish()
		}))
	}
	if got := run(0); got != "held" {
		t.Errorf("got %s", got)
	}
	if got := run(1); !strings.HasPrefix(got, "api.test:80: more connections and dials than the limit, which is 1") {
		t.Errorf("got %s", got)
	}
}

// Dials whose requests have ended are no more than the test says; one that another request can
// use is no orphan.
func TestLimitOrphans(t *testing.T) {
	run := func(limit int, then func(t *harness.T, tr http.RoundTripper)) string {
		return first(harness.TestReport(t.Name(), func(t *harness.T) {
			t.LimitOrphans(limit)
			t.Serve("api.test:80", nil)
			t.Net.Hold("dial")
			tr := t.Net.Transport()
			r1 := t.Get("r1", tr, "http://api.test/")
			r1.Cancel()
			then(t, tr)
			t.Net.Release("dial")
		}))
	}
	again := func(t *harness.T, tr http.RoundTripper) { t.Get("r2", tr, "http://api.test/").Cancel() }
	if got, want := run(1, again), "api.test:80: more dials that no request waits for than 1"; !strings.HasPrefix(got, want) {
		t.Errorf("net/http: got %s, want %s", got, want)
	}
	if got := run(2, again); got != "held" {
		t.Errorf("within the limit: got %s", got)
	}
	waits := func(t *harness.T, tr http.RoundTripper) {
		r2 := t.Get("r2", tr, "http://api.test/")
		t.Net.WantDial("of r1").Open()
		t.Net.WantDial("of r2, which does without it")
		r2.Finish()
	}
	if got := run(1, waits); got != "held" {
		t.Errorf("another request waits: got %s", got)
	}
	if got := run(0, func(t *harness.T, tr http.RoundTripper) { t.Allow("orphans", "the test shows that there is one") }); got == "held" {
		t.Errorf("allowed too late: got %s", got)
	}
}

// A response without a body need not be closed, whatever its Body is; one with a body need.
func TestBodylessNeedsNoClose(t *testing.T) {
	for path, want := range map[string]string{"/status/204": "held", "/bytes/0": "held", "/bytes/1": "r1: response body of GET http://api.test/bytes/1 never closed"} {
		got := first(harness.TestReport(t.Name(), func(t *harness.T) {
			t.Serve("api.test:80", nil)
			t.Get("r1", between{t.Net.Transport(), func(tr *http.Transport, req *http.Request) (*http.Response, error) {
				resp, err := tr.RoundTrip(req)
				resp.Body = struct{ io.ReadCloser }{resp.Body}
				return resp, err
			}}, "http://api.test"+path)
		}))
		if got != want && !strings.HasPrefix(got, want+" ") {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
}
