package cases

import (
	"io"
	"net/http"
	"time"

	"github.com/halfopen/halfopen/harness"
)

var reuseCases = []Case{
	{
		Name:    "reuse-sequential",
		Claim:   "A request after another one to the same host uses the same connection.",
		Verdict: noDialWhileIdle,
		Source:  "RFC 9112 section 9.3",
		Bounds:  harness.Bounds{Delays: 1, Faults: harness.None, Schedules: 50},
		Body: func(e *Env) {
			e.Serve(nil)
			for _, name := range []string{"r1", "r2", "r3"} {
				e.Get(name, "/").Await()
			}
			e.WantOpened(1, "the requests came one after another")
		},
	},
	{
		Name:    "reuse-no-more-than-concurrent",
		Claim:   "There are no more connections than requests at one time.",
		Verdict: noDialWhileIdle,
		Source:  "RFC 9112 section 9.4",
		Bounds:  harness.Bounds{Delays: harness.None, Faults: harness.None, Schedules: 20},
		Body: func(e *Env) {
			e.Serve(nil)
			r1, r2 := e.Get("r1", "/"), e.Get("r2", "/")
			r1.Await()
			r2.Await()
			r3, r4 := e.Get("r3", "/"), e.Get("r4", "/")
			e.WantAnswered(r1, r2, r3, r4)
			if n := e.Net.Opened(); n > 2 {
				e.Errorf("got %d connections for requests of which two came at once, want 2 at most", n)
			}
		},
	},
	{
		Name:    "reuse-after-no-body",
		Claim:   "A response that has no body leaves its connection to the next request, whatever the reason that it has none.",
		Verdict: noDialWhileIdle,
		Source:  "RFC 9112 section 6.3",
		Bounds:  fewOrders,
		Body: func(e *Env) {
			e.Serve(nil)
			e.Do("r1", "HEAD", "/bytes/10", "").Await()
			e.Do("r2", "GET", "/status/204", "").Await()
			e.Do("r3", "GET", "/status/304", "").Await()
			e.Do("r4", "GET", "/bytes/0", "").Await()
			e.WantAnswered(e.Get("r5", "/"))
			e.WantOpened(1, "no response had a body to wait for")
		},
	},
	{
		Name:    "reuse-after-error-status",
		Claim:   "A status that means an error is no error of the connection: the connection is used again.",
		Verdict: noDialWhileIdle,
		Source:  "RFC 9112 section 9.3",
		Bounds:  fewOrders,
		Body: func(e *Env) {
			codes := []int{http.StatusBadRequest, http.StatusNotFound, http.StatusTooManyRequests,
				http.StatusInternalServerError, http.StatusServiceUnavailable}
			n := 0
			e.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				http.Error(w, "no", codes[n%len(codes)])
				n++
			}))
			for _, name := range []string{"r1", "r2", "r3", "r4", "r5"} {
				e.Get(name, "/").Await()
			}
			e.WantOpened(1, "the connection was not what failed")
		},
	},
	{
		Name:    "reuse-after-unknown-length",
		Claim:   "A body whose length is not known before its end is read to that end, with its trailer, and the connection is used again.",
		Verdict: noDialWhileIdle,
		Source:  "RFC 9112 section 7.1",
		Bounds:  fewOrders,
		Body: func(e *Env) {
			e.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Trailer", "Sum")
				io.WriteString(w, "one")
				w.(http.Flusher).Flush()
				io.WriteString(w, "two")
				w.Header().Set("Sum", "6")
			}))
			for _, name := range []string{"r1", "r2"} {
				r := e.Get(name, "/")
				r.Await()
				r.WantBody("onetwo")
			}
			e.WantOpened(1, "the last chunk was read")
		},
	},
	{
		Name:    "reuse-after-large-body",
		Claim:   "A body of any size gives its connection back when it is read to its end.",
		Verdict: noDialWhileIdle,
		Source:  "net/http: Response.Body",
		Bounds:  harness.Bounds{Delays: harness.None, Faults: harness.None, Schedules: 5},
		Body: func(e *Env) {
			e.Serve(nil)
			for _, name := range []string{"r1", "r2", "r3"} {
				e.Get(name, "/bytes/200000").Await()
			}
			e.WantOpened(1, "all of it was read")
		},
	},
	{
		Name:    "reuse-read-and-not-closed",
		Claim:   "A body that is read to its end gives its connection back, closed or not.",
		Verdict: noDialWhileIdle,
		Source:  "RFC 9112 section 9.3",
		Bounds:  fewOrders,
		Body: func(e *Env) {
			e.Serve(nil)
			client := e.Client(e.Transport)
			for range 3 {
				resp, err := client.Get(e.URL("/bytes/10"))
				if err != nil {
					e.Fatal(err)
				}
				if b, err := io.ReadAll(resp.Body); len(b) != 10 || err != nil {
					e.Fatalf("got %d bytes, %v, want 10", len(b), err)
				}
			}
			e.WantOpened(1, "nothing was left to read")
		},
	},
	{
		Name:    "reuse-after-post",
		Claim:   "A request with a body leaves its connection to the next one, of whatever method.",
		Verdict: noDialWhileIdle,
		Source:  "RFC 9112 section 9.3",
		Bounds:  fewOrders,
		Body: func(e *Env) {
			e.Serve(nil)
			for _, name := range []string{"r1", "r2"} {
				r := e.Post(name, "/echo", "of "+name)
				r.Await()
				r.WantBody("of " + name)
			}
			e.Get("r3", "/").Await()
			e.WantOpened(1, "both bodies were sent and answered")
		},
	},
	{
		Name:    "reuse-after-hints",
		Claim:   "Informational responses are not the answer: that is delivered, and the connection is used again.",
		Verdict: "answer belongs to the request; " + noDialWhileIdle,
		Issues:  []string{"golang/go#26161"},
		Source:  "RFC 9110 section 15.2",
		Bounds:  fewOrders,
		Body: func(e *Env) {
			e.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				for range 3 {
					w.Header().Set("Link", "</a>")
					w.WriteHeader(http.StatusEarlyHints)
				}
				w.WriteHeader(http.StatusAccepted)
				io.WriteString(w, "done")
			}))
			for _, name := range []string{"r1", "r2"} {
				r := e.Get(name, "/")
				r.Await()
				r.WantStatus(http.StatusAccepted)
				r.WantBody("done")
			}
			e.WantOpened(1, "the final response ends the exchange")
		},
	},
	{
		Name:      "reuse-after-pause",
		Protocols: OverTCP,
		Claim:     "Without IdleConnTimeout an idle connection is used again however long it was idle, as long as the server keeps it.",
		Verdict:   noDialWhileIdle,
		Source:    "net/http: Transport.IdleConnTimeout",
		Body: func(e *Env) {
			e.Serve(nil)
			r1 := e.Get("r1", "/")
			r1.Finish()
			e.Advance(6 * time.Hour)
			r2 := e.Get("r2", "/")
			r2.Finish()
			e.WantOpened(1, "neither side said that it is to be closed")
		},
	},
	{
		Name:    "reuse-hosts-apart",
		Claim:   "A connection serves the host that it was opened for and no other.",
		Verdict: "answer belongs to the request; " + noDialWhileIdle,
		Source:  "RFC 9110 section 7.3.3",
		Bounds:  harness.Bounds{Faults: harness.None, Schedules: 150},
		Body: func(e *Env) {
			e.ServeHost("api.test", answersWith("api"))
			e.ServeHost("other.test", answersWith("other"))
			other := func(name string) *harness.Request { return e.T.Get(name, e.Transport, e.URLOf("other.test", "/")) }
			r1, r2 := e.Get("r1", "/"), other("r2")
			r1.Await()
			r2.Await()
			r3, r4 := e.Get("r3", "/"), other("r4")
			e.WantAnswered(r1, r2, r3, r4)
			r1.WantBody("api")
			r2.WantBody("other")
			r3.WantBody("api")
			r4.WantBody("other")
			e.WantOpened(2, "one for each host")
		},
	},
	{
		Name:      "reuse-ports-apart",
		Claim:     "Two ports of a host are two servers: neither is sent what is for the other.",
		Verdict:   "answer belongs to the request",
		Source:    "RFC 9110 section 4.3.1",
		Protocols: HTTP1 | H2C,
		Bounds:    fewOrders,
		Body: func(e *Env) {
			e.T.Serve("api.test:80", answersWith("80"))
			e.T.Serve("api.test:8080", answersWith("8080"))
			r1 := e.Get("r1", "/")
			r1.Await()
			r2 := e.T.Get("r2", e.Transport, "http://api.test:8080/")
			r2.Await()
			r3 := e.Get("r3", "/")
			e.WantAnswered(r1, r2, r3)
			r1.WantBody("80")
			r2.WantBody("8080")
			r3.WantBody("80")
			e.WantOpened(2, "one for each port")
		},
	},
	{
		Name:      "reuse-not-http10",
		Claim:     "A response of HTTP/1.0 without keep-alive is the last on its connection, which is closed.",
		Verdict:   "the next request dials",
		Source:    "RFC 9112 section 9.3",
		Protocols: HTTP1,
		Body: func(e *Env) {
			e.Peer("api.test:80")
			r1 := e.Get("r1", "/")
			c1 := e.Conn("c1")
			c1.Send("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")
			r1.Finish()
			c1.WantClosed("HTTP/1.0 keeps no connection unless it says so")
			r2 := e.Get("r2", "/")
			c2 := e.Conn("c2")
			c2.Respond(http.StatusOK, "again")
			r2.WantDone(c2)
			r2.Finish()
		},
	},
}
