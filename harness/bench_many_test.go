package harness_test

import (
	"fmt"
	"io"
	"sync"
	"testing"

	"github.com/halfopen/halfopen/harness"
)

// What a test with very many of a thing costs for each of them: a quiet point costs what has
// changed since the last one, so that 10,000 cost hardly more each than 100.
func BenchmarkMany(b *testing.B) {
	for _, m := range []struct {
		name string
		body func(t *harness.T, n int)
		left harness.Kind // that many of them, or "" for none
	}{
		{"clients", manyClients, ""},
		{"conns left", manyConnsLeft, harness.KindConn},
		{"goroutines left", manyGoroutinesLeft, harness.KindGoroutine},
	} {
		for _, n := range []int{100, 1000, 10_000} {
			b.Run(fmt.Sprintf("%s/%d", m.name, n), func(b *testing.B) {
				for b.Loop() {
					r := harness.TestReport(b.Name(), func(t *harness.T) { m.body(t, n) })
					if m.left == "" && len(r.Failures) > 0 || m.left != "" && (len(r.Failures) == 0 || r.Failures[0].Kind != m.left) {
						b.Fatalf("got %s", r)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(n), "µs/each")
			})
		}
	}
}

// manyClients has clients with a transport each make a GET at once.
func manyClients(t *harness.T, n int) {
	t.Serve("api.test:80", nil)
	var wg sync.WaitGroup
	for range n {
		c := t.Client(t.Net.Transport())
		wg.Go(func() {
			resp, err := c.Get("http://api.test/")
			if err != nil {
				t.Error(err)
				return
			}
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		})
	}
	wg.Wait()
}

// manyConnsLeft opens connections and leaves them open.
func manyConnsLeft(t *harness.T, n int) {
	l, err := t.Net.Listen("tcp", "api.test:80")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			if _, err := l.Accept(); err != nil {
				return
			}
		}
	}()
	for range n {
		if _, err := t.Net.DialContext(t.Context(), "tcp", "api.test:80"); err != nil {
			t.Fatal(err)
		}
	}
}

// manyGoroutinesLeft starts goroutines that nothing wakes.
func manyGoroutinesLeft(t *harness.T, n int) {
	for range n {
		go stray()
	}
}
