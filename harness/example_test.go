package harness_test

import (
	"fmt"

	"github.com/halfopen/halfopen/harness"
)

// In a plain program a run is reported, here with a body that stays open.
func ExampleTestReport() {
	r := harness.TestReport("leak", func(t *harness.T) {
		t.Serve("api.test:80", nil)
		client := t.Client(t.Net.Transport())
		client.Get("http://api.test/")
	})
	for _, f := range r.Failures {
		fmt.Println(f)
	}
	// Output:
	// call1: response body of GET http://api.test/ never closed  (example_test.go:14)
	// c1 to api.test:80: still open after the idle connections were closed, opened for call1, last used by call1  (example_test.go:14)
}

// A script is parsed once and run against any transport; nil is net/http.
func ExampleScript() {
	s, err := harness.ParseScript("limit.txtar", []byte(`
# At the limit a request waits.
transport MaxConnsPerHost=1
serve api.test:80
get r1 http://api.test/
open d1
get r2 http://api.test/
! want dial
finish r1
want done r2 c1 -- it is free now
finish r2
`))
	if err != nil {
		panic(err)
	}
	r, err := s.TestReport(nil)
	fmt.Print(r)
	fmt.Println(err)
	// Output:
	// limit: held
	// <nil>
}

// The trace has every verb and every event, the same each time.
func ExampleReport_Trace() {
	r := harness.TestReport("trace", func(t *harness.T) {
		t.Serve("api.test:80", nil)
		t.Net.Hold("dial")
		r1 := t.Get("r1", t.Net.Transport(), "http://api.test/")
		c1 := t.Net.WantDial().Open()
		r1.WantDone(c1)
		r1.Finish()
	})
	fmt.Print(r.Trace())
	// Output:
	// > serve api.test:80
	// > hold dial
	// > get r1 http://api.test/
	// > want dial
	// > open d1
	//   dial d1 api.test:80 open c1
	//   c1 client->server data
	//   c1 server->client data
	// > want done r1 c1
	// > finish r1
	// > end
	//   c1 client fin
	//   c1 server fin
}

// Every order of two requests at a limit of one, against net/http.
func ExampleExploreReport() {
	x, err := harness.ExploreReport("limit", harness.Bounds{Strategy: "exhaustive", Faults: harness.None}, nil, func(t *harness.T) {
		t.Serve("api.test:80", nil)
		tr := t.Net.Transport()
		tr.MaxConnsPerHost = 1
		t.Get("r1", tr, "http://api.test/")
		t.Get("r2", tr, "http://api.test/").MayCancel()
	})
	if err != nil {
		panic(err)
	}
	fmt.Print(x)
	// Output:
	// explored all 74 schedules with at most 2 delays and 0 faults (at least 11 more are equal to these); 4 outcomes; exhaustive
	//       44 x r1 200 on c1, r2 200 on c1, 1 opened
	//       12 x r1 200 on c1, r2 canceled on c1, 1 opened
	//       15 x r1 200 on c1, r2 canceled, 1 opened
	//        3 x r1 200 on c2, r2 canceled on c1, 2 opened
}

// What must hold between any two events is asked in every order of them: here
// that a transport without a limit never has two connections. It has.
func ExampleT_AtQuiet() {
	x, err := harness.ExploreReport("one", harness.Bounds{}, nil, func(t *harness.T) {
		tr := t.Net.Transport()
		t.Serve("api.test:80", nil)
		t.AtQuiet(func() {
			if n := len(t.Net.OpenConns()); n > 1 {
				t.Errorf("got %d connections, want one at most", n)
			}
		})
		t.Get("r1", tr, "http://api.test/")
		t.Get("r2", tr, "http://api.test/")
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(x.Findings[0].Report.Failures[0].Text)
	// Output:
	// got 2 connections, want one at most
}
