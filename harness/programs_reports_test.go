package harness_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/harness"
)

// reports is programs of whose failures there is too much to print.
var reports = []program{
	{does: "an error text is ten megabytes", run: once(func(t *harness.T) { t.Error(strings.Repeat("x", 10<<20)) }), want: "xxx"},
	{does: "an error text is a hundred thousand lines", run: once(func(t *harness.T) { t.Error(strings.Repeat("line\n", 100_000)) }), want: "line\n"},
	{does: "a test fails a hundred thousand times", run: once(func(t *harness.T) {
		for i := range 100_000 {
			t.Error("number", i)
		}
	}), want: "number 0"},
	{does: "an error text has control bytes", run: once(func(t *harness.T) { t.Error("red: \x1b[31m\x00\x07\r\x7f") }), want: `red: \x1b[31m\x00\a\r\x7f`},
	{does: "a test logs ten megabytes", run: once(func(t *harness.T) { t.Log(strings.Repeat("x", 10<<20)); t.Error("end") }), want: "end"},
	{does: "a panic's value is ten megabytes", run: once(func(*harness.T) { panic(strings.Repeat("x", 10<<20)) }), want: "panic: xxx"},
	{does: "a reason is ten megabytes", run: once(func(t *harness.T) { t.Net.WantConns(7, strings.Repeat("x", 10<<20)) }), want: "xxx"},
	{does: "an operation fails with ten megabytes", run: once(func(t *harness.T) {
		t.Do(t.Context(), "a", func(context.Context) error { return errors.New(strings.Repeat("x", 10<<20)) }).WantErr(io.EOF)
	}), want: "want error: EOF"},
	{does: "a response is a megabyte, and another was wanted", run: once(func(t *harness.T) {
		t.Serve("api.test:80", nil)
		t.Get("r1", t.Net.Transport(), apiURL+"bytes/1000000").WantBody("x")
	}), want: "r1: got body "},
	{does: "another megabyte was wanted", run: once(func(t *harness.T) {
		t.Serve("api.test:80", nil)
		t.Get("r1", t.Net.Transport(), apiURL).WantBody(strings.Repeat("x", 1<<20))
	}), want: "want "},
	{does: "a response is a thousand lines", run: once(func(t *harness.T) {
		t.Serve("api.test:80", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, strings.Repeat("line\n", 1000)) }))
		t.Get("r1", t.Net.Transport(), apiURL).WantBody("x")
	}), want: "r1: got body "},
	{does: "a thousand connections are open as the test fails", run: once(func(t *harness.T) {
		t.Peer("api.test:80")
		for range 1000 {
			t.Net.DialContext(t.Context(), "tcp", "api.test:80")
		}
		t.Error("seen")
	}), want: "seen"},
	{does: "a thousand connections are left", run: once(func(t *harness.T) {
		t.Peer("api.test:80")
		for range 1000 {
			t.Net.DialContext(t.Context(), "tcp", "api.test:80")
		}
	}), want: "c1"},
	{does: "a thousand dials are held as the test fails", run: once(func(t *harness.T) {
		t.Net.Hold("dial")
		for range 1000 {
			go t.Net.DialContext(t.Context(), "tcp", "api.test:80")
		}
		t.Settle()
		t.Error("seen")
	}), want: "seen"},
	{does: "a dial goes to a name of a megabyte", run: once(func(t *harness.T) {
		t.Net.DialContext(t.Context(), "tcp", strings.Repeat("x", 1<<20)+":80")
		t.Error("seen")
	}), want: "seen"},
	{does: "a URL is a megabyte", run: once(func(t *harness.T) {
		t.Serve("api.test:80", nil)
		t.Get("r1", t.Net.Transport(), apiURL+strings.Repeat("x", 1<<20)).WantStatus(200)
	}), want: "bytes left out) ..."},
	{does: "a server says a megabyte and a control byte", run: once(func(t *harness.T) {
		t.Peer("api.test:80")
		t.Get("r1", t.Net.Transport(), apiURL)
		t.Conn("c1").Send("\x1b[2J" + strings.Repeat("x", 60_000))
		t.Error("seen")
	}), want: "seen"},
	{does: "an exploration has a thousand outcomes", run: func() func(*testing.T) string {
		n := 0
		return exploring(func(t *harness.T) { n++; t.Outcome("number %d", n) })
	}(), want: "explored "},
	{does: "an exploration's outcome is a megabyte", run: exploring(func(t *harness.T) { t.Outcome("%s", strings.Repeat("x", 1<<20)) }), want: "explored "},
	{does: "a script has control bytes", run: scripted("# claim\nserve api.test:80\nget r1 http://api.test/\x1b[31m\nwant status r1 404\n"), want: "program.txtar:"},
	{does: "a script's verb has control bytes", run: scripted("# claim\n\x1b[31mserve\x07 api.test:80\n"), want: "program.txtar:2: "},
	{does: "a script's comment has control bytes", run: scripted("# \x1b[31m\nserve api.test:80\nget r1 http://api.test/\nwant status r1 404\n"), want: "want status 404"},
	{does: "a script's line is a megabyte", run: scripted("# claim\nserve " + strings.Repeat("x", 1<<20) + "\n"), want: "bad address \"xxx"},
	{does: "a script has a hundred thousand lines", run: scripted("# claim\nserve api.test:80\n" + strings.Repeat("rest\n", 100_000) + "want conns 7\n"), want: "want 7"},
}
