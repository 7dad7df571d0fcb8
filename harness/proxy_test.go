package harness_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/harness"
)

const (
	proxyAddr  = "proxy.test:3128"
	originAddr = "api.test:443"
)

// A client that gives up in the middle of CONNECT leaves nothing: the proxy closes
// what it has opened for that client, whether it was about to answer or not.
func TestProxyHearsItsClientLeave(t *testing.T) {
	for mode, tunnels := range map[string]bool{"connect": true, "split": false, "slow": false, "never": false, "body": true, "oversized": true} {
		got := first(harness.TestReport(t.Name(), func(t *harness.T) {
			t.ServeTLS(originAddr, nil, nil)
			t.ServeProxy(proxyAddr, mode)
			tr := t.Net.Transport()
			tr.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: proxyAddr})
			if tunnels {
				t.Net.Hold("c2 server->client data") // the handshake with the origin
			}
			t.Get("r1", tr, "https://"+originAddr+"/").Cancel()
			tr.CloseIdleConnections()
			if tunnels {
				t.Net.Release("c2 server->client data")
			}
			t.Net.WantConns(0, "no request needs a tunnel")
		}))
		if got != "held" {
			t.Errorf("%s: got %q, want that nothing is left", mode, got)
		}
	}
}

// What a proxy has opened is not the program's to close, even if the origin keeps its
// end; the program's own connection to the proxy is.
func TestProxyOwnsItsConns(t *testing.T) {
	for _, leaves := range []bool{true, false} {
		r := harness.TestReport(t.Name(), func(t *harness.T) {
			t.Peer(originAddr)
			t.ServeProxy(proxyAddr, "split")
			c, err := t.Net.DialContext(t.Context(), "tcp", proxyAddr)
			if err != nil {
				t.Fatal(err)
			}
			io.WriteString(c, "CONNECT "+originAddr+" HTTP/1.1\r\nHost: "+originAddr+"\r\n\r\n")
			const granted = "HTTP/1.1 200 Connection established\r\n\r\n"
			if _, err := io.ReadFull(c, make([]byte, len(granted))); err != nil {
				t.Fatal(err)
			}
			if leaves {
				c.Close()
			}
		})
		var left []string
		for _, f := range r.Failures {
			left = append(left, f.Text)
		}
		got, want := strings.Join(left, "\n"), ""
		if !leaves {
			want = "c1 to " + proxyAddr + ": still open after the idle connections were closed, opened outside any request that the harness knows"
		}
		if got != want {
			t.Errorf("the client closes its connection: %v: got %q, want %q", leaves, got, want)
		}
	}
}
