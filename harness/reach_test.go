package harness_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/halfopen/halfopen/harness"
)

// peeking reads an answer up to the end of its value, and closes it
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
	json.NewDecoder(body).Decode(&answer) // it may fail: the body is to be closed all the same
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

// A deadline that a client sets on its connection is the client's: time passes up to it if
// the test says so, and not on the explorer's own account.
func TestDeadlinesOfClients(t *testing.T) {
	for _, c := range []struct {
		pass time.Duration
		late bool
	}{{0, false}, {time.Second, false}, {3 * time.Second, true}} {
		late := false
		x, err := harness.ExploreReport(t.Name(), harness.Bounds{Faults: harness.None}, nil, func(t *harness.T) {
			if c.pass > 0 {
				t.MayPass(c.pass)
			}
			tr := t.Net.Transport()
			tr.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
				conn, err := t.Net.DialContext(ctx, network, addr)
				if err == nil {
					conn.SetDeadline(time.Now().Add(3 * time.Second)) // of its handshake
				}
				return conn, err
			}
			t.Serve("api.test:80", nil)
			r := t.Get("r1", tr, "http://api.test/")
			r.Await()
			late = late || errors.Is(r.Err(), os.ErrDeadlineExceeded)
		})
		if err != nil || len(x.Findings) > 0 {
			t.Fatalf("%v\n%s", err, x)
		}
		if late != c.late {
			t.Errorf("time may pass for %s: got a deadline in some schedule: %t, want %t", c.pass, late, c.late)
		}
	}
}
