package pool_test

import (
	"strings"
	"testing"
	"time"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/pool"
)

// moves bring the connection c1, which is idle, to its end.
type moves func(t *harness.T, tr *pool.Transport, c1 *harness.Conn)

// causeRows lists the causes with moves that lead to them.
var causeRows = []struct {
	why   pool.Cause
	name  string
	tr    *pool.Transport
	moves moves
}{
	{pool.ServerFIN, "idle", &pool.Transport{}, func(t *harness.T, tr *pool.Transport, c1 *harness.Conn) { c1.Fin() }},
	{pool.ServerFIN, "408", &pool.Transport{}, func(t *harness.T, tr *pool.Transport, c1 *harness.Conn) {
		c1.Send("HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n")
	}},
	{pool.ReadFailed, "idle", &pool.Transport{}, func(t *harness.T, tr *pool.Transport, c1 *harness.Conn) { c1.Reset() }},
	{pool.ReadFailed, "in a body", &pool.Transport{}, func(t *harness.T, tr *pool.Transport, c1 *harness.Conn) {
		r := t.Get("r", tr, url1)
		c1.Send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello")
		r.WantDone(c1)
		c1.Reset()
		r.CloseBody()
	}},
	{pool.BadResponse, "in place of a response", &pool.Transport{}, func(t *harness.T, tr *pool.Transport, c1 *harness.Conn) {
		r := t.Get("r", tr, url1)
		c1.Send("SSH-2.0-OpenSSH\r\n\r\n")
		if t.Settle(); r.Err() == nil {
			t.Errorf("got %v, want an error", r)
		}
		t.Net.WantNoDial("it is the server's answer")
	}},
	{pool.Unsolicited, "idle", &pool.Transport{}, func(t *harness.T, tr *pool.Transport, c1 *harness.Conn) { c1.Send(okBody) }},
	{pool.Unsolicited, "behind a response", &pool.Transport{}, sendLast(ok0 + "hello")},
	{pool.Finished, "said by the server", &pool.Transport{}, sendLast("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")},
	{pool.Finished, "said by the request", &pool.Transport{}, func(t *harness.T, tr *pool.Transport, c1 *harness.Conn) {
		req := request("GET", nil)
		req.Close = true
		r := t.Start("r", tr, req)
		if !received(t, c1).Close {
			t.Error("got no Connection: close in the request")
		}
		c1.Send(okBody)
		r.WantBody("hello")
	}},
	{pool.BodyUnread, "closed early", &pool.Transport{}, func(t *harness.T, tr *pool.Transport, c1 *harness.Conn) {
		r := t.Get("r", tr, url1)
		c1.Send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello")
		r.CloseBody()
		c1.WantOpen("the rest may come")
		t.Advance(pool.DrainTime)
	}},
	{pool.Canceled, "awaiting a response", &pool.Transport{}, func(t *harness.T, tr *pool.Transport, c1 *harness.Conn) {
		t.Get("r", tr, url1).Cancel()
	}},
	{pool.HeaderTimeout, "awaiting a response", &pool.Transport{ResponseHeaderTimeout: time.Minute}, func(t *harness.T, tr *pool.Transport, c1 *harness.Conn) {
		t.Get("r", tr, url1)
		t.Advance(time.Minute)
	}},
	{pool.IdleTimeout, "idle", &pool.Transport{IdleConnTimeout: time.Minute}, func(t *harness.T, tr *pool.Transport, c1 *harness.Conn) {
		t.Advance(time.Minute)
	}},
	{pool.ClosedIdle, "idle", &pool.Transport{}, func(t *harness.T, tr *pool.Transport, c1 *harness.Conn) { tr.CloseIdleConnections() }},
	{pool.IdleLimit, "of two hosts", &pool.Transport{MaxIdleConns: 1}, func(t *harness.T, tr *pool.Transport, c1 *harness.Conn) {
		t.Peer("other.test:80")
		r := t.Get("r", tr, "http://other.test/")
		t.Net.WantDial().Open().Respond(200, "")
		r.Finish()
	}},
}

// sendLast has a request answered so.
func sendLast(raw string) moves {
	return func(t *harness.T, tr *pool.Transport, c1 *harness.Conn) {
		r := t.Get("r", tr, url1)
		c1.Send(raw)
		r.WantDone(c1)
		r.Finish()
	}
}

// Each end of a connection that has served a request has its cause in the books,
// and the connection is closed.
func TestCauses(t *testing.T) {
	for _, tt := range causeRows {
		t.Run(strings.ReplaceAll(tt.why.String()+" "+tt.name, "/", ""), func(t *testing.T) {
			harness.Test(t, func(t *harness.T) {
				tr := scripted(t, tt.tr.Clone())
				c1 := warm(t, tr)
				tt.moves(t, tr, c1)
				c1.WantClosed()
				wantClosed(t, tr, tt.why, 1)
			})
		})
	}
}

// What the pool does not keep has its cause too.
func TestCausesNotKept(t *testing.T) {
	for _, tt := range []struct {
		why pool.Cause
		tr  *pool.Transport
	}{
		{pool.NoKeepAlive, &pool.Transport{MaxIdleConnsPerHost: -1}},
		{pool.HostIdleLimit, &pool.Transport{MaxIdleConnsPerHost: 1}},
	} {
		harness.Test(t, func(t *harness.T) {
			tr := scripted(t, tt.tr)
			r1, r2 := t.Get("r1", tr, url1), t.Get("r2", tr, url1)
			c1, c2 := t.Net.WantDial().Open(), t.Net.WantDial().Open()
			if tt.why == pool.HostIdleLimit {
				c1.Respond(200, "")
				r1.Finish()
			} else {
				r1.Cancel()
			}
			c2.Respond(200, "")
			r2.Finish()
			wantClosed(t, tr, tt.why, 1)
		})
	}
}
