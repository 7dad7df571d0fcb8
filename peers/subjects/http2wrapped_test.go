//go:build go1.27 && !http2legacy

package subjects

import (
	"errors"
	"net"
	"testing"

	"github.com/halfopen/halfopen/harness"
)

// x/net/http2 over net/http: a request shares the dial of another request, which was
// cancelled. When CloseIdleConnections is called, the dial fails, and the request with it
// (transport_wrap.go:315). CloseIdleConnections must not interrupt anything in use.
func TestHTTP2SharedDialOfTheCancelled(t *testing.T) {
	harness.TestReport("shared dial", func(h *harness.T) {
		rt, err := HTTP2(h, harness.Settings{})
		if err != nil {
			t.Fatal(err)
		}
		h.Serve("api.test:80", nil)
		h.Net.Hold("dial")
		r1, r2 := h.Get("r1", rt, "http://api.test/"), h.Get("r2", rt, "http://api.test/")
		r1.Cancel()
		rt.(*http2Either).CloseIdleConnections()
		h.Settle()
		h.Net.Release("dial")
		if dial := new(net.OpError); !errors.As(r2.Err(), &dial) || dial.Op != "dial" {
			t.Errorf("r2: got %v, want the error of a dial that was cancelled: the finding is gone", r2.Err())
		}
	})
}
