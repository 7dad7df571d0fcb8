package harness_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness"
)

// lacksLine begins the line of a printed script that says what it lacks.
const lacksLine = "# No script can contain: "

// What is printed of an exploration of a script that must fail is a script that fails by
// itself. Those of testdata/failures that let events happen by name cannot be explored.
func TestPrintedFailures(t *testing.T) {
	files, err := filepath.Glob("../testdata/failures/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	printed, held, byHand := 0, 0, 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s, err := harness.ParseScript(file, data)
		if err != nil {
			t.Fatal(err)
		}
		maker := brokenTransports[s.Name]
		x, err := s.ExploreReport(maker, harness.Bounds{Schedules: 200, KeepGoing: true}, nil)
		if _, ok := errors.AsType[*harness.ParseError](err); ok {
			byHand++
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(x.Findings) == 0 {
			held++
		}
		for _, f := range x.Findings {
			printed++
			failsAlone(t, f, maker)
		}
	}
	if printed < 2 {
		t.Errorf("got %d printed scripts, want at least 2", printed)
	}
	t.Logf("%d scripts were printed, each fails by itself; %d files hold when they are explored; %d cannot be explored", printed, held, byHand)
}

// failsAlone runs the script of a finding, which must fail with the same text.
func failsAlone(t *testing.T, f *harness.Finding, maker harness.Maker) *harness.Script {
	t.Helper()
	s, err := harness.ParseScript("printed.txtar", []byte(f.Script))
	if err != nil {
		t.Fatalf("%v:\n%s", err, f.Script)
	}
	r, err := s.TestReport(maker)
	// In a script dials are held, and a failure need not explain how to hold them.
	if err != nil || !r.Failed() || !strings.HasPrefix(f.Report.Failures[0].Text, r.Failures[0].Text) {
		t.Errorf("got %s, %v\nwant it to fail with: %s\n%s", r, err, f.Report.Failures[0], f.Script)
	}
	return s
}

// Each part of a body that a script can say is in the script, at its place.
func TestPrintedParts(t *testing.T) {
	long := strings.Repeat("long ", 50)
	for name, c := range map[string]struct {
		body func(t *harness.T, tr http.RoundTripper)
		want string // lines
	}{
		"a want of a request that has not started": {func(t *harness.T, tr http.RoundTripper) {
			t.Get("r1", tr, apiURL).WantStatus(404, "it is not there")
		}, "begin\nget r1 http://api.test/\nwant status r1 404 -- it is not there\nrest\n"},
		"a want in the midst": {func(t *harness.T, tr http.RoundTripper) {
			t.Get("r1", tr, apiURL).Await()
			t.Net.WantConns(7)
			t.Get("r2", tr, apiURL)
		}, "begin\nget r1 http://api.test/\nlet dial d1 api.test:80\nnext 2\nwant conns 7\nrest\n"},
		"a want at the end": {func(t *harness.T, tr http.RoundTripper) {
			t.Get("r1", tr, apiURL)
			t.Rest()
			t.Net.WantConns(7)
		}, "begin\nget r1 http://api.test/\nrest\nwant conns 7\n"},
		"a dial that is wanted": {func(t *harness.T, tr http.RoundTripper) {
			t.Get("r1", tr, apiURL)
			t.Rest()
			t.Net.WantDial()
		}, "begin\nget r1 http://api.test/\nrest\nwant dial\n"},
		"a long text": {func(t *harness.T, tr http.RoundTripper) {
			t.Post("r1", tr, "http://api.test/echo", long).Await()
			t.Net.WantConns(7)
		}, fmt.Sprintf("begin\npost r1 http://api.test/echo %q\nlet", long)},
		"time that the body lets pass": {func(t *harness.T, tr http.RoundTripper) {
			t.Get("r1", tr, apiURL).Await()
			t.Advance(1000)
			t.Get("r2", tr, apiURL)
			t.Rest()
			t.Net.WantConns(7)
		}, "next 2\nadvance 1µs\nget r2 http://api.test/\nrest\n"},
		"a fault of the body's own": {func(t *harness.T, tr http.RoundTripper) {
			t.Net.Fault("dial", faultnet.Refuse)
			r1 := t.Get("r1", tr, apiURL)
			t.Rest()
			r1.WantDone(nil)
		}, "begin\nget r1 http://api.test/\nlet dial d1 api.test:80 as refuse\nrest\nwant done r1\n"},
		"a host that crashes": {func(t *harness.T, tr http.RoundTripper) {
			t.Get("r1", tr, apiURL).Await()
			t.Net.Crash("api.test")
			t.Net.WantConns(7)
		}, "next 2\ncrash api.test\nwant conns 7\nrest\n"},
	} {
		t.Run(name, func(t *testing.T) {
			x, err := harness.ExploreReport("parts", harness.Bounds{Delays: harness.None, Faults: harness.None}, nil, func(t *harness.T) {
				t.Serve("api.test:80", nil)
				c.body(t, t.Net.Transport())
			})
			if err != nil || len(x.Findings) != 1 {
				t.Fatalf("got %v, %v, want one finding", x, err)
			}
			f := x.Findings[0]
			if !strings.Contains(f.Script, c.want) || strings.Contains(f.Script, lacksLine) {
				t.Errorf("got:\n%s\nwant it to contain\n%s", f.Script, c.want)
			}
			if name == "a want of a request that has not started" {
				f.Report.Failures[0].Text = "r1: got pending, want status 404" // in a script it has
			}
			failsAlone(t, f, nil)
		})
	}
}

// What no script can contain is named in the first lines, with the line that runs the test.
func TestPrintedLacks(t *testing.T) {
	for what, body := range map[string]func(t *harness.T, tr http.RoundTripper){
		"what the test asserts at print_test.go:": func(t *harness.T, tr http.RoundTripper) {},
		"the handler of own.test:80": func(t *harness.T, tr http.RoundTripper) {
			t.Serve("own.test:80", http.NotFoundHandler())
		},
		"the server of own.test:80": func(t *harness.T, tr http.RoundTripper) {
			if _, err := t.Net.Listen("tcp", "own.test:80"); err != nil {
				t.Fatal(err)
			}
		},
		"the context of r1": func(t *harness.T, tr http.RoundTripper) {
			req, _ := http.NewRequestWithContext(t.Context(), "GET", apiURL, nil)
			t.Start("r1", tr, req)
		},
		"the body of r1": func(t *harness.T, tr http.RoundTripper) {
			req, _ := http.NewRequest("PUT", apiURL, strings.NewReader("x"))
			t.Start("r1", tr, req)
		},
		"the code that makes call1": func(t *harness.T, tr http.RoundTripper) {
			if resp, err := t.Client(tr).Get(apiURL); err == nil {
				resp.Body.Close()
			}
		},
		"a dial for no request": func(t *harness.T, tr http.RoundTripper) {
			if c, err := t.Net.DialContext(t.Context(), "tcp", "api.test:80"); err == nil {
				c.Close()
			}
		},
		"LimitConns(3)": func(t *harness.T, tr http.RoundTripper) { t.LimitConns(3) },
	} {
		x, err := harness.ExploreReport("lacks", harness.Bounds{Delays: harness.None, Faults: harness.None, Schedules: 1}, nil, func(t *harness.T) {
			t.Serve("api.test:80", nil)
			body(t, t.Net.Transport())
			t.Rest()
			t.Error("to have a script")
		})
		if err != nil || len(x.Findings) != 1 {
			t.Fatalf("%s: got %v, %v, want one finding", what, x, err)
		}
		script := x.Findings[0].Script
		_, rest, _ := strings.Cut(script, "\n# A schedule of lacks.\n"+lacksLine)
		line, _, _ := strings.Cut(rest, "\n")
		if !strings.Contains(line, what) || !strings.HasSuffix(line, ". This one may hold; the test itself: lacks") {
			t.Errorf("got:\n%s\nwant it to say: %s", script, what)
		}
	}
}

// A move of a printed script that no longer fits is passed over, and the report says so; in a
// script without begin it is a failure.
func TestPassedOver(t *testing.T) {
	const rest = "get r1 http://api.test/\nlet c7 server fin as reset\nnext 1\nnext 9\nrest\nwant status r1 200\n"
	for head, want := range map[string]string{
		"# A claim.\nserve api.test:80\nbegin\n": "found: held\n" +
			"  passed over: found.txtar:5: no held event is \"c7 server fin\"; held: \"dial d1 api.test:80\"\n" +
			"  passed over: found.txtar:7: got 2 held events, want 9\n",
		"# A claim.\nserve api.test:80\n": "no held event is \"c7 server fin\"; held: \"dial d1 api.test:80\"  (found.txtar:4)\n",
	} {
		s, err := harness.ParseScript("found.txtar", []byte(head+rest))
		if err != nil {
			t.Fatal(err)
		}
		r, err := s.TestReport(nil)
		if err != nil || !strings.HasPrefix(r.String(), want) {
			t.Errorf("got %s, %v\nwant %s", r, err, want)
		}
	}
}
