package cases

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/halfopen/halfopen/harness"
)

// The cases of bodies that are closed before their end. A transport may close the
// connection then, as net/http did until Go 1.26, or read what is left and use it
// again, as net/http does since Go 1.27: both are right.

const closedEarlyDoc = "net/http: Response.Body (closing the body will also cause the body to be read to completion asynchronously, " +
	"up to a conservative limit)"

// pause is how long a server of these cases takes between the pieces of a body, and
// drainPass a time that decides whether net/http still waits for the rest.
const (
	pause     = 20 * time.Millisecond
	drainPass = 50 * time.Millisecond
)

var drainCases = []Case{
	{
		Name:      "body-drained",
		Claim:     "What is left of a body that was closed is read, or its connection is closed: the next request has its own answer, and no connection is lost.",
		Verdict:   "the answer belongs to the request",
		Issues:    []string{"golang/go#77370", "golang/go#20528"},
		Source:    closedEarlyDoc + "; RFC 9112 section 9.3",
		Protocols: HTTP1,
		Bounds:    harness.Bounds{Faults: harness.None, Schedules: 200},
		Body: func(e *Env) {
			e.Serve(http.HandlerFunc(piecemeal))
			e.MayPass(drainPass)
			for _, path := range []string{"/length", "/chunks", "/trailer"} {
				e.closeEarly(e.Context(), path, 4)
				r := e.Post("after"+path, "/echo", "its own")
				e.wantOwn(r)
				e.Advance(drainTime)
			}
			e.WantMostOpen(2, "no more were needed at a time")
			e.CloseIdle()
			e.WantConns(0, "no connection is used, and none is drained any more")
		},
	},
	{
		Name:      "body-drain-bounded",
		Claim:     "The transport does not wait without bound for the rest of a body that was closed: its place at the limit goes to the next request.",
		Verdict:   "no request is stuck at the limit",
		Issues:    []string{"golang/go#77370"},
		Source:    closedEarlyDoc + "; net/http: Transport.MaxConnsPerHost",
		Protocols: HTTP1,
		Settings:  harness.Settings{MaxConnsPerHost: 1},
		Bounds:    harness.Bounds{Faults: harness.None, Schedules: 300},
		Body: func(e *Env) {
			e.Serve(http.HandlerFunc(e.brokenOff))
			e.MayPass(drainPass)
			for _, fate := range []string{"never", "late", "fin", "reset", "cancelled"} {
				ctx, cancel := context.WithCancel(e.Context())
				e.closeEarly(ctx, "/"+fate, 4)
				if fate == "cancelled" {
					time.AfterFunc(pause, cancel)
				}
				waiter := e.Post("waiter-"+fate, "/echo", "its own").MayCancel()
				next := e.Post("next-"+fate, "/echo", "its own")
				e.wantOwn(next)
				e.wantErrIn(waiter, context.Canceled)
				cancel()
			}
		},
	},
	{
		Name:      "body-closed-while-read-rest",
		Protocols: OverTCP,
		Claim:     "A body can be closed while a Read of it waits, and the rest may come then: both return, and the next request has its own answer.",
		Verdict:   "the answer belongs to the request",
		Issues:    []string{"golang/go#81404"},
		Source:    "net/http: Response.Body; io: Closer",
		Body: func(e *Env) {
			goOn := make(chan struct{})
			e.Serve(halfPage(func(w http.ResponseWriter, r *http.Request) {
				<-goOn
				io.WriteString(w, " and half")
			}))
			r1 := e.Get("r1", "/half")
			r1.WantStatus(http.StatusOK)
			body := r1.Response().Body
			reads := e.call(func() error {
				_, err := io.ReadAll(body)
				return err
			})
			e.Net.Hold("c1 server->client data")
			close(goOn)
			closes := e.call(body.Close)
			e.Net.Release("c1 server->client data")
			if !closes.returned() || !reads.returned() {
				e.Errorf("r1: got Close returned %v and Read returned %v, want both", closes.returned(), reads.returned())
			}
			e.wantOK("r2")
			e.wantOK("r3")
		},
	},
	{
		Name:    "body-closed-after-error",
		Claim:   "A body whose Read has failed can be closed, and closed again: Close returns, nothing more is read, and nothing is left of its connection.",
		Verdict: "nothing is left behind",
		Issues:  []string{"golang/go#81404", "golang/go#81511"},
		Source:  "net/http: Response.Body (it is the caller's responsibility to close Body); RFC 9112 section 8",
		Body: func(e *Env) {
			e.Serve(http.HandlerFunc(failing))
			fates := []string{"abort", "cancelled", "reset", "malformed"}
			switch e.Protocol {
			case HTTP1:
			case H3:
				fates = fates[1:2] // the reset of a stream overtakes what was sent before it
			default:
				fates = fates[:2] // the others are of the connection
			}
			for _, fate := range fates {
				r := e.Get(fate, "/"+fate)
				r.WantStatus(http.StatusOK)
				body := r.Response().Body
				reads := e.call(func() error {
					_, err := io.ReadAll(body)
					return err
				})
				if fate == "cancelled" {
					r.Cancel()
				}
				if !reads.returned() || reads.err == nil {
					e.Fatalf("%s: got Read returned %v and error %v, want an error", fate, reads.returned(), reads.err)
				}
				for range 2 {
					if closes := e.call(body.Close); !closes.returned() {
						e.Errorf("%s: got Close waiting, and reading has failed", fate)
					}
				}
				e.Advance(drainTime)
				if e.Protocol == HTTP1 {
					r.Conn().WantClosed("there is no way to tell where the next response begins")
				}
				e.wantOK("after-" + fate)
			}
		},
	},
	{
		Name:    "body-trailer-after-close",
		Claim:   "Once a body is closed its response is the caller's: a trailer that comes then is not written to it.",
		Verdict: "what the caller has does not change",
		Issues:  []string{"golang/go#81521", "golang/go#77370"},
		Source:  "net/http: Response.Trailer (it must not be accessed concurrently with Read calls on the Body; after Body.Read has returned io.EOF it will contain the values)",
		Body: func(e *Env) {
			e.Serve(http.HandlerFunc(piecemeal))
			r1 := e.Get("r1", "/trailer")
			r1.WantStatus(http.StatusOK)
			resp := r1.Response()
			io.ReadFull(resp.Body, make([]byte, 4))
			r1.CloseBody()
			before := fmt.Sprint(resp.Trailer)
			// The race detector sees a writer only if nothing orders it before this.
			var after string
			looks := e.call(func() error {
				time.Sleep(drainTime)
				after = fmt.Sprint(resp.Trailer)
				return nil
			})
			e.Advance(drainTime)
			if looks.returned() && after != before {
				e.Errorf("r1: got Trailer %s, which was %s when Close had returned", after, before)
			}
			e.wantOK("r2")
		},
	},
	{
		Name:      "close-while-drained",
		Claim:     "CloseIdleConnections while what is left of a body is read interrupts no request, and keeps no connection from a later call.",
		Verdict:   "nothing stays open",
		Issues:    []string{"golang/go#77370"},
		Source:    closeIdle + " (it does not interrupt any connections currently in use)",
		Protocols: HTTP1,
		Bounds:    harness.Bounds{Faults: harness.None, Schedules: 250},
		Body: func(e *Env) {
			e.Serve(http.HandlerFunc(e.brokenOff))
			e.MayCloseIdle()
			e.MayCloseIdle()
			for _, fate := range []string{"late", "never"} {
				e.closeEarly(e.Context(), "/"+fate, 4)
				r1, r2 := e.Post("r1-"+fate, "/echo", "its own"), e.Post("r2-"+fate, "/echo", "its own")
				e.wantOwn(r1, r2)
				e.Advance(drainTime)
			}
			e.CloseIdle()
			e.WantConns(0, "nothing is in use, and nothing can be drained any more")
		},
	},
}

// closeEarly gets a page, reads the first bytes of its body and closes it.
func (e *Env) closeEarly(ctx context.Context, path string, first int64) {
	req, _ := http.NewRequestWithContext(ctx, "GET", e.URL(path), nil)
	resp, err := e.Watch(e.Transport).RoundTrip(req)
	if err != nil {
		e.Fatalf("%s: got error %v, want a response", path, err)
	}
	if _, err := io.CopyN(io.Discard, resp.Body, first); err != nil {
		e.Errorf("%s: got %v, want the first %d bytes of the body", path, err, first)
	}
	if err := resp.Body.Close(); err != nil {
		e.Errorf("%s: got %v from Close", path, err)
	}
}

// wantOwn lets everything happen, and expects that each of the requests, a POST of "its
// own" to /echo, gets that back.
func (e *Env) wantOwn(requests ...*harness.Request) {
	e.WantAnswered(requests...)
	for _, r := range requests {
		if r.Err() == nil {
			r.WantBody("its own")
		}
	}
}

// piecemeal serves pages that come in three pieces, with a pause between them. All
// but those of three names are those of [harness.Pages].
func piecemeal(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/length":
		w.Header().Set("Content-Length", "3000")
	case "/trailer":
		w.Header().Set("Trailer", "Sum")
	case "/chunks":
	default:
		harness.Pages(w, r)
		return
	}
	piece := slices.Repeat([]byte("0"), 1000)
	for i := range 3 {
		if i > 0 {
			time.Sleep(pause) // virtual
		}
		w.Write(piece)
		w.(http.Flusher).Flush()
	}
	if r.URL.Path == "/trailer" {
		w.Header().Set("Sum", "3000")
	}
}

// brokenOff sends half of a page, and then does what the name of the page says.
// All but those of four names are those of [harness.Pages].
func (e *Env) brokenOff(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/never", "/late", "/cancelled":
		w.Header().Set("Content-Length", "8")
		io.WriteString(w, "half")
		w.(http.Flusher).Flush()
		if r.URL.Path == "/late" {
			time.Sleep(pause) // virtual
			io.WriteString(w, "half")
			return
		}
		select {
		case <-r.Context().Done():
		case <-time.After(drainTime):
			e.Errorf("%s: got its connection open for %s after the body was closed, and the rest never comes", r.URL.Path, drainTime)
		}
	case "/fin", "/reset":
		c := halfAnswer(w, "Content-Length: 8\r\n\r\nhalf")
		time.Sleep(pause) // virtual
		if r.URL.Path == "/reset" {
			c.Reset()
		}
		c.Close()
	default:
		harness.Pages(w, r)
	}
}

// failing serves bodies that fail for their reader: in the way that the page's
// name says. All but those of four names are those of [harness.Pages].
func failing(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/abort", "/cancelled":
		io.WriteString(w, "half")
		w.(http.Flusher).Flush()
		if r.URL.Path == "/abort" {
			panic(http.ErrAbortHandler)
		}
		<-r.Context().Done()
	case "/reset":
		halfAnswer(w, "Content-Length: 8\r\n\r\nhalf").Reset()
	case "/malformed":
		c := halfAnswer(w, "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nno size\r\n")
		io.Copy(io.Discard, c)
		c.Close()
	default:
		harness.Pages(w, r)
	}
}
