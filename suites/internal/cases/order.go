package cases

import (
	"io"
	"net/http"
	"slices"

	"github.com/halfopen/halfopen/harness"
)

var orderCases = []Case{
	{
		Name:      "order-first-come",
		Claim:     "A connection that comes free goes to the request that has waited longest for it.",
		Verdict:   firstCome,
		Source:    maxConnsPerHost,
		Protocols: HTTP1,
		Settings:  oneConnPerHost,
		Bounds:    harness.Bounds{Delays: 3, Faults: harness.None, Schedules: 150, Gates: []string{"GotConn", "PutIdleConn"}}, // one held at GetConn does not wait yet
		Body: func(e *Env) {
			var came []string
			e.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				came = append(came, r.Header.Get(harness.RequestHeader))
				io.WriteString(w, "ok")
			}))
			noted := &noted{RoundTripper: e.Transport}
			e.Transport = noted
			e.WantAnswered(e.Get("r1", "/"), e.Get("r2", "/"), e.Get("r3", "/"), e.Get("r4", "/"))
			if !slices.Equal(came, noted.began) {
				e.Errorf("got the requests served in the order %v, want the order in which they began, %v", came, noted.began)
			}
		},
	},
	{
		Name:      "order-first-to-dial",
		Claim:     "A place at the limit that comes free goes to the request that has waited longest for it.",
		Verdict:   firstCome,
		Issues:    []string{"golang/go#29889"},
		Source:    maxConnsPerHost,
		Protocols: HTTP1,
		Settings:  oneConnPerHost,
		Body: func(e *Env) {
			e.Peer("api.test:80")
			r1, r2, r3 := e.Get("r1", "/1"), e.Get("r2", "/2"), e.Get("r3", "/3")
			for i, r := range []*harness.Request{r1, r2, r3} {
				c := e.Conn([]string{"c1", "c2", "c3"}[i])
				c.WantRequest("GET /"+r.Name()[1:]+" ", "it has waited longest")
				c.Send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
				r.WantDone(c)
				r.Finish()
				c.WantClosed("the server said that this is its last response")
			}
		},
	},
	{
		Name:     "order-skips-cancelled",
		Claim:    "A request that gave up in line is passed over, and those behind it are served.",
		Verdict:  noneStuck + "; " + firstCome,
		Issues:   []string{"golang/go#33849"},
		Source:   maxConnsPerHost,
		Settings: oneConnPerHost,
		Bounds:   harness.Bounds{Delays: 3, Faults: harness.None, Schedules: 150},
		Body: func(e *Env) {
			e.Serve(nil)
			r1 := e.Get("r1", "/")
			e.Get("r2", "/").MayCancel()
			e.Get("r3", "/").MayCancel()
			e.WantAnswered(r1, e.Get("r4", "/"))
		},
	},
	{
		Name:      "order-idle-before-dial",
		Claim:     "A connection that comes free serves the request whose dial has been under way longest, and that dial's connection the next.",
		Verdict:   firstCome + "; no waiter while a usable idle connection exists",
		Source:    "net/http: Transport (connections are reused as needed)",
		Protocols: HTTP1,
		Body: func(e *Env) {
			e.Serve(nil)
			e.Net.Hold("dial")
			r1 := e.Get("r1", "/")
			c1 := e.Net.WantDial().Open()
			r2 := e.Get("r2", "/")
			d2 := e.Net.WantDial()
			r3 := e.Get("r3", "/")
			d3 := e.Net.WantDial()
			r1.Finish()
			r2.WantDone(c1, "it has waited longest")
			r3.WantPending("c1 is in use")
			c2 := d2.Open()
			r3.WantDone(c2, "r2 needs it no more")
			d3.Open()
			r4 := e.Get("r4", "/")
			e.Net.WantNoDial("the connection of the last dial is idle")
			r2.Finish()
			r3.Finish()
			r4.Finish()
		},
	},
	{
		Name:    "order-dials-race",
		Claim:   "Whichever of a dial and a connection that comes free is first serves a request, and nothing is lost of the other.",
		Verdict: firstCome + "; no waiter while a usable idle connection exists",
		Issues:  []string{"golang/go#59017", "golang/go#66442"},
		Source:  "net/http: Transport (connections are reused as needed)",
		Bounds:  harness.Bounds{Faults: harness.None, Schedules: 150},
		Body: func(e *Env) {
			e.Serve(nil)
			e.Get("r1", "/").MayCancel()
			e.Get("r2", "/").MayCancel()
			e.WantAnswered(e.Get("r3", "/"), e.Get("r4", "/"))
		},
	},
	{
		Name:      "order-newest-first",
		Claim:     "Of several idle connections the one that was used last is used next: the server is least likely to have given it up.",
		Verdict:   "which connection a request runs on",
		Source:    "net/http: Transport.IdleConnTimeout (the others can reach it)",
		Protocols: HTTP1,
		Body: func(e *Env) {
			e.Serve(nil)
			r1, r2 := e.Get("r1", "/"), e.Get("r2", "/")
			c1, c2 := e.Conn("c1"), e.Conn("c2")
			r2.Finish()
			r1.Finish()
			r3 := e.Get("r3", "/")
			r3.WantDone(c1, "r1 was the last to end")
			r4 := e.Get("r4", "/")
			r4.WantDone(c2)
			r3.Finish()
			r4.Finish()
			r5 := e.Get("r5", "/")
			r5.WantDone(c2, "r4 was the last to end")
			r5.Finish()
		},
	},
	{
		Name:     "order-hosts-apart",
		Claim:    "A connection that comes free is for the requests that wait for its host, and these are served in their order, whatever waits for another host.",
		Verdict:  noneStuck + "; " + firstCome,
		Source:   maxConnsPerHost,
		Settings: oneConnPerHost,
		Bounds:   harness.Bounds{Faults: harness.None, Schedules: 150},
		Body: func(e *Env) {
			e.ServeHost("api.test", answersWith("api"))
			e.ServeHost("other.test", answersWith("other"))
			other := func(name string) *harness.Request { return e.T.Get(name, e.Transport, e.URLOf("other.test", "/")) }
			r1, r2, r3, r4 := e.Get("r1", "/"), other("r2"), e.Get("r3", "/"), other("r4")
			e.WantAnswered(r1, r2, r3, r4)
			r1.WantBody("api")
			r2.WantBody("other")
			r3.WantBody("api")
			r4.WantBody("other")
		},
	},
	{
		Name:      "order-after-failed-dial",
		Claim:     "When the dial of the first in line fails, the others are served in their order.",
		Verdict:   firstCome,
		Issues:    []string{"golang/go#10886"},
		Source:    maxConnsPerHost,
		Protocols: HTTP1,
		Settings:  oneConnPerHost,
		Body: func(e *Env) {
			e.Serve(nil)
			e.Net.Hold("dial")
			r1, r2, r3 := e.Get("r1", "/"), e.Get("r2", "/"), e.Get("r3", "/")
			e.Net.WantDial().Refuse()
			e.wantFailed(r1, "it was cancelled")
			c1 := e.Net.WantDial("the place of the refused dial is free").Open()
			r2.WantDone(c1, "it has waited longest")
			r3.WantPending()
			r2.WantStatus(http.StatusOK)
			r2.Finish()
			r3.WantDone(c1)
			r3.Finish()
		},
	},
}

// noted is a transport that notes the order in which its requests begin.
type noted struct {
	http.RoundTripper
	began []string
}

func (n *noted) RoundTrip(req *http.Request) (*http.Response, error) {
	n.began = append(n.began, req.Header.Get(harness.RequestHeader))
	return n.RoundTripper.RoundTrip(req)
}

// CloseIdleConnections calls that of the transport, if it has one.
func (n *noted) CloseIdleConnections() {
	if c, ok := n.RoundTripper.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}
