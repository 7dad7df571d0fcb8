//go:build linux

package faultnet_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing/iotest"
	"time"
)

// What programs ask of a *net.TCPConn by an assertion of its methods.
var optionCases = []differential{
	// Options.
	{claim: "options of an open connection can be set",
		script: "c nodelay 0; c nodelay 1; c keepalive 1; c keepalive 0; c keepperiod 30; c keepconfig 30; c write hi; s read 10"},
	{claim: "options of a closed connection cannot be set",
		script: "c close; c nodelay 1; c keepalive 1; c keepperiod 30; c keepconfig 30; c readbuffer 64K; c writebuffer 64K"},
	{claim: "options can be set after the peer's close",
		script: "s close; c nodelay 1; c keepalive 1; c keepperiod 30; c keepconfig 30; c readbuffer 64K; c writebuffer 64K; c read 1"},
	{claim: "options can be set after a reset and leave the error",
		script: "s linger 0; s close; c nodelay 1; c keepalive 1; c keepperiod 30; c keepconfig 30; c read 1; c read 1"},
	{claim: "a keep-alive period of 32767 seconds is the longest",
		script: "c keepperiod 32767; c keepperiod 32768; c keepconfig 32768; c write hi; s read 10"},
	{claim: "a keep-alive period of 0 is the default, and a negative one changes nothing",
		script: "c keepperiod 0; c keepperiod -1; c keepconfig 0; c keepconfig -1"},
	{claim: "a keep-alive count of 127 is the largest",
		script: "c keepcount 127; c keepcount 128; c keepcount 0; c keepcount -1"},
	{claim: "the close comes before an option that is invalid",
		script: "c close; c keepperiod 32768; c keepcount 128"},

	// Buffers.
	{claim: "buffers can be set to anything",
		script: "c readbuffer 0; c readbuffer -1; c readbuffer 1M; c writebuffer 0; c writebuffer -1; c writebuffer 1M; c write hi; s read 10"},
	{claim: "a large write passes a small buffer whole",
		script: "c writebuffer 0; c write 64K; s readfull 64K; c close; s read 1"},
	{claim: "a large write blocks on small buffers and ends in the middle",
		script: "s readbuffer 8K; c writebuffer 8K; c write 1M; c writedeadline past; c close; s drain"},
	{claim: "what the buffer holds stays as it is made smaller",
		script: "c write 1K; s readbuffer 0; s readfull 1K; c close; s read 1"},

	// ReadFrom.
	{claim: "readfrom writes what it reads",
		script: "c readfrom hello; s read 10; c readfrom hello; c close; s read 10; s read 1"},
	{claim: "readfrom of nothing writes nothing",
		script: "c readfrom 0; c write hi; s read 10"},
	{claim: "readfrom of much waits for the reader",
		script: "c readfrom 16M; s readfull 16M; c close; s read 1"},
	{claim: "readfrom fails with the error of what it reads",
		script: "c readfrom error; s read 10; c write hi; s read 10"},
	{claim: "readfrom fails with the error of its write",
		script: "c closewrite; c readfrom hello; c close; c readfrom hello"},
	{claim: "readfrom ends in the middle with a reset",
		script: "c readfrom 16M; s linger 0; s close; c readfrom x; c read 1"},
	{claim: "readfrom ends in the middle with the own close",
		script: "c readfrom 16M; c linger 0; c close; s drain"},
	{claim: "readfrom ends in the middle with a past deadline",
		script: "c readfrom 16M; c writedeadline past; c linger 0; c close; s drain"},
	{claim: "readfrom reports a reset",
		script: "s linger 0; s close; c readfrom x; c readfrom x; c read 1"},

	// WriteTo.
	{claim: "writeto reads until the end",
		script: "s write hello; s close; c writeto; c writeto"},
	{claim: "writeto waits for the end",
		script: "c writeto; s write 0; s closewrite; c write hi; s read 10"},
	{claim: "writeto reads much",
		script: "s write 1K; s write 1K; s close; c writeto"},
	{claim: "writeto reports a reset, with what came before",
		script: "s write hello; c read 1; s linger 0; s close; c writeto; c writeto"},
	{claim: "writeto ends with the own close",
		script: "c writeto; c close; c writeto"},
	{claim: "writeto ends with a past deadline",
		script: "c writeto; c readdeadline past; c readdeadline none; s write hi; c read 10"},
	{claim: "writeto ends with closeread",
		script: "c writeto; c closeread; s read 0; c write hi; s read 10"},
	{claim: "a blocked writeto and readfrom end with the own close",
		script: "c writeto; c readfrom 16M; c linger 0; c close"},
	{claim: "a reset of a blocked writeto and readfrom is reported to the readfrom",
		script: "c writeto; c readfrom 16M; s linger 0; s close; c read 1; c write x",
		either: map[string]string{"c writeto": "errno=104", "c readfrom 16M": "errno=32"}},
}

// optionCall returns the call of a verb of these cases, or nil for another verb.
func (p *scriptRun) optionCall(c tcpEnd, st step) func() string {
	n := stepNumber(st.arg)
	seconds := time.Duration(n) * time.Second
	if st.arg == "-1" {
		n, seconds = -1, -1
	}
	set := func(do func() error) func() string { return func() string { return describe(do()) } }
	switch st.verb {
	case "nodelay":
		return set(func() error { return c.SetNoDelay(n == 1) })
	case "keepalive":
		return set(func() error { return c.SetKeepAlive(n == 1) })
	case "keepperiod":
		return set(func() error { return c.SetKeepAlivePeriod(seconds) })
	case "keepconfig":
		return set(func() error {
			return c.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: 1, Interval: seconds})
		})
	case "keepcount":
		return set(func() error { return c.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Count: n}) })
	case "readbuffer":
		return set(func() error { return c.SetReadBuffer(n) })
	case "writebuffer":
		return set(func() error { return c.SetWriteBuffer(n) })
	case "readfrom":
		return func() string {
			n, err := c.ReadFrom(readFromSource(st.arg))
			return amount(int(n), max(stepNumber(st.arg), 0)) + " " + describe(err)
		}
	case "writeto":
		return func() string {
			var b bytes.Buffer
			n, err := c.WriteTo(&b)
			text := fmt.Sprintf("%q", b.Bytes())
			if b.Len() > 100 {
				text = "much"
			}
			return fmt.Sprint(n, " ", text, " ", describe(err))
		}
	}
	return nil
}

// readFromSource returns what readfrom reads: a text, so many bytes of a large write,
// or a text with an error behind it.
func readFromSource(arg string) io.Reader {
	if n := stepNumber(arg); n >= 0 {
		b := make([]byte, n)
		fill(b)
		return struct{ io.Reader }{bytes.NewReader(b)}
	}
	source := struct{ io.Reader }{strings.NewReader(arg)}
	if arg == "error" {
		return io.MultiReader(source, iotest.ErrReader(errors.New("the source is broken")))
	}
	return source
}
