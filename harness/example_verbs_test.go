package harness_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness"
)

// t stands for the *testing.T of a test in the examples. It prints what fails.
var t = printer("TestExample")

type printer string

func (p printer) Helper()             {}
func (p printer) Name() string        { return string(p) }
func (p printer) Logf(string, ...any) {}
func (p printer) FailNow()            {}
func (p printer) Errorf(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	verdict, _, _ := strings.Cut(text, "\n\n")
	fmt.Println(verdict)
}

// The first test: a handler that asks a backend, which is down. The answer is right, but
// the body of the backend's answer stays open.
func ExampleTest() {
	harness.Test(t, func(t *harness.T) {
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
			defer resp.Body.Close()
			io.Copy(w, resp.Body)
		}))
		r1 := t.Get("r1", t.Net.Transport(), "http://prices.test/")
		r1.WantStatus(http.StatusBadGateway)
		r1.Finish()
	})
	// Output:
	// call1: response body of GET http://backend.test/price never closed  (example_verbs_test.go:39)
	//     net/http, Response.Body: "It is the caller's responsibility to close Body"
	// c2 to backend.test:80: still open after the idle connections were closed, opened for call1, last used by call1  (example_verbs_test.go:39)
}

// A dial that is held is answered when the test says so: here after its request was
// cancelled. The connection is not lost, the next request has it.
func ExampleNet_WantDial() {
	harness.Test(t, func(t *harness.T) {
		t.Serve("api.test:80", nil)
		tr := t.Net.Transport()
		t.Net.Hold("dial")
		r1 := t.Get("r1", tr, "http://api.test/")
		d1 := t.Net.WantDial()
		r1.Cancel()
		r1.WantErr(context.Canceled)
		c1 := d1.Open()
		r2 := t.Get("r2", tr, "http://api.test/")
		r2.WantDone(c1, "it was opened for r1, and is idle")
		r2.Finish()
	})
	fmt.Println("held")
	// Output: held
}

// What is held waits until it is released, and the test decides what comes first: here the server
// closes an idle connection, and the next request is sent before the client knows.
func ExampleNet_Hold() {
	harness.Test(t, func(t *harness.T) {
		t.Peer("api.test:80")
		tr := t.Net.Transport()
		r1 := t.Get("r1", tr, "http://api.test/")
		t.Conn("c1").Respond(200, "ok")
		r1.WantBody("ok")
		t.Net.Hold("c1 server fin")
		t.Conn("c1").CloseServer()
		r2 := t.Get("r2", tr, "http://api.test/")
		r2.WantPending()
		t.Net.Release("c1 server fin")
		t.Conn("c2").Respond(200, "again")
		r2.WantBody("again", "a GET can be sent again")
	})
	fmt.Println("held")
	// Output: held
}

// A fault is for one event, by name. The client gets the error of the kernel.
func ExampleNet_Fault() {
	harness.Test(t, func(t *harness.T) {
		t.Serve("api.test:80", nil)
		t.Net.Fault("c1 server->client data", faultnet.Reset)
		_, err := t.Client(t.Net.Transport()).Get("http://api.test/")
		fmt.Println(err)
	})
	// Output: Get "http://api.test/": read tcp 198.18.0.2:32768->198.18.0.1:80: read: connection reset by peer
}

// Time is virtual: a timeout of an hour takes no time, and an idle connection is closed to the
// nanosecond.
func ExampleT_Advance() {
	harness.Test(t, func(t *harness.T) {
		t.Serve("api.test:80", nil)
		tr := t.Net.Transport()
		tr.IdleConnTimeout = time.Hour
		t.Get("r1", tr, "http://api.test/").Finish()
		t.Advance(time.Hour - 1)
		t.Net.WantConns(1)
		t.Advance(1)
		t.Net.WantConns(0)
	})
	fmt.Println("held")
	// Output: held
}

// A queue gives its answers in order, and keeps the requests.
func ExampleT_ServeQueue() {
	harness.Test(t, func(t *harness.T) {
		q := t.ServeQueue("api.test:80")
		q.Enqueue(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "42") })
		t.Post("r1", t.Net.Transport(), "http://api.test/ask", "what?").WantBody("42")
		asked := q.Take()
		body, _ := io.ReadAll(asked.Body)
		fmt.Println(asked.Method, asked.URL, string(body))
	})
	// Output: POST /ask what?
}

// What is not HTTP is an operation: it is started, cancelled and waited for in the same way.
func ExampleT_Do() {
	harness.Test(t, func(t *harness.T) {
		t.Net.Hold("dial")
		l, err := t.Net.Listen("tcp", "db.test:5432")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ping := t.Do(t.Context(), "ping", func(ctx context.Context) error {
			c, err := t.Net.DialContext(ctx, "tcp", "db.test:5432")
			if err == nil {
				c.Close()
			}
			return err
		})
		t.Net.WantDial()
		ping.Cancel()
		ping.WantErr(context.Canceled)
	})
	fmt.Println("held")
	// Output: held
}

// Every order of two requests, of which one may be cancelled: which dial is answered first,
// what arrives when, what fails. A finding would fail the test, with its shortest schedule.
func ExampleExplore() {
	x := harness.Explore(t, harness.Bounds{Schedules: 500}, func(t *harness.T) {
		t.Serve("api.test:80", nil)
		tr := t.Net.Transport()
		t.Get("r1", tr, "http://api.test/").MayCancel()
		t.Get("r2", tr, "http://api.test/")
		t.MayCloseIdle(tr)
	})
	fmt.Println(x.Schedules, "schedules,", len(x.Findings), "findings")
	// Output: 500 schedules, 0 findings
}
