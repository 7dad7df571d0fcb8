package pool_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/pool"
)

// 101 hands the connection over: bytes read ahead come first, the place is free,
// and the ledger keeps it until it is closed.
func TestUpgrade(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		tr := scripted(t, &pool.Transport{MaxConnsPerHost: 1})
		r1, c1 := upgrade(t, tr, "ahead")
		resp := r1.Response()
		rw, ok := resp.Body.(io.ReadWriteCloser)
		if !ok {
			t.Fatalf("body: got %T, want a writer", resp.Body)
		}
		r1.Cancel() // its context no longer matters
		c1.Send(" and more")
		for _, want := range []string{"ahead", " and more"} {
			got := make([]byte, 14)
			if n, err := rw.Read(got); string(got[:n]) != want || err != nil {
				t.Errorf("read: got %q, %v, want %q", got[:n], err, want)
			}
		}
		rw.Write([]byte("up"))
		up := make([]byte, 2)
		io.ReadFull(c1.Server(), up)
		if string(up) != "up" {
			t.Errorf("server: got %q", up)
		}
		if st := tr.Stats(); st.Upgraded != 1 || st.Active != 0 || st.Closed[pool.HandedOver] != 1 {
			t.Errorf("stats: got %+v", st.Counts)
		}
		r2 := t.Get("r2", tr, url1)
		c2 := t.Net.WantDial().Open()
		c2.Respond(200, "")
		r2.WantBody("")
		rw.Close()
		if n := len(tr.Ledger()); n != 1 {
			t.Errorf("ledger: got %d entries after Close, want 1", n)
		}
	})
}

// A connection that was handed over can be half-closed, if its dialer's can.
func TestUpgradeCloseWrite(t *testing.T) {
	for _, can := range []bool{true, false} {
		harness.Test(t, func(t *harness.T) {
			tr := scripted(t, &pool.Transport{})
			if dial := tr.DialContext; !can {
				tr.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
					c, err := dial(ctx, network, addr)
					return struct{ net.Conn }{c}, err
				}
			}
			r1, c1 := upgrade(t, tr, "")
			body := r1.Response().Body
			err := body.(interface{ CloseWrite() error }).CloseWrite()
			if t.Settle(); can && (err != nil || c1.Server().State() != "CLOSE_WAIT") || !can && !errors.Is(err, http.ErrNotSupported) {
				t.Errorf("CloseWrite: got %v and the server's end in %s, want a FIN: %v", err, c1.Server().State(), can)
			}
			body.Close()
		})
	}
}

// upgrade has a connection upgraded; ahead comes in one segment with the response.
func upgrade(t *harness.T, tr *pool.Transport, ahead string) (*harness.Request, *harness.Conn) {
	req := request("GET", nil)
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", "chat")
	r1 := t.Start("r1", tr, req)
	c1 := t.Net.WantDial().Open()
	c1.WantRequest("GET / HTTP/1.1")
	c1.Send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n" + ahead)
	r1.WantStatus(101)
	return r1, c1
}

// Where nothing was read ahead the first Read is the connection's.
func TestUpgradeNothingAhead(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		tr := scripted(t, &pool.Transport{})
		r1, c1 := upgrade(t, tr, "")
		body := r1.Response().Body
		c1.Send("hello")
		b := make([]byte, 10)
		if n, err := body.Read(b); string(b[:n]) != "hello" || err != nil {
			t.Errorf("first read: got %q, %v, want what the server said", b[:n], err)
		}
		body.Close()
	})
}
