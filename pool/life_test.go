package pool_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"testing"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/pool"
)

// Closing a body before its end closes the connection, if the rest does not come.
func TestBodyClosedEarly(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		tr := scripted(t, &pool.Transport{})
		r1 := t.Get("r1", tr, url1)
		c1 := t.Net.WantDial().Open()
		c1.WantRequest("GET / HTTP/1.1")
		c1.Send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel")
		r1.WantDone(nil)
		body := r1.Response().Body
		body.Close()
		t.Advance(pool.DrainTime)
		c1.WantClosed("two bytes stand between it and another response")
		wantClosed(t, tr, pool.BodyUnread, 1)
		if _, err := body.Read(make([]byte, 1)); !errors.Is(err, http.ErrBodyReadAfterClose) {
			t.Errorf("read after close: got %v", err)
		}
	})
}

// A dial that completes after CloseIdleConnections leaves nothing open, even
// if its dialer did not listen to its context (golang/go#8483).
func TestDialAfterCloseIdle(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		tr := scripted(t, &pool.Transport{})
		held := tr.DialContext
		tr.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			return held(context.WithoutCancel(ctx), network, addr)
		}
		r1 := t.Get("r1", tr, url1)
		d1 := t.Net.WantDial()
		r1.Cancel()
		r1.WantErr(context.Canceled)
		tr.CloseIdleConnections()
		c1 := d1.Open()
		c1.WantClosed("nobody could close it later")
	})
}
