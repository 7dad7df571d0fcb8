package pool

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
)

// A server that closes its end after a response, without a word, is noticed before the
// first byte of a request goes out that cannot be sent again: it goes elsewhere. On one
// processor that is so as soon as the read loop reads before the write loop writes.
func TestUnannouncedClose(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for _, body := range []string{"", "hello"} {
		for _, method := range []string{"POST", "PUT", "GET"} {
			for _, perConn := range []int{1, 2} {
				synctest.Test(t, func(t *testing.T) {
					mem, l := memory("api.test:80")
					defer l.Close()
					go hangUp(l, perConn, body)
					tr := idle(t, &Transport{DialContext: mem.DialContext})
					failed := 0
					const requests = 200
					for range requests {
						if _, err := send(tr, method); err != nil {
							failed++
						}
					}
					synctest.Wait()
					if st := tr.Stats(); failed > requests/100 || st.Dials != requests/uint64(perConn) {
						t.Errorf("%s, response %q, %d requests a connection: got %d errors of %d, and\n%s", method, body, perConn, failed, requests, st)
					}
				})
			}
		}
	}
}

func send(rt http.RoundTripper, method string) (string, error) {
	req, err := http.NewRequest(method, "http://api.test/", strings.NewReader("payload"))
	if err != nil {
		return "", err
	}
	resp, err := rt.RoundTrip(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return string(b), err
}

// hangUp answers so many requests on each connection, and closes it then.
func hangUp(l net.Listener, perConn int, body string) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			br := bufio.NewReader(c)
			for range perConn {
				req, err := http.ReadRequest(br)
				if err != nil {
					return
				}
				io.Copy(io.Discard, req.Body)
				(&http.Response{StatusCode: 200, ProtoMajor: 1, ProtoMinor: 1, ContentLength: int64(len(body)),
					Body: io.NopCloser(strings.NewReader(body))}).Write(c)
			}
		}()
	}
}
