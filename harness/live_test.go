package harness_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/harness"
)

// liveBugs lists bugs of net/http of this release, each with the plainest service that shows
// it: no gates, no effects and no bounds are named. Each is a quirk of suites.NetHTTPQuirks, with
// its versions and its mechanism.
var liveBugs = []struct {
	name   string
	breaks string // what confirms it
	within int    // schedules of a default exploration
	want   string // how its failure begins
	body   func(t *harness.T)
}{
	{
		"an upload that waits is cancelled", "golang/go#78555", 50,
		"r1: cancelled, and still pending when all was quiet",
		func(t *harness.T) {
			t.Serve("api.test:80", nil)
			tr := t.Net.Transport()
			r, w := io.Pipe()
			req, _ := http.NewRequest("POST", "http://api.test/echo", r)
			t.Start("r1", tr, req).MayCancel()
			t.Get("r2", tr, "http://api.test/").Await()
			w.Close()
		},
	},
	{
		"a HEAD that is answered with a body", "golang/go#68653", 100,
		"r2: got the response to stray",
		func(t *harness.T) {
			t.Serve("api.test:80", http.HandlerFunc(answersHeadWithBody))
			tr := t.Net.Transport()
			head, _ := http.NewRequest("HEAD", "http://api.test/", nil)
			t.Start("r1", tr, head)
			t.Get("r2", tr, "http://api.test/")
		},
	},
	{
		"idle connections of HTTP/2 are closed at a limit", "net/http: MaxConnsPerHost optionally limits the total number of connections per host", 50,
		"api.test:80: more connections and dials than the limit, which is 1",
		func(t *harness.T) {
			tr := unencryptedHTTP2(t)
			tr.MaxConnsPerHost = 1
			t.MayCloseIdle(tr)
			t.Get("r1", tr, "http://api.test/")
			t.Post("r2", tr, "http://api.test/echo", "hello")
		},
	},
	{
		"IdleConnTimeout of HTTP/2 at a limit", "net/http: MaxConnsPerHost optionally limits the total number of connections per host", 50,
		"api.test:80: more connections and dials than the limit, which is 1",
		func(t *harness.T) {
			tr := unencryptedHTTP2(t)
			tr.MaxConnsPerHost = 1
			tr.IdleConnTimeout = 90e9
			t.Get("r1", tr, "http://api.test/")
			t.Post("r2", tr, "http://api.test/echo", "hello")
		},
	},
	{
		"a server of HTTP/2 says goodbye", "golang/go#39752", 50,
		"c1 to api.test:80: still open after the idle connections were closed",
		func(t *harness.T) {
			tr := unencryptedHTTP2(t)
			t.Get("r1", tr, "http://api.test/close")
			t.Post("r2", tr, "http://api.test/echo", "hello")
		},
	},
	{
		"requests in line for a stream", "golang/go#70809", 50,
		"stuck: nothing moved for 24h0m0s of virtual time, and the body did not return",
		func(t *harness.T) {
			s := t.NewUnstartedServer(http.HandlerFunc(harness.Pages))
			s.Config.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: 1}
			s.Config.Protocols = new(http.Protocols)
			s.Config.Protocols.SetUnencryptedHTTP2(true)
			s.Start()
			tr := unencryptedHTTP2(t)
			tr.HTTP2 = &http.HTTP2Config{StrictMaxConcurrentRequests: true}
			t.Get("r0", tr, s.URL+"/").Await()
			t.Get("r1", tr, s.URL+"/")
			t.Post("r2", tr, s.URL+"/echo", "hello")
			t.Get("r3", tr, s.URL+"/")
		},
	},
}

// answersHeadWithBody does what RFC 9110 section 9.3.2 forbids.
func answersHeadWithBody(w http.ResponseWriter, r *http.Request) {
	if r.Method != "HEAD" {
		io.WriteString(w, "ok")
		return
	}
	c, _, _ := w.(http.Hijacker).Hijack()
	io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\nHTTP/1.1 200 OK\r\n"+
		harness.RequestHeader+": stray\r\nContent-Length: 0\r\n\r\n")
	io.Copy(io.Discard, c)
	c.Close()
}

// unencryptedHTTP2 returns a transport of HTTP/2 without TLS, and serves its host.
func unencryptedHTTP2(t *harness.T) *http.Transport {
	t.Serve("api.test:80", nil)
	tr := t.Net.Transport()
	tr.Protocols = new(http.Protocols)
	tr.Protocols.SetUnencryptedHTTP2(true)
	return tr
}

// uncontrolled reports whether a finding says only that a schedule came out otherwise when it
// was run again.
func uncontrolled(f *harness.Finding) bool {
	return f.Report.Failures[0].Kind == harness.KindUncontrolled
}

// A default exploration finds what net/http of this release does wrong in a GET and a POST
// of a service, each in at most so many schedules.
func TestLiveBugs(t *testing.T) {
	log.SetOutput(io.Discard) // net/http logs bytes that belong to no response
	defer log.SetOutput(os.Stderr)
	var table strings.Builder
	for _, bug := range liveBugs {
		x, err := harness.ExploreReport(bug.name, harness.Bounds{}, nil, bug.body)
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(x.Findings, uncontrolled) {
			// Chance inside a step, of HTTP/2, must not hide what is looked for.
			if x, err = harness.ExploreReport(bug.name, harness.Bounds{KeepGoing: true}, nil, bug.body); err != nil {
				t.Fatal(err)
			}
			x.Findings = slices.DeleteFunc(x.Findings, uncontrolled)
		}
		if len(x.Findings) == 0 {
			t.Errorf("%s: got no finding in %d schedules", bug.name, x.Schedules)
			continue
		}
		f := x.Findings[0]
		if got := f.Report.Failures[0].Text; !strings.HasPrefix(got, bug.want) || f.Found > bug.within {
			t.Errorf("%s: got %q in schedule %d, want %q within %d\n%s", bug.name, got, f.Found, bug.want, bug.within, f.Report)
		}
		fmt.Fprintf(&table, "%-50s %4d  %s\n", bug.name, f.Found, bug.breaks)
	}
	t.Logf("\n%s", table.String())
}
