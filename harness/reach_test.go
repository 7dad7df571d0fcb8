package harness_test

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/harness"
)

// peeking is a client that reads an answer up to the end of its value, and closes it
// through a wrapper that has lost Close, as that of aws/aws-sdk-go-v2#3517 was. Where all
// of the body has arrived with the value, its decoder reads to the end by chance.
func peeking(t *harness.T) {
	t.Serve("api.test:80", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"ok":`)
		w.(http.Flusher).Flush() // the answer comes in chunks
		io.WriteString(w, "true}\n")
	}))
	c := t.Client(t.Net.Transport())
	resp, err := c.Get("http://api.test/")
	if err != nil {
		return
	}
	body := io.NopCloser(resp.Body)
	defer body.Close()
	var answer struct{ OK bool }
	if err := json.NewDecoder(body).Decode(&answer); err != nil {
		body = resp.Body
	}
}

// What arrives may come in pieces: by default it is split where code may come to think that
// it has all of a response.
func TestSplitByDefault(t *testing.T) {
	x, err := harness.ExploreReport(t.Name(), harness.Bounds{}, nil, peeking)
	if err != nil || len(x.Findings) != 1 {
		t.Fatalf("got %v, %s, want a finding", err, x)
	}
	f := x.Findings[0]
	if got, want := first(f.Report), "call1: response body of GET http://api.test/ never closed"; !strings.HasPrefix(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
	if !slices.ContainsFunc(f.Schedule, func(name string) bool { return strings.Contains(name, " as split:") }) {
		t.Errorf("got the schedule %q, want one with a split", f.Schedule)
	}
	x, err = harness.ExploreReport(t.Name(), harness.Bounds{Effects: []string{"refuse", "reset"}}, nil, peeking)
	if err != nil || len(x.Findings) != 0 {
		t.Errorf("got %v, %s, want none: all of the answer comes at once", err, x)
	}
}
