package browser_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/harness/view"
	"github.com/halfopen/halfopen/suites"
)

// save writes a page to a folder of the test, and returns its address.
func save(t *testing.T, page *view.Page) string {
	t.Helper()
	file, err := page.Save(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return "file://" + file
}

// runOf returns the page of a run.
func runOf(title string, body func(t *harness.T)) *view.Page {
	harness.KeepTimelines(true)
	defer harness.KeepTimelines(false)
	return &view.Page{Title: title, Runs: []*view.Run{harness.TestReport(title, body).Timeline()}}
}

// leaky leaves a response body open when the backend is down, and has a fault on the way.
func leaky(t *harness.T) {
	t.Serve("backend.test:80", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "down", http.StatusServiceUnavailable)
	}))
	client := t.Client(t.Net.Transport())
	t.Serve("prices.test:80", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		resp, err := client.Get("http://backend.test/price")
		if err != nil || resp.StatusCode != http.StatusOK {
			http.Error(w, "no price today", http.StatusBadGateway)
			return
		}
		resp.Body.Close()
	}))
	tr := t.Net.Transport()
	t.Net.Fault("c1 server->client data", faultnet.Reset)
	t.Get("r1", tr, "http://prices.test/")
	t.Net.Hold("c3 server->client data")
	r2 := t.Get("r2", tr, "http://prices.test/")
	t.Advance(2e9)
	t.Net.Release("c3 server->client data")
	r2.Finish()
}

// explored returns the page of an exploration that has findings, and schedules that held.
func explored(t *testing.T) *view.Page {
	t.Helper()
	harness.KeepTimelines(true)
	defer harness.KeepTimelines(false)
	bounds := harness.Bounds{Strategy: "exhaustive", Independent: true, Delays: harness.All, Faults: harness.None, Schedules: 400, KeepGoing: true}
	x, err := harness.ExploreReport("TestOneConn", bounds, nil, func(t *harness.T) {
		t.Serve("api.test:80", nil)
		t.Serve("other.test:80", nil)
		tr := t.Net.Transport()
		t.Get("r1", tr, "http://api.test/")
		t.Get("r2", tr, "http://other.test/").MayCancel()
		t.Rest()
		t.Net.WantConns(1)
	})
	if err != nil {
		t.Fatal(err)
	}
	return x.Timeline()
}

// matrix returns the page of some cases.
func matrix() *view.Page {
	harness.KeepTimelines(true)
	defer harness.KeepTimelines(false)
	cases := slices.DeleteFunc(suites.Cases(), func(c suites.Case) bool { return c.Group() != "reuse" })
	return suites.Check(cases, suites.Subjects()[:3]).Page("check")
}

// long returns the page of a run of at least that many events.
func long(events int) *view.Page {
	return runOf("TestLong", func(t *harness.T) {
		t.Serve("api.test:80", nil)
		tr := t.Net.Transport()
		tr.MaxConnsPerHost = 8
		for i := range events / 30 {
			var all []*harness.Request
			for k := range 8 {
				all = append(all, t.Get(fmt.Sprintf("r%d.%d", i, k), tr, "http://api.test/"))
			}
			for _, r := range all {
				r.Finish()
			}
		}
	})
}
