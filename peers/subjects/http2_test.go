//lint:file-ignore SA1019 See http2.go.

package subjects

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"runtime/debug"
	"testing"

	"golang.org/x/net/http2"
)

// The name of the row says whether x/net/http2 wraps net/http. If it does, a goroutine
// of http.Transport calls its dialer.
func TestHTTP2Name(t *testing.T) {
	var stack []byte
	tr := &http2.Transport{AllowHTTP: true, DialTLSContext: func(context.Context, string, string, *tls.Config) (net.Conn, error) {
		stack = debug.Stack()
		return nil, errors.New("no connection is needed")
	}}
	req, err := http.NewRequest("GET", "http://api.test/", nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := tr.RoundTrip(req); err == nil {
		resp.Body.Close()
	}
	want := "x/net/http2"
	if bytes.Contains(stack, []byte("net/http.(*Transport)")) {
		want += " over net/http"
	}
	if stack == nil || http2Name != want {
		t.Errorf("got the name %q, want %q of a dialer that is called by\n%s", http2Name, want, stack)
	}
}
