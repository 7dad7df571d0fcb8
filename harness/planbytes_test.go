package harness_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness"
)

// The faults of an event are at each byte that it brings, in the step in which they are offered.
func TestFaultsAtBytes(t *testing.T) {
	const event = "c1 server->client data"
	// offered returns, of each schedule, at how many bytes the event may be a reset, in each step
	// in which it is pending.
	offered := func(t *testing.T, body func(*harness.T)) (all [][]int) {
		bounds := harness.Bounds{Delays: 1, Faults: 1, Strategy: "exhaustive", Effects: []string{"reset:*"}, Gates: []string{}, Schedules: 40, KeepGoing: true, AsFound: true}
		for _, steps := range harness.Offered(t, bounds, body) {
			var counts []int
			for _, names := range steps {
				resets := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !strings.HasPrefix(name, event+" as ") })
				if slices.Contains(names, event) {
					counts = append(counts, len(resets))
				}
			}
			all = append(all, counts)
		}
		return all
	}
	rises := func(counts []int, from func(int) bool) bool {
		for i := 1; i < len(counts); i++ {
			if from(counts[i-1]) && counts[i-1] < counts[i] {
				return true
			}
		}
		return false
	}
	for _, test := range []struct {
		claim string
		body  func(*harness.T)
		from  func(int) bool
	}{
		{"more are offered when the server has sent more", sendsMore, func(n int) bool { return n > 0 }},
		{"none are offered while a rule delays all of it", delayedAtFirst, func(n int) bool { return n == 0 }},
	} {
		all := offered(t, test.body)
		if !slices.ContainsFunc(all, func(counts []int) bool { return rises(counts, test.from) }) {
			t.Errorf("%s: got %d schedules with %v", test.claim, len(all), all)
		}
	}
}

// sendsMore has a server that sends the rest of its first answer when the second request comes.
func sendsMore(t *harness.T) {
	second := make(chan struct{})
	t.Serve("api.test:80", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/second" {
			close(second)
			return
		}
		w.Write([]byte("first"))
		w.(http.Flusher).Flush()
		select {
		case <-second:
		case <-r.Context().Done():
		}
		w.Write([]byte("rest"))
	}))
	tr := t.Net.Transport()
	t.Get("r1", tr, "http://api.test/first")
	t.Get("r2", tr, "http://api.test/second")
}

// delayedAtFirst ends a rule while an answer is pending that it delays.
func delayedAtFirst(t *harness.T) {
	answered := make(chan struct{})
	t.Serve("api.test:80", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		close(answered)
	}))
	lift := t.Net.Raw().Shape(func(e *faultnet.Event) faultnet.Verdict {
		if e.Kind == faultnet.Data && e.From.Side() == faultnet.Server {
			return faultnet.Delay(time.Second)
		}
		return faultnet.Pass
	})
	t.Get("r1", t.Net.Transport(), "http://api.test/")
	t.Do(t.Context(), "dial", func(ctx context.Context) error {
		select {
		case <-answered:
		case <-ctx.Done():
			return ctx.Err()
		}
		c, err := t.Net.DialContext(ctx, "tcp", "api.test:80")
		if err == nil {
			c.Close()
		}
		return err
	}).Await()
	lift()
}
