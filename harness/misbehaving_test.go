package harness_test

import (
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/halfopen/halfopen/harness"
)

// A panic or a Goexit of the code under test fails its test, wherever it happens, in words
// that name it and its line; and so do verbs that are used wrongly. The next test runs.
func TestMisbehaving(t *testing.T) {
	const url = "http://api.test/"
	for _, c := range []struct {
		name string
		body func(t *harness.T)
		want string // how the report begins
	}{
		{"reading a response panics", func(t *harness.T) {
			t.Get("r1", answering(panicking{read: true}), url).Finish()
		}, "r1: reading its response body: panic: read\n    harness_test.panicking.Read misbehaving_test.go:"},
		{"closing a response panics", func(t *harness.T) {
			t.Get("r1", answering(panicking{close: true}), url).CloseBody()
		}, "r1: closing its response body: panic: close\n    harness_test.panicking.Close misbehaving_test.go:"},
		{"reading ends its goroutine", func(t *harness.T) {
			t.Get("r1", answering(panicking{goexit: true}), url).Finish()
		}, "r1: got a call of the body did not return while reading the body, want its end  (misbehaving_test.go:"},
		{"a round trip panics", func(t *harness.T) {
			t.Get("r1", roundTripper(func(*http.Request) (*http.Response, error) { panic("mine") }), url)
		}, "r1: panic: mine\n"},
		{"a handler panics", func(t *harness.T) {
			t.Serve("api.test:80", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("mine") }))
			t.Get("r1", t.Net.Transport(), url).Await()
		}, "a handler: panic: mine\n    harness_test.TestMisbehaving."},
		{"a handler aborts its response", func(t *harness.T) {
			t.Serve("api.test:80", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
			t.Get("r1", t.Net.Transport(), url).WantErr(io.EOF)
		}, "a handler aborts its response: held\n"},
		{"a handler ends its goroutine", func(t *harness.T) {
			t.Serve("api.test:80", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { runtime.Goexit() }))
			t.Get("r1", t.Net.Transport(), url).Await()
		}, "a handler called runtime.Goexit\n"},
		{"a test inside a test", func(t *harness.T) {
			harness.Test(t, func(*harness.T) {})
		}, "a test of the harness begins inside another one, or in a bubble of testing/synctest: each has a bubble of its own  (misbehaving_test.go:"},
		{"names that resolve to each other", func(t *harness.T) {
			t.Net.Resolve("api.test", "b.test")
			t.Net.Resolve("b.test", "api.test")
			t.Get("r1", t.Net.Transport(), url).WantStatus(200)
		}, "r1: got error: dial tcp: lookup api.test: no such host, want status 200"},
		{"time after time ends", func(t *harness.T) {
			t.Advance(290 * 365 * 24 * time.Hour)
		}, "virtual time ends with the year 2260, and 2540400h0m0s more would pass that"},
	} {
		t.Run(c.name, func(t *testing.T) {
			report := harness.TestReport(c.name, c.body).String()
			if !strings.HasPrefix(report, c.want) {
				t.Errorf("got:\n%s\nwant it to begin with %q", report, c.want)
			}
			if lines := strings.Count(report, "\n"); lines > 60 {
				t.Errorf("got %d lines, want a screen at most", lines)
			}
			if next := harness.TestReport("next", func(*harness.T) {}); next.Failed() {
				t.Errorf("the next test: got %s", next)
			}
		})
	}
}

// Goroutines that are left in the same way are one line, with their number.
func TestManyLeft(t *testing.T) {
	out := elsewhere(t, func() {
		fmt.Println(harness.TestReport("many", func(*harness.T) {
			for range 10_000 {
				go func() { select {} }()
			}
		}))
	})
	if !strings.Contains(out, " (10000 of them)\n") || strings.Count(out, "\n") > 30 {
		t.Errorf("got:\n%.2000s\nwant one line for all of them", out)
	}
}

// A test that is skipped in its body is skipped.
func TestSkipInside(t *testing.T) {
	skipped := t.Run("inside", func(t *testing.T) {
		harness.Test(t, func(*harness.T) { t.Skip("not today") })
		t.Error("got past the test, want it skipped")
	})
	if !skipped {
		t.Error("got a failure, want the test skipped")
	}
}

// A T that is used after its test panics with a sentence.
func TestLateUse(t *testing.T) {
	var late *harness.T
	harness.Test(t, func(t *harness.T) { late = t })
	defer func() {
		if got := recover(); got != "harness: a T is used after its test has ended" {
			t.Errorf("got %v", got)
		}
	}()
	late.Settle()
}

// panicking is a response body that fails in the way that is set.
type panicking struct{ read, close, goexit bool }

func (b panicking) Read(p []byte) (int, error) {
	if b.read {
		panic("read")
	}
	if b.goexit {
		runtime.Goexit()
	}
	return 0, io.EOF
}

func (b panicking) Close() error {
	if b.close {
		panic("close")
	}
	return nil
}

// answering returns a transport that answers each request with that body.
func answering(body io.ReadCloser) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: body, Request: req, ProtoMajor: 1, ProtoMinor: 1}, nil
	})
}
