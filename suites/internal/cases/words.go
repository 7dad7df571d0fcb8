package cases

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/halfopen/halfopen/harness"
)

func init() { harness.HelperFile() }

// The bounds that several groups have.
var (
	// noFaults has orders and cancellations differ, and nothing fails.
	noFaults = harness.Bounds{Faults: harness.None, Schedules: 150}
	// fewOrders has nothing fail, and little differ.
	fewOrders = harness.Bounds{Delays: 1, Faults: harness.None, Schedules: 40}
)

// oneConnPerHost is the settings of a transport that may have one connection of a host.
var oneConnPerHost = harness.Settings{MaxConnsPerHost: 1}

// drainTime bounds how long a transport may read from a connection whose body was
// closed. No document has a number: net/http takes 50 ms, and this is a hundred times
// as long.
const drainTime = 5 * time.Second

// What several groups are caught by, and where it is said.
const (
	noneStuck       = "no request without an end"
	leftBehind      = "nothing left behind"
	firstCome       = "first come, first served"
	noDialWhileIdle = "no dial while a usable connection is idle"

	maxConnsPerHost = "net/http: Transport.MaxConnsPerHost"
	closeIdle       = "net/http: Transport.CloseIdleConnections"
)

// wantOK gets a page and expects that it comes, in a case with an order of its
// own.
func (e *Env) wantOK(name string) *harness.Request {
	r := e.Get(name, "/")
	r.WantStatus(http.StatusOK)
	r.WantBody("ok")
	return r
}

// wantErrIn expects that the request has not failed, or with one of those
// errors.
func (e *Env) wantErrIn(r *harness.Request, errs ...error) {
	err := r.Err()
	for _, want := range errs {
		if errors.Is(err, want) {
			return
		}
	}
	if err != nil {
		e.Errorf("%s: got %v, want %v or an answer", r.Name(), err, errs[0])
	}
}

// wantFailed expects that the request is over, with an error.
func (e *Env) wantFailed(r *harness.Request, why string) {
	if r.Err() == nil {
		e.Errorf("%s: got no error, want one: %s", r.Name(), why)
	}
}

// wantFailedAtMost lets everything happen, and expects that no more than n of the
// requests failed, those that were cancelled aside.
func (e *Env) wantFailedAtMost(n int, requests ...*harness.Request) {
	e.Rest()
	var failed []error
	for _, r := range requests {
		if err := r.Err(); err != nil && !errors.Is(err, context.Canceled) {
			failed = append(failed, fmt.Errorf("%s: %w", r.Name(), err))
		}
	}
	if len(failed) > n {
		e.Errorf("got %d requests that failed, want %d at most, for that was all that went wrong: %v", len(failed), n, failed)
	}
}

// usedConn returns a connection to a scripted peer on that host, in HTTP/1.1, on which a
// request was answered, and a URL of the host.
func (e *Env) usedConn(host string) (*harness.Conn, string) {
	url := e.URLOf(host, "/")
	e.Peer(e.Addr(host))
	r := e.T.Get("warm "+host, e.Transport, url)
	c := r.Conn()
	c.Respond(http.StatusNoContent, "")
	r.WantStatus(http.StatusNoContent)
	return c, url
}

// arrived takes what has arrived at the peer's end of a connection.
func arrived(c *harness.Conn) string {
	b := make([]byte, c.Server().Unread())
	if len(b) > 0 {
		n, _ := c.Server().Read(b)
		b = b[:n]
	}
	return string(b)
}

// serveAPI runs the server api.test, and returns it. A nil handler is [harness.Pages].
func (e *Env) serveAPI(h http.Handler) *http.Server {
	if e.Protocol != H2 {
		return e.T.Serve(e.Addr("api.test"), h)
	}
	if h == nil {
		h = http.HandlerFunc(harness.Pages)
	}
	return e.ServeTLS(e.Addr("api.test"), h, nil)
}

// halfPage serves /half, whose second half is the handler's, and all else as [harness.Pages]
// does.
func halfPage(rest http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/half" {
			harness.Pages(w, r)
			return
		}
		io.WriteString(w, "half")
		w.(http.Flusher).Flush()
		rest(w, r)
	})
}

// slowAnswers returns a server that takes so long to begin its answer, and again so long to
// end it.
func slowAnswers(d time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(d)
		io.WriteString(w, "begin ")
		w.(http.Flusher).Flush()
		time.Sleep(d)
		io.WriteString(w, "end")
	})
}

// answersWith returns a server that answers with its name.
func answersWith(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, name) })
}

// resetter is a connection of this network.
type resetter interface {
	io.ReadWriteCloser
	Reset() error
}

// halfAnswer takes a connection of HTTP/1.1 over and sends the status line of a response
// and that.
func halfAnswer(w http.ResponseWriter, rest string) resetter {
	c, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic("suites: " + err.Error()) // the case is of HTTP/1.1
	}
	io.WriteString(c, "HTTP/1.1 200 OK\r\n"+rest)
	return c.(resetter)
}

// call is a call of the code under test that may not return.
type call struct {
	done chan struct{}
	err  error // once it has returned
}

// call calls f in a goroutine of its own, and settles. A
// panic of f fails the case.
func (e *Env) call(f func() error) *call {
	c := &call{done: make(chan struct{})}
	go func() {
		defer close(c.done)
		defer func() {
			if p := recover(); p != nil {
				e.Errorf("panic: %v", p)
			}
		}()
		c.err = f()
	}()
	e.Settle()
	return c
}

// returned reports whether the call has returned.
func (c *call) returned() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// upgraded returns the connection of a 101, in the hands of the caller of the request. A
// transport that has a body of its own around each response, one without content too, as those
// do that trace or count, cannot be asked: net/http's own bodies of a 101 are io.Writers.
func (e *Env) upgraded(r *harness.Request) io.ReadWriteCloser {
	both, ok := r.Response().Body.(io.ReadWriteCloser)
	if ok {
		return both
	}
	e.ServeHost("plain.test", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	plain := e.T.Get("bodyless", e.Transport, e.URLOf("plain.test", "/"))
	if resp := plain.Response(); resp != nil && resp.Body != http.NoBody {
		e.NotApplicable("it wraps each response body: that of a 101 is no io.Writer")
	}
	e.Fatal("the body of a 101 cannot be written to")
	return nil
}
