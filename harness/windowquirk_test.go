package harness_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	framer "golang.org/x/net/http2"

	"github.com/halfopen/halfopen/harness"
)

// A quirk of net/http, seen with Go 1.26.8: a server that overflows the window
// of one stream freezes the whole HTTP/2 connection, and every request on it,
// for good; not even a cancellation is heard.
//
// RFC 9113 section 6.9.1 asks for a stream error. The client's
// processWindowUpdate holds cc.mu when it calls endStreamError, whose
// abortStream locks cc.mu again. In golang.org/x/net v0.62.0 the same function
// calls endStreamErrorLocked: the copy in net/http has not followed. This test
// fails when it has.
func TestQuirkStreamWindowOverflow(t *testing.T) {
	out := elsewhere(t, func() *harness.Report {
		return harness.Run("overflow", func(t *harness.T) {
			overflowWindow(t)
			tr := t.Net.Transport()
			tr.Protocols = new(http.Protocols)
			tr.Protocols.SetUnencryptedHTTP2(true)
			t.Get("r1", tr, "http://api.test/")
		})
	})
	for _, want := range []string{
		"frozen: a mutex is waited for, and nobody is left who could unlock it",
		"http2clientStream).abortStream < http.(*http2clientConnReadLoop).endStreamError < http.(*http2clientConnReadLoop).processWindowUpdate",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("got:\n%s\nwant it to contain %q", out, want)
		}
	}
}

// overflowWindow answers each request on api.test:80 with more window than
// there can be.
func overflowWindow(t *harness.T) {
	l, err := t.Net.Listen("tcp", "api.test:80")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		io.ReadFull(c, make([]byte, len(framer.ClientPreface)))
		f := framer.NewFramer(c, c)
		f.WriteSettings()
		for {
			frame, err := f.ReadFrame()
			if err != nil {
				return
			}
			if frame.Header().Type == framer.FrameHeaders {
				f.WriteWindowUpdate(frame.Header().StreamID, 1<<31-1)
			}
		}
	}()
}
