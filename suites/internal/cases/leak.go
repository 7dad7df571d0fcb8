package cases

import (
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/halfopen/halfopen/harness"
)

var leakCases = []Case{
	{
		Name:    "leak-dial-fails",
		Claim:   "A dial that fails, in whatever way, fails its request, leaves nothing, and does not keep the next one from dialing.",
		Verdict: leftBehind + "; " + noneStuck,
		Issues:  []string{"golang/go#10886"},
		Source:  "net/http: RoundTripper",
		Bounds: harness.Bounds{Delays: 1, Schedules: 200, Effects: []string{"refuse", "no-host", "timeout", "unreachable",
			"no-descriptor", "close-at-once", "reset-at-once"}},
		Body: func(e *Env) {
			e.Serve(nil)
			e.Get("r1", "/").MayCancel().Await()
			r2 := e.Get("r2", "/")
			r2.Await()
			e.wantFailedAtMost(1, r2, e.Get("r3", "/"))
		},
	},
	{
		Name:    "leak-dial-after-cancel",
		Claim:   "The dial of a request that gave up ends with it, or is kept for the next one: no goroutine and no connection is lost.",
		Verdict: leftBehind,
		Issues:  []string{"golang/go#59017", "golang/go#33850"},
		Source:  "net/http: Transport (connections are reused as needed)",
		Bounds:  harness.Bounds{Schedules: 200},
		Body: func(e *Env) {
			e.Serve(nil)
			e.Get("r1", "/").MayCancel()
			e.Get("r2", "/").MayCancel()
		},
	},
	{
		Name:    "leak-late-dial",
		Claim:   "A connection from a dialer that does not heed its context comes after its request is gone, and is pooled or closed.",
		Verdict: leftBehind,
		Issues:  []string{"golang/go#8483", "golang/go#66442"},
		Source:  "net/http: Transport.DialContext",
		Bounds:  harness.Bounds{Schedules: 200, Effects: []string{"deaf:10s"}},
		Body: func(e *Env) {
			e.Serve(nil)
			e.MayCloseIdle()
			e.Get("r1", "/").MayCancel().Await()
			e.WantAnswered(e.Get("r2", "/"))
		},
	},
	{
		Name:    "leak-unread",
		Claim:   "A body that is closed unread leaves nothing, and the next request is answered.",
		Verdict: leftBehind,
		Source:  "net/http: Response.Body",
		Bounds:  harness.Bounds{Delays: 1, Faults: harness.None, Schedules: 60},
		Body: func(e *Env) {
			e.Serve(nil)
			client := e.Client(e.Transport)
			for _, path := range []string{"/bytes/100000", "/bytes/10"} {
				resp, err := client.Get(e.URL(path))
				if err != nil {
					e.Fatal(err)
				}
				resp.Body.Close()
				resp.Body.Close() // twice is no harm
			}
			e.WantAnswered(e.Get("r1", "/"))
		},
	},
	{
		Name:    "leak-half-read",
		Claim:   "A body of which a part was read and that is then closed leaves nothing, and reading it gives an error from then on.",
		Verdict: leftBehind,
		Source:  "net/http: Response.Body",
		Bounds:  harness.Bounds{Delays: 1, Faults: harness.None, Schedules: 60},
		Body: func(e *Env) {
			e.Serve(nil)
			resp, err := e.Client(e.Transport).Get(e.URL("/bytes/100000"))
			if err != nil {
				e.Fatal(err)
			}
			buf := make([]byte, 10)
			if _, err := io.ReadFull(resp.Body, buf); err != nil {
				e.Fatal(err)
			}
			resp.Body.Close()
			if n, err := resp.Body.Read(buf); n > 0 || err == nil || errors.Is(err, io.EOF) {
				e.Errorf("got %d bytes, %v from a closed body, want an error", n, err)
			}
			e.WantAnswered(e.Get("r1", "/"))
		},
	},
	{
		Name:     "leak-waiter-timeout",
		Claim:    "Requests that time out in line leave nothing, and the connection that they waited for serves the next one.",
		Verdict:  leftBehind + "; " + noneStuck,
		Issues:   []string{"golang/go#33849", "golang/go#33850"},
		Source:   maxConnsPerHost,
		Settings: oneConnPerHost,
		Body: func(e *Env) {
			e.Serve(slowAnswers(time.Minute))
			r1 := e.Get("r1", "/")
			client := e.Client(e.Transport)
			client.Timeout = 5 * time.Second
			results := make(chan error)
			for range 5 {
				go func() {
					_, err := client.Get(e.URL("/"))
					results <- err
				}()
			}
			for range 5 {
				if err := <-results; e.Protocol == HTTP1 && err == nil {
					e.Error("got an answer at a limit of 1 while the connection was in use")
				}
			}
			e.Advance(2 * time.Minute)
			r1.WantBody("begin end")
			r2 := e.Get("r2", "/")
			e.Advance(2 * time.Minute)
			r2.WantBody("begin end")
			e.WantOpened(1, "there was no need for another one")
		},
	},
	{
		Name:    "leak-timed-out",
		Claim:   "A request that times out, wherever it is, returns at once and leaves nothing.",
		Verdict: leftBehind + "; prompt cancellation",
		Issues:  []string{"golang/go#16049"},
		Source:  "net/http: Client.Timeout",
		Bounds:  harness.Bounds{Delays: 2, Faults: harness.None, Schedules: 150},
		Body: func(e *Env) {
			e.Serve(nil)
			e.MayPass(5 * time.Second)
			client := e.Client(e.Transport)
			client.Timeout = 5 * time.Second
			done := make(chan struct{})
			go func() {
				defer close(done)
				resp, err := client.Get(e.URL("/hang"))
				if err == nil {
					resp.Body.Close()
					e.Error("got an answer from a server that gives none")
				}
			}()
			r1 := e.Get("r1", "/bytes/9000")
			<-done
			e.Settle()
			e.WantAnswered(r1)
		},
	},
	{
		Name:      "leak-silent-server",
		Protocols: OverTCP,
		Claim:     "A connection whose server never says anything is closed by CloseIdleConnections at the latest, once no request is on it.",
		Verdict:   leftBehind,
		Issues:    []string{"golang/go#13397"},
		Source:    closeIdle,
		Body: func(e *Env) {
			e.Serve(nil)
			e.Net.Hold("dial")
			r1, r2 := e.Get("r1", "/"), e.Get("r2", "/")
			d1, d2 := e.Net.WantDial(), e.Net.WantDial()
			e.Net.Hold("c1 server->client data")
			release := e.Net.Raw().Hold("c2 server->client data") // if the transport keeps c2 at all
			d1.Open()
			d2.Open()
			e.Net.Release("c1 server->client data")
			for _, r := range []*harness.Request{r1, r2} {
				if r.Response() == nil {
					r.Cancel()
				} else {
					r.Finish()
				}
			}
			e.CloseIdle()
			e.WantConns(0, "no request is on any")
			release()
			e.Net.Release("dial")
		},
	},
	{
		Name:      "leak-close-after-answer",
		Claim:     "A server that promises to keep a connection and closes it behind the answer leaves neither a goroutine nor a connection.",
		Verdict:   leftBehind + "; one outcome per request",
		Issues:    []string{"golang/go#10457"},
		Source:    "RFC 9112 section 9.5",
		Protocols: HTTP1,
		Bounds:    noFaults,
		Body: func(e *Env) {
			e.Serve(nil)
			r1 := e.Get("r1", "/answer/keep-alive-closed")
			r1.Await()
			e.WantAnswered(r1, e.Get("r2", "/answer/keep-alive-closed"), e.Get("r3", "/"))
		},
	},
	{
		Name:    "leak-many-hosts",
		Claim:   "A host that gets no more requests costs its idle connection, and nothing else.",
		Verdict: leftBehind,
		Source:  closeIdle,
		Body: func(e *Env) {
			for i := range 20 {
				host := string(rune('a'+i)) + ".test"
				e.ServeHost(host, http.NotFoundHandler())
				r := e.T.Get("r"+string(rune('a'+i)), e.Transport, e.URLOf(host, "/"))
				r.WantStatus(http.StatusNotFound)
				r.Finish()
			}
			e.WantConns(20, "each is idle")
			e.CloseIdle()
			e.WantConns(0, "all were idle")
		},
	},
}
