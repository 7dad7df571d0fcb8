//go:build !go1.27 || http2legacy

package subjects

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness"
)

// x/net/http2: a request whose dial fails never closes its body
// (transport_common.go:342). Every RoundTripper must close it.
func TestHTTP2BodyOfAFailedDial(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		rt, err := HTTP2(t, harness.Settings{})
		if err != nil {
			t.Fatal(err)
		}
		t.Allow("closes", "it is the finding")
		t.Net.Fault("dial", faultnet.Refuse)
		b := &countedBody{Reader: strings.NewReader("body")}
		req, err := http.NewRequest("POST", "http://api.test/", b)
		if err != nil {
			t.Fatal(err)
		}
		r1 := t.Start("r1", rt, req)
		if r1.Err() == nil || b.closes != 0 {
			t.Errorf("got error %v and the body closed %d times: the finding is gone", r1.Err(), b.closes)
		}
	})
}

type countedBody struct {
	io.Reader
	closes int
}

func (b *countedBody) Close() error {
	b.closes++
	return nil
}
