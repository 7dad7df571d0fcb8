package harness_test

import (
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/halfopen/halfopen/harness"
)

// A report says between which steps time passes, and of a request that is pending what it may
// be waiting for; goroutines in code of the test's stand before others.
func TestReportTells(t *testing.T) {
	slow := http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		select {
		case <-req.Context().Done():
		case <-time.After(90 * time.Second): // virtual
		}
	})
	for name, tt := range map[string]struct {
		body  func(*harness.T)
		wants []string
	}{
		"time": {func(t *harness.T) {
			t.Serve("api.test:80", slow)
			r := t.Get("r1", t.Net.Transport(), "http://api.test/")
			t.Advance(time.Second)
			r.WantStatus(200)
		}, []string{
			"r1: got pending, want status 200  (report_test.go:",
			"\n    nothing is held, and time stands still while all else waits: Await lets it pass\n",
			"\n  > advance 1s\n    +1s\n  > want status r1 200\n",
			"\nblocked:\n  select: harness_test.TestReportTells.func1 report_test.go:",
		}},
		"held": {func(t *harness.T) {
			t.Net.Hold("dial")
			t.Serve("api.test:80", nil)
			tr := t.Net.Transport()
			t.Get("r1", tr, "http://api.test/")
			t.Get("r2", tr, "http://api.test/").WantDone(nil)
		}, []string{"r2: got pending, want done  (", "\n    held: dial d1 api.test:80, and 1 more\n"}},
		"body": {func(t *harness.T) {
			t.Serve("api.test:80", nil)
			t.Get("r1", t.Net.Transport(), "http://api.test/")
		}, []string{"never closed", "\n    net/http, Response.Body: "}},
	} {
		t.Run(name, func(t *testing.T) {
			got := harness.TestReport(name, tt.body).String()
			rest := got
			for _, want := range tt.wants {
				_, after, ok := strings.Cut(rest, want)
				if !ok {
					t.Errorf("got\n%s\nwant in it, in this order: %q", got, want)
				}
				rest = after
			}
			for line := range strings.Lines(got) {
				if len(line) > 165 {
					t.Errorf("got a line of %d bytes: %s", len(line), line)
				}
			}
		})
	}
}

// The finding of an exploration comes first, and what was explored after it.
func TestFindingFirst(t *testing.T) {
	x, err := harness.ExploreReport("first", harness.Bounds{}, nil, func(t *harness.T) {
		t.Serve("api.test:80", nil)
		t.Get("r1", t.Net.Transport(), "http://api.test/").WantStatus(404)
	})
	if err != nil {
		t.Fatal(err)
	}
	text := x.String()
	if found, explored := strings.Index(text, "r1: got"), strings.Index(text, "\nexplored "); found != 0 || explored < strings.Index(text, "as a script:") {
		t.Errorf("got\n%s", text)
	}
}

// A finding says where the nearest schedule that holds differs, unless the first one of all
// fails already.
func TestHoldsIf(t *testing.T) {
	for _, tt := range []struct {
		status int
		want   string
	}{
		{200, "\nIt holds if choice 3 is \"dial d1 api.test:80\", and not \"dial d1 api.test:80 as refuse\".\n"},
		{404, ""},
	} {
		x, err := harness.ExploreReport("holds", harness.Bounds{}, nil, func(t *harness.T) {
			t.Serve("api.test:80", nil)
			r := t.Get("r1", t.Net.Transport(), "http://api.test/").MayCancel()
			t.Rest()
			r.WantStatus(tt.status)
		})
		if err != nil {
			t.Fatal(err)
		}
		if text := x.String(); !strings.Contains(text, tt.want) || strings.Contains(text, "It holds if") != (tt.want != "") {
			t.Errorf("got\n%s\nwant %q in it", text, tt.want)
		}
	}
}

// With -v a test that passes shows what it has logged, and with -halfopen.trace every step.
func TestShown(t *testing.T) {
	if os.Getenv(elsewhereEnv) != "" {
		harness.Test(t, func(t *harness.T) {
			t.Serve("api.test:80", nil)
			t.Log("one line")
			t.Get("r1", t.Net.Transport(), "http://api.test/").Finish()
		})
		return
	}
	for want, args := range map[string][]string{
		": one line\n":      {"-test.v"},
		"    > finish r1\n": {"-test.v", "-halfopen.trace"},
		"ok\n":              nil,
	} {
		cmd := exec.Command(os.Args[0], append([]string{"-test.run=^TestShown$"}, args...)...)
		cmd.Env = append(os.Environ(), elsewhereEnv+"=1")
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(strings.ReplaceAll(string(out), "PASS", "ok"), want) || args == nil && strings.Contains(string(out), "one line") {
			t.Errorf("%q: got %v\n%s\nwant %q in it", args, err, out, want)
		}
	}
}
