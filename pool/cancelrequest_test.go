package pool_test

//lint:file-ignore SA1019 CancelRequest is part of what net/http promises, deprecated or not.

import (
	"net/http"
	"testing"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/pool"
)

// A lastSeen remembers the last request, as the transport got it.
type lastSeen struct {
	*pool.Transport
	req *http.Request
}

func (l *lastSeen) RoundTrip(req *http.Request) (*http.Response, error) {
	l.req = req
	return l.Transport.RoundTrip(req)
}

// CancelRequest ends a request that has its connection and has not begun on it: nothing
// is sent, and the request is not sent elsewhere.
func TestCancelRequestBeforeBegin(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		t.Allow("cause", "CancelRequest calls r1 off, and the harness does not see that", "r1")
		t.Gates("GotConn")
		tr := &lastSeen{Transport: scripted(t, &pool.Transport{})}
		c1 := warm(t, tr.Transport)
		t.Net.Hold("gate")
		r1 := t.Start("r1", tr, request("GET", nil)).MayCancel()
		t.Settle()
		tr.CancelRequest(tr.req)
		t.Net.Release("gate")
		r1.WantErr(pool.ErrRequestCanceled)
		wantNothing(t, c1, "it was called off before")
		c1.WantClosed("its request was called off")
		t.Net.WantNoDial("it is not sent again")
	})
}

// CancelRequest closes no connection of another request, none that is idle, and none
// whose request is over.
func TestCancelRequestOfAnother(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		tr := &lastSeen{Transport: scripted(t, &pool.Transport{})}
		r1 := t.Start("r1", tr, request("GET", nil))
		c1 := t.Net.WantDial().Open()
		first := tr.req
		c1.Respond(200, "one")
		r1.WantBody("one")
		tr.CancelRequest(first)
		c1.WantOpen("its request is over")
		r2 := t.Start("r2", tr, request("GET", nil))
		t.Settle()
		tr.CancelRequest(first)
		c1.Respond(200, "two")
		r2.WantBody("two")
		tr.CancelRequest(tr.req)
		c1.WantOpen("it is idle")
	})
}

// CancelRequest frees the connection of a request that waits for its response: the next
// in line gets the place.
func TestCancelRequestFreesPlace(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		t.Allow("cause", "CancelRequest calls r1 off, and the harness does not see that", "r1")
		tr := &lastSeen{Transport: scripted(t, &pool.Transport{MaxConnsPerHost: 1})}
		r1 := t.Start("r1", tr, request("GET", nil)).MayCancel()
		c1 := t.Net.WantDial().Open()
		first := tr.req
		r2 := t.Start("r2", tr, request("GET", nil))
		t.Settle()
		tr.CancelRequest(first)
		r1.WantErr(pool.ErrRequestCanceled)
		c1.WantClosed("its request was called off")
		c2 := t.Net.WantDial().Open()
		c2.Respond(200, "")
		r2.WantBody("")
		wantClosed(t, tr.Transport, pool.Canceled, 1)
	})
}

// CancelRequest leaves a request on an HTTP/2 connection alone, which others share.
func TestCancelRequestOfHTTP2(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		tr := &lastSeen{Transport: overTLS(t, &pool.Transport{ForceAttemptHTTP2: true})}
		answer := make(chan struct{})
		t.ServeTLS("api.test:443", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { <-answer }), nil)
		req, _ := http.NewRequest("GET", "https://api.test/", nil)
		r1 := t.Start("r1", tr, req)
		t.Settle()
		tr.CancelRequest(tr.req)
		t.Settle()
		r1.WantPending("it cannot be called off")
		close(answer)
		t.Settle()
		r1.WantBody("")
	})
}
