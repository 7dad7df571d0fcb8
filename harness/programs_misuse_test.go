package harness_test

import (
	"math"
	"net/http"
	"runtime"
	"testing"
	"time"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness"
)

// misuses is programs that use verbs wrongly.
var misuses = []program{
	{does: "two requests have one name", run: once(func(t *harness.T) {
		t.Get("r1", answering(http.NoBody), apiURL)
		t.Get("r1", answering(http.NoBody), apiURL)
	}), want: "there is a request r1 already"},
	{does: "a request has no name", run: once(func(t *harness.T) { t.Get("", answering(http.NoBody), apiURL) }), want: "an operation has a name, in one line: got \"\""},
	{does: "a name has a line break", run: once(func(t *harness.T) {
		t.Serve("api.test:80", nil)
		t.Get("r\n1", t.Net.Transport(), apiURL).Await()
	}), want: `an operation has a name, in one line: got "r\n1"`},
	{does: "a URL is none", run: once(func(t *harness.T) { t.Get("r1", answering(http.NoBody), "://") }), want: "missing protocol scheme"},
	{does: "a URL has no host", run: once(func(t *harness.T) { t.Get("r1", t.Net.Transport(), "http:///").WantStatus(200) }), want: "no Host in request URL"},
	{does: "time goes backwards", run: once(func(t *harness.T) { t.Advance(-time.Hour) }), want: "time does not go backwards, and -1h0m0s would"},
	{does: "time goes past its end", run: once(func(t *harness.T) { t.Advance(math.MaxInt64) }), want: "virtual time ends with the year 2260"},
	{does: "names resolve to each other", run: once(func(t *harness.T) {
		t.Net.Resolve("api.test", "b.test")
		t.Net.Resolve("b.test", "api.test")
		t.Get("r1", t.Net.Transport(), apiURL).WantStatus(200)
	}), want: "r1: got error: dial tcp: lookup api.test: no such host, want status 200"},
	{does: "a name resolves to nothing", run: once(func(t *harness.T) {
		t.Net.Resolve("api.test")
		t.Get("r1", t.Net.Transport(), apiURL).WantStatus(200)
	}), want: "r1: got error: dial tcp"},
	{does: "an address has no port", run: once(func(t *harness.T) { t.Serve("api.test", nil) }), want: "missing port in address"},
	{does: "a port is no number", run: once(func(t *harness.T) { t.Serve("api.test:many", nil) }), want: "many"},
	{does: "a port is too high", run: once(func(t *harness.T) { t.Serve("api.test:65536", nil) }), want: "65536"},
	{does: "two servers have one address", run: once(func(t *harness.T) {
		t.Serve("api.test:80", nil)
		t.Serve("api.test:80", nil)
	}), want: "address already in use"},
	{does: "a server listens on every address", run: once(func(t *harness.T) {
		t.Serve("0.0.0.0:80", nil)
		t.Get("r1", t.Net.Transport(), apiURL).Finish()
	}), want: "program: held\n"},
	{does: "a hold has a typing error", run: once(func(t *harness.T) { t.Net.Hold("dail") }), want: `"dail"`},
	{does: "a hold holds nothing", run: once(func(t *harness.T) { t.Net.Hold("dial d7") }), want: "nothing was ever held"},
	{does: "a fault never fires", run: once(func(t *harness.T) { t.Net.Fault("dial d7", faultnet.Refuse) }), want: "dial d7"},
	{does: "an event is let that is none", run: once(func(t *harness.T) { t.Net.Let("dial d7") }), want: "dial d7"},
	{does: "the next of no events is wanted", run: once(func(t *harness.T) { t.Net.Next(7) }), want: "next"},
	{does: "a connection is asked for that is none", run: once(func(t *harness.T) { t.Conn("c7") }), want: "there is no connection c7"},
	{does: "a gate has a typing error", run: once(func(t *harness.T) { t.Gates("GotCon") }), want: `unknown gate "GotCon"`},
	{does: "a gate is never opened", run: once(func(t *harness.T) {
		t.Serve("api.test:80", nil)
		t.Gates("GotConn")
		t.Net.Hold("gate")
		t.Get("r1", t.Net.Transport(), apiURL)
	}), want: "gate r1 GotConn"},
	{does: "a response is finished twice", run: once(func(t *harness.T) {
		t.Serve("api.test:80", nil)
		r := t.Get("r1", t.Net.Transport(), apiURL)
		r.Finish()
		r.Finish()
		r.CloseBody()
	}), want: "program: held\n"},
	{does: "a response that never came is finished", run: once(func(t *harness.T) {
		t.Peer("api.test:80")
		t.Get("r1", t.Net.Transport(), apiURL).Finish()
	}), want: "r1: got pending, want a response"},
	{does: "a peer's connection is reset, closed and written to", run: once(func(t *harness.T) {
		t.Peer("api.test:80")
		t.Get("r1", t.Net.Transport(), apiURL)
		c := t.Conn("c1")
		c.Reset()
		c.CloseServer()
		c.Send("x")
	}), want: "c1: "},
	{does: "two goroutines use the verbs at once", run: once(func(t *harness.T) {
		done := make(chan bool)
		for range 2 {
			go func() {
				for range 100 {
					t.Settle()
				}
				done <- true
			}()
		}
		<-done
		<-done
	}), want: "program: held\n"},
	{does: "a verb is used with the network's lock of a rule", run: once(func(t *harness.T) {
		t.Net.Raw().Install(func(*faultnet.Event) faultnet.Verdict { t.Settle(); return faultnet.Pass })
		t.Serve("api.test:80", nil)
		t.Get("r1", t.Net.Transport(), apiURL).Finish()
	}), want: "goroutine left: select: harness_test."},
	{does: "a rule waits for nothing", run: once(func(t *harness.T) {
		t.Net.Raw().Install(func(*faultnet.Event) faultnet.Verdict { select {} })
		t.Serve("api.test:80", nil)
		t.Get("r1", t.Net.Transport(), apiURL).Finish()
	}), want: "goroutine left: select (no cases): harness_test."},
	{does: "a test says that it cannot be asked, in a goroutine", run: once(func(t *harness.T) {
		done := make(chan bool)
		go func() {
			defer close(done)
			t.NotApplicable(http.ErrNotSupported)
		}()
		<-done
	}), want: "program: held\n"},
	{does: "a script is empty", run: scripted(""), want: "program.txtar"},
	{does: "a script asks for what is none", run: scripted("# claim\nserve api.test:80\nwant status r7 200\n"), want: "r7"},
	{does: "a script never ends its loop of redirects", run: scripted("# claim\nserve api.test:80\nget r1 http://api.test/bytes/9000000000000000000\nwant done r1\n"), want: "program.txtar:"},
	{does: "an explored test waits for a dial", run: exploring(func(t *harness.T) { t.Net.WantDial() }), want: "want"},
	{does: "the bounds are negative", run: func(*testing.T) string {
		_, err := harness.ExploreReport("program", harness.Bounds{Schedules: -7}, nil, func(*harness.T) {})
		return err.Error() + "\n"
	}, want: "Schedules"},
	{does: "the body sets the number of processors", run: once(func(*harness.T) { runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) }), want: "program: held\n"},
}
