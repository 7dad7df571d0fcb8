package cases

import (
	"fmt"
	"net/http"
	"time"

	"github.com/halfopen/halfopen/harness"
)

const (
	idleConnTimeout = "net/http: Transport.IdleConnTimeout"
	maxIdleConns    = "net/http: Transport.MaxIdleConns"
)

var idleCases = []Case{
	{
		Name:      "idle-server-close-seen",
		Protocols: OverTCP,
		Claim:     "An idle connection that its server closes is closed by the client too, before any request has to find out.",
		Verdict:   "nothing stays open that the other end has closed",
		Issues:    []string{"golang/go#15461"},
		Source:    "RFC 9112 section 9.5",
		Body: func(e *Env) {
			e.Serve(nil)
			r1 := e.Get("r1", "/")
			r1.Finish()
			e.WantConns(1)
			e.Net.Kill(e.Addr("api.test"))
			e.WantConns(0, "the server is gone")
		},
	},
	{
		Name:      "idle-server-close-before-post",
		Claim:     "A request that may not be sent twice does not suffer from an idle connection that its server has closed before.",
		Verdict:   "a broken connection is not handed out",
		Issues:    []string{"golang/go#15461", "golang/go#22158"},
		Source:    "RFC 9112 section 9.5",
		Protocols: HTTP1,
		Body: func(e *Env) {
			e.Serve(nil)
			e.Net.KeepAlive(e.Addr("api.test"), 5*time.Second)
			for _, name := range []string{"r1", "r2"} {
				e.wantPostedOnce(name, name)
				e.Advance(time.Minute)
			}
			e.WantOpened(2, "the first was closed by its server")
		},
	},
	{
		Name:      "idle-server-close-in-flight",
		Claim:     "A request that may be sent again is answered although the server closes its idle connection at that moment.",
		Verdict:   "one outcome per request",
		Issues:    []string{"golang/go#4677", "golang/go#15461"},
		Source:    "RFC 9112 section 9.3.1",
		Protocols: HTTP1,
		Bounds:    noFaults,
		Body: func(e *Env) {
			e.serverClosesIdleAfter(5 * time.Second)
		},
	},
	{
		Name:      "idle-server-shutdown",
		Protocols: OverTCP,
		Claim:     "An idle connection whose server shuts down and says so is closed by CloseIdleConnections at the latest.",
		Verdict:   "nothing stays open",
		Issues:    []string{"golang/go#39752", "golang/go#15461"},
		Source:    closeIdle,
		Body: func(e *Env) {
			e.shutDownWhileIdle()
			e.CloseIdle()
			e.WantConns(0, "no request is on it, and none may come")
		},
	},
	{
		Name:      "idle-after-server-shutdown",
		Protocols: OverTCP,
		Claim:     "An idle connection whose server has shut down and said so is given to no request.",
		Verdict:   "a broken connection is not handed out",
		Issues:    []string{"golang/go#18083", "golang/go#15461"},
		Source:    "RFC 9113 section 6.8, RFC 9112 section 9.5",
		Body: func(e *Env) {
			e.shutDownWhileIdle()
			e.Serve(nil) // the next program on that address
			e.wantPostedOnce("r2", "new")
			e.Advance(time.Minute)
			e.WantMostOpen(1, "the first server is gone")
		},
	},
	{
		Name:      "idle-restart",
		Protocols: OverTCP,
		Claim:     "When a server's program ends and is started again, the next request goes to the new one.",
		Verdict:   "a broken connection is not handed out",
		Issues:    []string{"golang/go#15461"},
		Source:    "RFC 9112 section 9.5",
		Body: func(e *Env) {
			e.Serve(nil)
			r1, r2 := e.Get("r1", "/"), e.Get("r2", "/")
			r1.Finish()
			r2.Finish()
			e.Net.Kill(e.Addr("api.test"))
			e.Net.Restart("api.test")
			e.WantConns(0, "the server is gone")
			e.wantPostedOnce("r3", "new")
		},
	},
	{
		Name:     "idle-timeout-closes",
		Claim:    "A connection that was idle for IdleConnTimeout is closed, though there is no request to look at it.",
		Verdict:  "nothing stays open beyond its time",
		Source:   idleConnTimeout,
		Settings: harness.Settings{IdleConnTimeout: 90 * time.Second},
		Body: func(e *Env) {
			e.Serve(nil)
			r1 := e.Get("r1", "/")
			r1.Finish()
			e.Advance(90*time.Second - 1)
			e.WantConns(1, "its time is not over")
			e.Advance(1)
			e.WantConns(0, "its time is over")
		},
	},
	{
		Name:     "idle-timeout-restarts",
		Claim:    "IdleConnTimeout is counted from the end of the last request, not from the first.",
		Verdict:  "nothing is closed before its time",
		Source:   idleConnTimeout,
		Settings: harness.Settings{IdleConnTimeout: 90 * time.Second},
		Body: func(e *Env) {
			e.Serve(nil)
			for _, name := range []string{"r1", "r2", "r3", "r4"} {
				r := e.Get(name, "/")
				r.Finish()
				e.Advance(time.Minute)
			}
			e.WantOpened(1, "it was never idle for 90 seconds")
			e.WantConns(1)
			e.Advance(30 * time.Second)
			e.WantConns(0, "its time is over")
		},
	},
	{
		Name:     "idle-timeout-tie",
		Claim:    "A request that comes as its connection's idle time ends is answered, and nothing is lost on either side of the tie.",
		Verdict:  "one outcome per request; nothing left behind",
		Issues:   []string{"golang/go#25621"},
		Source:   idleConnTimeout,
		Settings: harness.Settings{IdleConnTimeout: 90 * time.Second},
		Bounds:   noFaults,
		Body: func(e *Env) {
			e.Serve(nil)
			e.MayPass(90 * time.Second)
			r1 := e.Post("r1", "/echo", "one")
			r1.Await()
			r2 := e.Post("r2", "/echo", "two")
			r2.Await()
			e.WantAnswered(r1, r2, e.Post("r3", "/echo", "three"))
		},
	},
	{
		Name:      "idle-timeout-both-sides",
		Claim:     "When client and server give up an idle connection at one time, a request that comes then is answered on another.",
		Verdict:   "one outcome per request; nothing left behind",
		Issues:    []string{"golang/go#25621", "golang/go#4677"},
		Source:    idleConnTimeout,
		Protocols: HTTP1,
		Settings:  harness.Settings{IdleConnTimeout: 90 * time.Second},
		Bounds:    noFaults,
		Body: func(e *Env) {
			e.serverClosesIdleAfter(90 * time.Second)
		},
	},
	{
		Name:     "idle-timeout-not-in-use",
		Claim:    "IdleConnTimeout does not end a connection that is in use, however long a response takes.",
		Verdict:  "nothing is closed before its time",
		Issues:   []string{"golang/go#25621"},
		Source:   idleConnTimeout,
		Settings: harness.Settings{IdleConnTimeout: 10 * time.Second},
		Body: func(e *Env) {
			e.Serve(slowAnswers(time.Minute))
			r1 := e.Get("r1", "/")
			e.Advance(2 * time.Minute)
			r1.WantBody("begin end")
			e.Advance(5 * time.Second)
			r2 := e.Get("r2", "/")
			e.Advance(2 * time.Minute)
			r2.WantBody("begin end", "it was in use all the time")
			e.WantOpened(1, "it was idle for 5 seconds only")
		},
	},
	{
		Name:     "idle-after-header-timeout",
		Claim:    "ResponseHeaderTimeout ends with the header: it touches neither a body that takes longer nor an idle connection.",
		Verdict:  "no timer stays armed",
		Issues:   []string{"golang/go#9104"},
		Source:   "net/http: Transport.ResponseHeaderTimeout",
		Settings: harness.Settings{ResponseHeaderTimeout: 10 * time.Second},
		Body: func(e *Env) {
			e.Serve(slowAnswers(9 * time.Second))
			for _, name := range []string{"r1", "r2"} {
				r := e.Get(name, "/")
				e.Advance(9 * time.Second)
				r.WantStatus(http.StatusOK, "the header took 9 seconds")
				e.Advance(9 * time.Second)
				r.WantBody("begin end", "the body may take its time")
				e.Advance(time.Minute)
			}
			e.WantOpened(1, "an idle connection waits for no header")
		},
	},
	{
		Name:     "idle-least-recent-evicted",
		Claim:    "When there are more idle connections than MaxIdleConns, the one that was used least recently is closed.",
		Verdict:  "which connections stay",
		Source:   maxIdleConns,
		Settings: harness.Settings{MaxIdleConns: 2},
		Body: func(e *Env) {
			for _, host := range []string{"a.test", "b.test", "c.test"} {
				e.ServeHost(host, nil)
			}
			get := func(name, host string) {
				r := e.T.Get(name, e.Transport, e.URLOf(host, "/"))
				r.Finish()
			}
			get("r1", "a.test")
			get("r2", "b.test")
			get("r3", "a.test")
			get("r4", "c.test")
			e.WantConns(2, "MaxIdleConns is 2")
			get("r5", "a.test")
			e.WantOpened(3, "the connection to b.test was used least recently")
			get("r6", "b.test")
			e.WantOpened(4, "it is not there any more")
		},
	},
	{
		Name:     "idle-evicted-or-used",
		Claim:    "An idle connection that has to make room is either used or closed, never both.",
		Verdict:  "a broken connection is not handed out",
		Source:   maxIdleConns,
		Settings: harness.Settings{MaxIdleConns: 1},
		Bounds:   harness.Bounds{Faults: harness.None, Schedules: 150},
		Body: func(e *Env) {
			e.ServeHost("api.test", nil)
			e.ServeHost("other.test", nil)
			r1 := e.Post("r1", "/echo", "one")
			r1.Await()
			r2 := e.T.Post("r2", e.Transport, e.URLOf("other.test", "/echo"), "two")
			r3 := e.Post("r3", "/echo", "three")
			r4 := e.T.Post("r4", e.Transport, e.URLOf("other.test", "/echo"), "four")
			e.WantAnswered(r1, r2, r3, r4)
			e.WantMostOpen(1, "MaxIdleConns is 1")
		},
	},
	{
		Name:      "idle-room-again",
		Claim:     "An idle connection that ends makes room for another one, of its host and of all, whether it was the oldest or not: none that is open goes in its stead.",
		Verdict:   "which connections stay",
		Source:    "net/http: Transport.MaxIdleConnsPerHost; Transport.MaxIdleConns",
		Protocols: HTTP1,
		Settings:  harness.Settings{MaxIdleConnsPerHost: 3, MaxIdleConns: 3},
		Body: func(e *Env) {
			e.Serve(nil)
			for i, end := range []func(*harness.Conn){(*harness.Conn).Fin, (*harness.Conn).Reset} {
				for ended := range 3 {
					var requests []*harness.Request
					for j := range 4 {
						requests = append(requests, e.Get(fmt.Sprintf("r%d.%d.%d", i+1, ended+1, j+1), "/"))
					}
					for _, r := range requests[:3] {
						r.Finish()
					}
					e.WantConns(4, "three are idle, and one is in use")
					end(requests[ended].Conn())
					requests[3].Finish()
					e.WantConns(3, "there is room for the fourth since one has ended")
					e.CloseIdle()
				}
				for ended := range 3 {
					var conns []*harness.Conn
					for j := range 4 {
						if j == 3 {
							end(conns[ended])
						}
						host := fmt.Sprintf("h%d.%d.%d.test", i+1, ended+1, j+1)
						e.ServeHost(host, nil)
						r := e.T.Get(host, e.Transport, e.URLOf(host, "/"))
						conns = append(conns, r.Conn())
						r.Finish()
					}
					e.WantConns(3, "there is room for the fourth since one has ended")
					e.CloseIdle()
				}
			}
		},
	},
}

// shutDownWhileIdle runs a server, and shuts it down while a connection to it is idle.
func (e *Env) shutDownWhileIdle() {
	s := e.serveAPI(nil)
	r1 := e.Get("r1", "/")
	r1.Finish()
	go s.Shutdown(e.Context())
	e.Settle()
}

// serverClosesIdleAfter has time pass while requests start, so that the server closes their
// idle connection at any point, and expects that each is answered.
func (e *Env) serverClosesIdleAfter(d time.Duration) {
	e.Serve(nil)
	e.Settle()
	e.Net.KeepAlive(e.Addr("api.test"), d)
	e.MayPass(d)
	r1 := e.Get("r1", "/")
	r1.Await()
	e.WantAnswered(r1, e.Get("r2", "/"), e.Get("r3", "/"))
}

// wantPostedOnce posts a page, and expects it back, from a server that got it once.
func (e *Env) wantPostedOnce(name, page string) {
	r := e.Post(name, "/echo", page)
	r.WantStatus(http.StatusOK)
	r.WantBody(page)
	r.WantSent(1)
}
