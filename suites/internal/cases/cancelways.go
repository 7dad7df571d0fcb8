package cases

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// cancelWayCases are about the ways in which a request can be cancelled, and what error it
// has then.
var cancelWayCases = []Case{
	{
		Name:     "cancel-ended-before",
		Claim:    "A request whose context had ended before the call dials nothing, waits in no line, and has the context's error. Its body is closed.",
		Verdict:  "nothing is sent",
		Issues:   []string{"golang/go#25852"},
		Source:   "net/http: Request.Context; RoundTripper (must always close the body, including on errors)",
		Settings: oneConnPerHost,
		Body: func(e *Env) {
			e.Serve(nil)
			cancelled, cancel := context.WithCancel(context.Background())
			cancel()
			late, stop := context.WithDeadline(context.Background(), e.Clock.Now().Add(-time.Second))
			defer stop()
			try := func(when string) {
				for _, ctx := range []context.Context{cancelled, late} {
					body := newBody(strings.NewReader("x"))
					r := e.Start(ctx.Err().Error()+" "+when, e.Transport, upload(ctx, e.URL("/echo"), body))
					r.WantErr(ctx.Err())
					r.WantSent(0, "it was over before it began")
					body.wantClosed(e, r.Name())
					if n := body.reads.Load(); n > 0 {
						e.Errorf("%s: got its body read, and it was over before it began", r.Name())
					}
				}
			}
			try("at-first")
			e.WantOpened(0, "both were over")
			r1 := e.Get("r1", "/bytes/100000")
			if e.Protocol == HTTP1 {
				try("in-line")
			}
			r1.Finish()
			try("idle")
			e.WantOpened(1, "that of r1")
		},
	},
	{
		Name:    "cancel-channel",
		Claim:   "A transport that heeds Request.Cancel does so wherever the request is: in its dial, waiting for its answer, sending its body or reading the answer's. Closing it later does no harm.",
		Verdict: "cancelled requests end at once",
		Source:  "net/http: Request.Cancel (its closure indicates that the client request should be regarded as canceled; not all implementations of RoundTripper support it)",
		Body: func(e *Env) {
			_, std := e.Transport.(*http.Transport) // for which the field was made
			e.wantCancelledEverywhere(std, func(ctx context.Context, method, url string, body io.ReadCloser) (*http.Request, func()) {
				stop := make(chan struct{})
				req, _ := http.NewRequestWithContext(ctx, method, url, nil)
				//lint:ignore SA1019 Request.Cancel is part of what net/http promises, deprecated or not.
				req.Cancel = stop
				if body != nil {
					req.Body, req.ContentLength = body, -1
				}
				return req, func() { close(stop) }
			})
		},
	},
	{
		Name:      "cancel-by-transport",
		Claim:     "CancelRequest ends a request wherever it is: in its dial, waiting for its answer, sending its body or reading the answer's. Of a request that is over it does nothing.",
		Verdict:   "cancelled requests end at once",
		Source:    "net/http: Transport.CancelRequest (cancels an in-flight request by closing its connection)",
		Protocols: HTTP1,
		Body: func(e *Env) {
			c := e.requestCanceler()
			e.wantCancelledEverywhere(true, func(ctx context.Context, method, url string, body io.ReadCloser) (*http.Request, func()) {
				req, _ := http.NewRequestWithContext(ctx, method, url, nil)
				if body != nil {
					req.Body, req.ContentLength = body, -1
				}
				return req, func() { c.CancelRequest(req) }
			})
		},
	},
	{
		Name:      "cancel-one-of-many",
		Claim:     "Of several requests under way at a time CancelRequest ends the one that it is given, whichever began first, and no other.",
		Verdict:   "cancelled requests end at once; the cancellation of another request is no error",
		Source:    "net/http: Transport.CancelRequest",
		Protocols: HTTP1,
		Body: func(e *Env) {
			c := e.requestCanceler()
			e.Serve(nil)
			const many = 3
			var calls [many]*call
			var requests [many]*http.Request
			for i := range many {
				requests[i], _ = http.NewRequestWithContext(e.Context(), "GET", e.URL("/hang"), nil)
				calls[i] = e.call(func() error {
					resp, err := e.Transport.RoundTrip(requests[i])
					if err == nil {
						resp.Body.Close()
					}
					return err
				})
			}
			for n, i := range []int{1, 0, 2} {
				c.CancelRequest(requests[i])
				e.Settle()
				over := 0
				for _, call := range calls {
					if call.returned() {
						over++
					}
				}
				if !calls[i].returned() || over != n+1 {
					e.Errorf("got request %d returned %v, and %d of all, want it and %d of all", i+1, calls[i].returned(), over, n+1)
				}
			}
			e.wantOK("r1")
		},
	},
	{
		Name:    "cancel-cause",
		Claim:   "A request that is cancelled with a cause has an error that says so, or that it was cancelled: never what that does to its connection.",
		Verdict: "the error is the context's",
		Source:  "net/http: Request.Context; context: Cause",
		Body: func(e *Env) {
			errCause := errors.New("the caller's own")
			e.Serve(nil)
			for _, path := range []string{"/dial", "/hang", "/bytes/5000000"} {
				ctx, cancel := context.WithCancelCause(e.Context())
				if path == "/dial" {
					e.Net.Hold(e.dialEvents())
				}
				req, _ := http.NewRequestWithContext(ctx, "GET", e.URL(path), nil)
				r := e.Start("r"+strings.ReplaceAll(path, "/", "-"), e.Transport, req)
				var err error
				if path == "/dial" || path == "/hang" {
					cancel(errCause)
					e.Settle()
					if err = r.Err(); path == "/dial" {
						e.Net.Release(e.dialEvents())
					}
				} else {
					r.WantStatus(http.StatusOK)
					cancel(errCause)
					e.Settle()
					_, err = io.Copy(io.Discard, r.Response().Body)
					r.CloseBody()
				}
				if !errors.Is(err, errCause) && !errors.Is(err, context.Canceled) {
					e.Errorf("%s: got %v, want the cause or %v", path, err, context.Canceled)
				}
			}
		},
	},
	{
		Name:      "cancel-late-failure",
		Protocols: OverTCP,
		Claim:     "A request that was cancelled, and whose dial fails after that, if it has not ended with it, has been cancelled: that is its error.",
		Verdict:   "the error is the context's",
		Issues:    []string{"golang/go#16049"},
		Source:    "net/http: Request.Context",
		Body: func(e *Env) {
			e.Serve(nil)
			for _, name := range []string{"r1", "r2"} {
				e.Net.Hold("dial")
				r := e.Get(name, "/")
				d := e.Net.WantDial()
				r.Cancel()
				r.WantErr(context.Canceled)
				switch {
				case len(e.Net.Pending()) == 0: // the dial has the context of its request
				case name == "r1":
					d.Refuse()
				default:
					d.TimeOut()
				}
				r.WantErr(context.Canceled, "it was over before")
				e.Net.Release("dial")
			}
			e.wantOK("r3")
		},
	},
	{
		Name:      "cancel-limit-fails",
		Claim:     "The dial of a cancelled request that fails at the limit, if it has not ended with it, fails no other request: the one in line dials.",
		Verdict:   noneStuck + "; limits never exceeded",
		Issues:    []string{"golang/go#65705", "gomodule/redigo#520"},
		Source:    maxConnsPerHost,
		Protocols: HTTP1,
		Settings:  oneConnPerHost,
		Body: func(e *Env) {
			e.Serve(nil)
			e.Net.Hold("dial")
			r1 := e.Get("r1", "/")
			d1 := e.Net.WantDial()
			r2 := e.Get("r2", "/")
			r1.Cancel()
			r1.WantErr(context.Canceled)
			if len(e.Net.Pending()) > 0 && e.Net.Dialed() == 1 {
				d1.Refuse()
				r2.WantPending("the dial of another request failed")
			}
			e.Net.WantDial("the limit is 1, and no connection is there").Open()
			r2.WantBody("ok")
			e.Net.Release("dial")
		},
	},
	{
		Name:    "cancel-client-timeout",
		Claim:   "Client.Timeout covers all of a request: its dial, the wait for its answer, and the answer's body. The error says that it is a timeout, and the next request is answered.",
		Verdict: "the error is a timeout",
		Source:  "net/http: Client.Timeout (includes connection time, any redirects, and reading the response body); Client.Do (the Timeout method of its error)",
		Body: func(e *Env) {
			e.Serve(halfPage(func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
			client := e.Client(e.Transport)
			client.Timeout = 5 * time.Second
			for _, path := range []string{"/dial", "/hang", "/half"} {
				if path == "/dial" {
					e.Net.Hold(e.dialEvents())
				}
				begin := e.Clock.Now()
				c := e.call(func() error {
					resp, err := client.Get(e.URL(path))
					if err == nil {
						defer resp.Body.Close()
						_, err = io.Copy(io.Discard, resp.Body)
					}
					return err
				})
				e.Advance(5*time.Second + 1)
				var timeout net.Error
				switch {
				case !c.returned():
					e.Errorf("%s: got no end %v after its start, want it ended by Client.Timeout", path, e.Clock.Now().Sub(begin))
				case !errors.As(c.err, &timeout) || !timeout.Timeout():
					e.Errorf("%s: got %v, want a timeout", path, c.err)
				}
				if path == "/dial" {
					e.Net.Release(e.dialEvents())
				}
			}
			e.wantOK("r1")
		},
	},
}

// requestCanceler returns the transport, if it has the method CancelRequest.
func (e *Env) requestCanceler() interface{ CancelRequest(*http.Request) } {
	c, ok := e.Transport.(interface{ CancelRequest(*http.Request) })
	if !ok {
		e.NotApplicable("the transport has no CancelRequest")
	}
	return c
}

// wantCancelledEverywhere starts requests that begin makes, and calls the function that it
// makes with each, at every stage of a request. If none ends by that, and must is not set, the
// case cannot be asked.
func (e *Env) wantCancelledEverywhere(must bool, begin func(ctx context.Context, method, url string, body io.ReadCloser) (*http.Request, func())) {
	e.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/":
			return
		case "/half":
			io.WriteString(w, "half")
			w.(http.Flusher).Flush()
		}
		select {
		case <-r.Context().Done():
		case <-e.Context().Done(): // it does not read, and may not see the client go
		}
	}))
	var unheeded []string
	stages := []string{"dial", "header", "upload", "body"}
	for _, stage := range stages {
		ctx, cancel := context.WithCancel(e.Context())
		method, path, body := "GET", "/hang", io.ReadCloser(nil)
		switch stage {
		case "dial":
			e.Net.Hold("dial")
		case "upload":
			method, body = "POST", newBody(zeros(500_000)) // more than fits between both ends
		case "body":
			path = "/half"
		}
		req, stop := begin(ctx, method, e.URL(path), body)
		call := e.call(func() error {
			resp, err := e.Transport.RoundTrip(req)
			if err == nil {
				defer resp.Body.Close()
				_, err = io.Copy(io.Discard, resp.Body)
			}
			return err
		})
		if call.returned() {
			e.Fatalf("%s: got it ended (%v) before it was cancelled", stage, call.err)
		}
		stop()
		e.Settle()
		if !call.returned() {
			unheeded = append(unheeded, stage)
		} else if call.err == nil {
			e.Errorf("%s: got the end of an answer that has none, want an error", stage)
		}
		cancel() // however it ended
		e.Settle()
		if stage == "dial" {
			e.Net.Release("dial")
		}
	}
	switch {
	case len(unheeded) == len(stages) && !must:
		e.NotApplicable("the transport cancels no request in this way, and need not")
	case len(unheeded) > 0:
		e.Errorf("got requests that are cancelled in this way and go on, at the stage of %s", strings.Join(unheeded, ", "))
	}
	e.wantHarmless(begin)
}

// wantHarmless expects that a request which is cancelled when it is over does no harm.
func (e *Env) wantHarmless(begin func(ctx context.Context, method, url string, body io.ReadCloser) (*http.Request, func())) {
	req, stop := begin(e.Context(), "GET", e.URL("/"), nil)
	resp, err := e.Transport.RoundTrip(req)
	if err != nil {
		e.Fatal(err)
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	opened := e.Net.Opened()
	stop()
	e.Settle()
	e.Get("last", "/").Finish()
	e.WantOpened(opened, "the request before was over when it was cancelled")
}
