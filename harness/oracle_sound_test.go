package harness_test

import (
	"bufio"
	"bytes"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/harness"
)

// A connection on which a request failed is not for another one, unless its answer was read to
// its end: a client that gives up after an answer, such as a 500, fails the request, and its
// connection is sound.
func TestBrokenHandedOut(t *testing.T) {
	const sent = "r2: sent on c1, on which r1 had failed"
	for _, c := range []struct {
		name, method, body, answer, rest, want string
	}{
		{"whole", "GET", "", "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 2\r\n\r\nno", "", "held"},
		{"no content", "HEAD", "", "HTTP/1.1 500 Internal Server Error\r\n\r\n", "", "held"},
		{"whole, with a body", "POST", "body", "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n", "", "held"},
		{"whole, with a body in chunks", "POST", "chunks", "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n", "", "held"},
		{"in the midst of its body", "POST", "part", "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n", "", sent},
		{"in part", "GET", "", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nno", "no", sent},
		{"in chunks, in part", "GET", "", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n", "0\r\n\r\n", sent},
	} {
		r := harness.TestReport(c.name, func(t *harness.T) {
			t.Peer("api.test:80")
			pool := keepsAll{t: t}
			rt := failingFirst{&pool}
			req, _ := http.NewRequest(c.method, "http://api.test/", strings.NewReader(c.body))
			if c.body == "chunks" {
				req.ContentLength = -1
			}
			r1 := t.Start("r1", rt, req)
			c1 := t.Conn("c1")
			c1.Send(c.answer)
			r1.Await()
			r2 := t.Get("r2", rt, "http://api.test/")
			c1.Send(c.rest + "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			r2.Await()
			pool.c.Close()
		})
		if first(r) != c.want {
			t.Errorf("%s: got %s, want %s", c.name, first(r), c.want)
		}
	}
}

// keepsAll is a transport with one connection, on which all requests are sent, however those
// before have ended. It reads what has arrived of a body.
type keepsAll struct {
	t *harness.T
	c net.Conn
}

func (k *keepsAll) RoundTrip(req *http.Request) (*http.Response, error) {
	if k.c == nil {
		c, err := k.t.Net.DialContext(req.Context(), "tcp", "api.test:80")
		if err != nil {
			return nil, err
		}
		k.c = c
	}
	var b bytes.Buffer
	if err := req.Write(&b); err != nil {
		return nil, err
	}
	if _, err := k.c.Write(bytes.TrimSuffix(b.Bytes(), []byte("art"))); err != nil { // of a part, the first byte
		return nil, err
	}
	if req.Body != nil {
		req.Body.Close()
	}
	return http.ReadResponse(bufio.NewReader(k.c), req)
}

// failingFirst fails the request r1 when its answer has come.
type failingFirst struct{ http.RoundTripper }

func (f failingFirst) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := f.RoundTripper.RoundTrip(req)
	if err == nil && req.Header.Get(harness.RequestHeader) == "r1" {
		return nil, errors.New("no, thanks")
	}
	return resp, err
}
