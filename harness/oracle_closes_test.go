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

// counted is a request body of a type of its own.
type counted struct {
	io.Reader
	err error // of Read, in place of the end
}

func (b counted) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF && b.err != nil {
		err = b.err
	}
	return n, err
}

func (counted) Close() error { return nil }

// The body of a request is closed, whatever its result, at the latest when all is over.
func TestRequestBodiesAreClosed(t *testing.T) {
	type roundTrip = func(*http.Transport, *http.Request) (*http.Response, error)
	pass := (*http.Transport).RoundTrip
	const never = "r1: its request body was never closed"
	for _, c := range []struct {
		name string
		url  string
		body io.ReadCloser
		rt   roundTrip
		then func(t *harness.T, r *harness.Request)
		want string
	}{
		{"refused, and left open", "http://api.test/", counted{Reader: strings.NewReader("x")}, func(_ *http.Transport, req *http.Request) (*http.Response, error) {
			return nil, errors.New("no, thanks")
		}, nil, never},
		{"answered, and left open", "http://api.test/", counted{Reader: strings.NewReader("x")}, func(tr *http.Transport, req *http.Request) (*http.Response, error) {
			sent := req.Clone(req.Context())
			sent.Body = io.NopCloser(req.Body)
			return tr.RoundTrip(sent)
		}, nil, never},
		{"closed twice", "http://api.test/", counted{Reader: strings.NewReader("x")}, func(tr *http.Transport, req *http.Request) (*http.Response, error) {
			defer req.Body.Close()
			return tr.RoundTrip(req)
		}, nil, "held"},
		{"closed twice, strictly", "http://api.test/", counted{Reader: strings.NewReader("x")}, func(tr *http.Transport, req *http.Request) (*http.Response, error) {
			defer req.Body.Close()
			return tr.RoundTrip(req)
		}, func(t *harness.T, r *harness.Request) { t.Strict() }, "r1: its request body was closed 2 times"},
		{"answered", "http://api.test/echo", counted{Reader: strings.NewReader("x")}, pass, nil, "held"},
		{"refused", "gopher://api.test/", counted{Reader: strings.NewReader("x")}, pass, nil, "held"},
		{"its Read fails", "http://api.test/echo", counted{strings.NewReader("x"), io.ErrUnexpectedEOF}, pass, nil, "held"},
		{"answered early, and the answer closed early", "http://api.test/bytes/100000", counted{Reader: strings.NewReader(strings.Repeat("x", 1<<20))}, pass,
			func(t *harness.T, r *harness.Request) { r.CloseBody() }, "held"},
		{"closed by a goroutine of the transport's", "http://api.test/", counted{Reader: strings.NewReader("x")}, func(_ *http.Transport, req *http.Request) (*http.Response, error) {
			ctx, body := req.Context(), req.Body
			context.AfterFunc(ctx, func() { body.Close() })
			return nil, errors.New("no, thanks")
		}, func(t *harness.T, r *harness.Request) { r.Cancel() }, "held"},
		{"in memory: nothing is left of it", "http://api.test/", io.NopCloser(strings.NewReader("x")), func(_ *http.Transport, req *http.Request) (*http.Response, error) {
			return nil, errors.New("no, thanks")
		}, nil, "held"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := first(harness.TestReport(c.name, func(t *harness.T) {
				t.Serve("api.test:80", nil)
				req, _ := http.NewRequest("POST", c.url, nil)
				req.Body, req.ContentLength = c.body, -1
				r := t.Start("r1", between{t.Net.Transport(), c.rt}, req)
				switch {
				case c.then != nil:
					c.then(t, r)
				case r.Err() == nil:
					r.Finish()
				}
				if c.then != nil && r.Err() == nil && strings.HasPrefix(c.name, "closed twice") {
					r.Finish()
				}
			}))
			if got != c.want {
				t.Errorf("got %s\nwant %s", got, c.want)
			}
		})
	}
}
