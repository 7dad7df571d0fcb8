package harness_test

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/harness"
)

// lenient takes a body that was cut short for a whole one.
type lenient struct{ io.ReadCloser }

func (l lenient) Read(p []byte) (int, error) {
	n, err := l.ReadCloser.Read(p)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	return n, err
}

func takesAnything(tr *http.Transport, req *http.Request) (*http.Response, error) {
	resp, err := tr.RoundTrip(req)
	if err == nil {
		resp.Body = lenient{resp.Body}
	}
	return resp, err
}

// The connection is closed, and reset, at every byte of what arrives.
func TestSweepClose(t *testing.T) {
	body := func(do func(*http.Transport, *http.Request) (*http.Response, error)) func(*harness.T) {
		return func(t *harness.T) {
			t.Serve("api.test:80", nil)
			t.Get("r1", &between{t.Net.Transport(), do}, "http://api.test/bytes/20")
		}
	}
	x, err := harness.ExploreReport(t.Name(), harness.SweepClose(), nil, body((*http.Transport).RoundTrip))
	if err != nil || len(x.Findings) > 0 || !x.Complete {
		t.Fatalf("got %v\n%s", err, x)
	}
	// Request and response have some 70 and 190 bytes, each place has two effects.
	if x.Schedules < 400 {
		t.Errorf("got %d schedules, want one for each byte and effect", x.Schedules)
	}
	x, err = harness.ExploreReport(t.Name(), harness.SweepClose(), nil, body(takesAnything))
	if err != nil || len(x.Findings) != 1 || !strings.Contains(first(x.Findings[0].Report), "no server sent that") {
		t.Fatalf("got %v\n%s", err, x)
	}
	f := x.Findings[0]
	if !strings.Contains(f.Script, " as cut:") || len(f.Schedule) > 5 {
		t.Errorf("got %q and\n%s", f.Schedule, f.Script)
	}

	// A schedule says itself what it is within.
	file := filepath.Join(t.TempDir(), "cut.replay")
	if err := os.WriteFile(file, f.Format(t.Name()), 0o666); err != nil {
		t.Fatal(err)
	}
	s, err := harness.ParseScript("two.txtar", []byte("# Bytes.\nserve api.test:80\nget r1 http://api.test/bytes/20\n"))
	if err != nil {
		t.Fatal(err)
	}
	x, err = s.ReplayReport(func(t *harness.T, _ harness.Settings) (http.RoundTripper, error) {
		return &between{t.Net.Transport(), takesAnything}, nil
	}, file)
	if err != nil || len(x.Replayed) != 1 || !x.Replayed[0].Failed || x.Replayed[0].Misfit != "" {
		t.Errorf("got %v, %v, want it to fail again", err, x.Replayed)
	}
	if _, err := harness.ExploreReport("", harness.Bounds{Effects: []string{"refuse:*"}}, nil, body(takesAnything)); err == nil ||
		!strings.Contains(err.Error(), `effect "refuse:*": only cut, reset, stall, split can be tried at every byte`) {
		t.Errorf("got %v", err)
	}
}

// Every request is cancelled at every event, without a word of the body.
func TestSweepCancel(t *testing.T) {
	body := func(bug string) func(*harness.T) {
		return func(t *harness.T) {
			tr := newMini(t, bug, 1)
			t.Serve("api.test:80", nil)
			t.Get("r1", tr, "http://api.test/")
			t.Get("r2", tr, "http://api.test/")
		}
	}
	x, err := harness.ExploreReport(t.Name(), harness.SweepCancel(), nil, body(""))
	if err != nil || len(x.Findings) > 0 || !x.Complete || x.Schedules < 12 {
		t.Errorf("got %v\n%s", err, x)
	}
	x, err = harness.ExploreReport(t.Name(), harness.SweepCancel(), nil, body("cancel ignored"))
	if err != nil || len(x.Findings) == 0 {
		t.Errorf("got %v\n%s, want the defect found", err, x)
	}
}
