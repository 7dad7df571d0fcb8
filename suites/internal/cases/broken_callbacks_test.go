package cases_test

import (
	"context"
	"io"
	"net"
	"net/http"

	"golang.org/x/net/http2"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/suites"
)

// brokenRules is mistakes of HTTP/2, frame by frame.
var brokenRules = []breakage{
	{"a frame of another type ends the connection", suites.H2C, mangled(fatal(0xfe), nil), []string{"http2-unknown-ignored"}},
	{"a promise is ignored", suites.H2C, mangled(withoutFrames(http2.FramePushPromise), nil), []string{"http2-connection-errors"}},
	{"a body that was cut is at its end", suites.H2C, h2c(wrapped(cutIsEnd)), []string{"http2-malformed-responses"}},
	{"no PING is answered", suites.H2C, mangled(nil, withoutFrames(http2.FramePing)), []string{"http2-pings-answered"}},
	{"the settings of the server are not looked at", suites.H2C, mangled(withoutFrames(http2.FrameSettings), nil), []string{"http2-window-kept"}},
	{"the sizes of HTTP2 are not looked at", suites.H2C, ignoresHTTP2Config, []string{"http2-config-sizes"}},
}

// brokenCallbacks is mistakes of what happens while a callback runs, or in it.
var brokenCallbacks = []breakage{
	{"a cancellation is ignored once there is a connection", 0, wrapped(deafWithConnection), []string{"cancel-at-callbacks"}},
	{"a place that a failure had taken is not free again", 0, wrappedEach(placesLost), []string{"cancel-in-callback", "cancel-bodyless"}},
	{"a cancellation is an error of the dialer", 0, rewiredAnd(nameless), []string{"cancel-beside-failure"}},
	{"a body that was not sent is not closed", 0, wrapped(unclosed), []string{"retry-at-callback"}},
	{"a connection that has ended has its place among the idle ones", 0, ignoring("MaxIdleConnsPerHost"), []string{"idle-room-again"}},
	{"an end that comes with data is overlooked", 0, rewired(endsOverlooked), []string{"idle-end-with-data"}},
	{"requests are remembered", 0, remembering(), []string{"leak-failed", "leak-dials"}},
}

// rewiredAnd makes a transport on which a case can set each field, with something between it and
// the caller.
func rewiredAnd(do func(http.RoundTripper, *http.Request) (*http.Response, error)) harness.Maker {
	return func(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
		rt, err := rewired(func(*http.Transport) {})(t, s)
		rt.(*rewiredTransport).do = do
		return rt, err
	}
}

func endsOverlooked(tr *http.Transport) {
	dial := tr.DialContext
	tr.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return endOverlooked{c}, nil
	}
}

type endOverlooked struct{ net.Conn }

func (c endOverlooked) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 && err == io.EOF {
		err = nil
	}
	return n, err
}
