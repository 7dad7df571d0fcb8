package harness_test

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/harness/view"
)

// timelineOf returns the timeline of a run.
func timelineOf(t *testing.T, body func(t *harness.T)) *view.Run {
	t.Helper()
	harness.KeepTimelines(true)
	defer harness.KeepTimelines(false)
	run := harness.TestReport(t.Name(), body).Timeline()
	if run == nil {
		t.Fatal("got no timeline")
	}
	return run
}

// leakyBody leaves a body open, after a request whose connection is used again.
func leakyBody(t *harness.T) {
	t.Serve("api.test:80", nil)
	tr := t.Net.Transport()
	t.Get("r1", tr, "http://api.test/").Finish()
	t.Net.Hold("c1 server->client data")
	t.Get("r2", tr, "http://api.test/bytes/9")
	t.Advance(2 * time.Second)
	t.Net.Release("c1 server->client data")
	t.Get("r3", tr, "http://nowhere.test/")
	t.Net.Fault("c2 client->server data", faultnet.Reset)
	t.Get("r4", tr, "http://api.test/")
}

// describeRun returns a timeline as text.
func describeRun(run *view.Run) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", run.Name, run.Verdict)
	for i, s := range run.Steps {
		fmt.Fprintf(&b, "%d +%s %s: %s  (%s)\n", i, s.At, s.Kind, s.Text, s.Where)
		if e := s.Event; e != nil {
			fmt.Fprintf(&b, "    %s of %s from %q, outcome %q, fault %v, since %d, %d bytes\n", e.What, e.Lane, e.From, e.Outcome, e.Fault, e.Since, e.Size)
		}
		for _, c := range s.Changes {
			fmt.Fprintf(&b, "    %s %s: %s", run.Lanes[c.Lane].Kind, run.Lanes[c.Lane].ID, strings.TrimSpace(c.State+" "+c.Note))
			if c.Ends != nil {
				fmt.Fprintf(&b, " %v %v", *c.Ends, *c.Queues)
			}
			if c.Counts != nil {
				fmt.Fprintf(&b, " %v", *c.Counts)
			}
			b.WriteString("\n")
		}
	}
	for _, f := range run.Failures {
		fmt.Fprintf(&b, "after step %d: %s\n", f.Step, f.Text)
	}
	return b.String()
}

// A timeline has each step with its time and its line, and the state of everything.
func TestTimeline(t *testing.T) {
	const file = "../testdata/timelines/reset-while-reused.txtar"
	harness.KeepTimelines(true)
	defer harness.KeepTimelines(false)
	s, err := harness.ReadScript(file)
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.TestReport(nil)
	if err != nil {
		t.Fatal(err)
	}
	run := r.Timeline()
	data, _ := os.ReadFile(file)
	golden(t, file, data, strings.ReplaceAll(describeRun(run), file, "FILE"))
	for _, s := range run.Steps {
		if s.Where != "" && run.Sources[s.Where] == "" {
			t.Errorf("%s: got no text of the line %s", s.Text, s.Where)
		}
	}
}

// The lines of a test in Go have their text too, from their own file.
func TestTimelineSources(t *testing.T) {
	run := timelineOf(t, leakyBody)
	if i := run.Lane(view.OpLane, "r1"); !strings.Contains(run.Sources[run.Lanes[i].Where], `t.Get("r1"`) {
		t.Errorf("got %q as the line of r1", run.Sources[run.Lanes[i].Where])
	}
}

// Two runs of the same test have the same timeline, to the byte of the page.
func TestTimelineTwice(t *testing.T) {
	page := func() string {
		var b bytes.Buffer
		p := &view.Page{Title: "leaky", Runs: []*view.Run{timelineOf(t, leakyBody)}}
		if err := p.WriteHTML(&b); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	if one, other := page(), page(); one != other {
		t.Error("got two pages that differ")
	}
}

// A timeline does not change the trace of its run.
func TestTimelineChangesNoTrace(t *testing.T) {
	plain := harness.TestReport(t.Name(), leakyBody).String()
	harness.KeepTimelines(true)
	defer harness.KeepTimelines(false)
	if got := harness.TestReport(t.Name(), leakyBody).String(); got != plain {
		t.Errorf("got %s\nwant %s", got, plain)
	}
}

// The keys of TLS connections are in the timeline.
func TestTimelineSecrets(t *testing.T) {
	run := timelineOf(t, func(t *harness.T) {
		t.ServeTLSAs("api.test:443")
		rt, err := harness.NetHTTP(t, harness.Settings{})
		if err != nil {
			t.Fatal(err)
		}
		t.Get("r1", rt, "https://api.test/").Finish()
		srv := t.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "ok") }))
		resp, err := srv.Client().Get(srv.URL)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	})
	if got := strings.Count(run.Secrets, "CLIENT_TRAFFIC_SECRET_0 "); got != 2 || len(run.Failures) > 0 {
		t.Errorf("got the secrets of %d connections, want 2:\n%s%v", got, run.Secrets, run.Failures)
	}
}

// tb is a test that has failed or not, and its own folder for artifacts.
type tb struct {
	name   string
	dir    string
	failed bool
	logged []string
}

func (t *tb) Helper()      {}
func (t *tb) Name() string { return t.name }
func (t *tb) Logf(format string, args ...any) {
	t.logged = append(t.logged, fmt.Sprintf(format, args...))
}
func (t *tb) Errorf(format string, args ...any) { t.failed = true }
func (t *tb) FailNow()                          {}
func (t *tb) ArtifactDir() string               { return t.dir }

// With -halfopen.report each test writes its page, one that passes too; with -artifacts it
// writes one to the folder of its artifacts.
func TestReportFlag(t *testing.T) {
	for _, flagName := range []string{"halfopen.report", "test.artifacts"} {
		t.Run(flagName, func(t *testing.T) {
			dir := t.TempDir()
			value, artifacts := dir, "elsewhere"
			if flagName == "test.artifacts" {
				value, artifacts = "true", dir
			}
			before := flag.Lookup(flagName).Value.String()
			flag.Set(flagName, value)
			defer flag.Set(flagName, before)
			for name, body := range map[string]func(t *harness.T){
				"TestHeld/a b": func(t *harness.T) { t.Serve("api.test:80", nil) },
				"TestLeaky":    leakyBody,
			} {
				host := &tb{name: name, dir: artifacts}
				harness.Test(host, body)
				file := filepath.Join(dir, strings.NewReplacer("/", "_", " ", "_").Replace(name)+".html")
				if !slices.Contains(host.logged, "timeline: "+file) {
					t.Errorf("got %q logged, want the name of the file %s", host.logged, file)
				}
				f, err := os.Open(file)
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				page, err := view.ReadHTML(f)
				if err != nil {
					t.Fatal(err)
				}
				if want := map[bool]string{false: "held", true: "failed"}[host.failed]; page.Title != name || page.Runs[0].Verdict != want || len(page.Runs[0].Steps) == 0 {
					t.Errorf("got page %q with a run that %s, want %s that %s", page.Title, page.Runs[0].Verdict, name, want)
				}
			}
		})
	}
}
