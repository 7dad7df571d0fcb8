package harness_test

import (
	"io"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness"
)

// What a schedule costs: the same two requests in a bare bubble on a
// free-running network, and as schedules of an exploration with all oracles.
func BenchmarkSchedule(b *testing.B) {
	b.Run("two-gets/bare", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			synctest.Test(new(testing.T), func(*testing.T) { bareTwoGets(b) })
		}
	})
	for name, inner := range map[string]int{"explored": 0, "without-inner-choices": harness.None} { // the same in an ordinary bubble
		b.Run("two-gets/"+name, func(b *testing.B) {
			b.ReportAllocs()
			_, err := harness.ExploreReport(b.Name(), harness.Bounds{Strategy: "random", Schedules: b.N, Faults: harness.None, Inner: inner}, nil, func(t *harness.T) {
				tr := t.Net.Transport()
				t.Serve("api.test:80", nil)
				t.Get("r1", tr, "http://api.test/")
				t.Get("r2", tr, "http://api.test/")
			})
			if err != nil {
				b.Fatal(err)
			}
		})
	}
	b.Run("two-gets-one-cancelled/explored", func(b *testing.B) {
		b.ReportAllocs()
		_, err := harness.ExploreReport(b.Name(), harness.Bounds{Strategy: "random", Schedules: b.N, Faults: harness.None}, nil, twoGets)
		if err != nil {
			b.Fatal(err)
		}
	})
}

func bareTwoGets(b *testing.B) {
	n := new(faultnet.Net)
	l, err := n.Listen("tcp", "api.test:80")
	if err != nil {
		b.Fatal(err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(harness.Pages)}
	go srv.Serve(l)
	tr := &http.Transport{DialContext: n.DialContext}
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			req, _ := http.NewRequest("GET", "http://api.test/", nil)
			resp, err := tr.RoundTrip(req)
			if err != nil {
				b.Error(err)
				return
			}
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		})
	}
	wg.Wait()
	tr.CloseIdleConnections()
	synctest.Wait()
	srv.Close()
	n.Close()
}

// What more processors bring: the same exploration of two requests, one of which may be
// cancelled, with one schedule at a time and with as many as there are processors. An
// operation is 8,000 schedules.
func BenchmarkParallel(b *testing.B) {
	for _, c := range []struct {
		name     string
		parallel int
	}{{"one", 1}, {"all", 0}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				x, err := harness.ExploreReport(b.Name(), harness.Bounds{Schedules: 8000, Parallel: c.parallel}, nil, twoGets)
				if err != nil || x.Schedules != 8000 {
					b.Fatalf("got %v, %v", x, err)
				}
			}
		})
	}
}
