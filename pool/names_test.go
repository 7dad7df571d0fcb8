package pool

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"
)

// The books may be read, and idle connections closed, at any time.
func TestConcurrentBooks(t *testing.T) {
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {})
	tr := idle(t, &Transport{MaxConnsPerHost: 2, IdleConnTimeout: time.Millisecond})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 25 {
				fetch(t, tr, srv.URL)
			}
		})
		wg.Go(func() {
			for range 25 {
				tr.Stats()
				tr.Ledger()
				tr.CloseIdleConnections()
			}
		})
	}
	wg.Wait()
}

// Every cause and state has a name of its own.
func TestNames(t *testing.T) {
	seen := map[string]bool{}
	for c := range causes {
		if name := c.String(); name == "" || seen[name] {
			t.Errorf("cause %d: got name %q", uint8(c), name)
		} else {
			seen[name] = true
		}
	}
	if got := causes.String(); got != "Cause(19)" {
		t.Errorf("no cause: got %q", got)
	}
	if got := State(5).String() + " " + Draining.String() + " " + Upgraded.String(); got != "State(5) draining upgraded" {
		t.Errorf("states: got %q", got)
	}
	if got := (Closed{ServerFIN: 2, IdleLimit: 1}).String(); got != "server FIN 2, idle limit 1" {
		t.Errorf("closed: got %q", got)
	}
	err := &CloseError{Cause: ServerFIN, Reused: true, Err: io.EOF}
	if err.Error() != "pool: a reused connection was closed (server FIN): EOF" || !errors.Is(err, io.EOF) || err.Timeout() {
		t.Errorf("error: got %v", err)
	}
	if e := (&CloseError{Err: errHeaderTimeout}); !e.Timeout() {
		t.Errorf("timeout: got %v", e)
	}
}
