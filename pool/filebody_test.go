package pool_test

import (
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/pool"
)

// A file goes to the connection as a file, so that the kernel can send it; any
// other body in pieces, none of them empty.
func TestFileBodyUncopied(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f")
	want := strings.Repeat("0123456789abcdef", 1000)
	os.WriteFile(name, []byte(want), 0o600)
	for _, file := range []bool{true, false} {
		harness.Test(t, func(t *harness.T) {
			tr := scripted(t, &pool.Transport{})
			f, err := os.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			var body io.ReadCloser = f
			if !file {
				body = struct{ io.ReadCloser }{f}
			}
			req := request("PUT", body)
			req.ContentLength = int64(len(want))
			conn, dial := &filing{}, tr.DialContext
			tr.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
				c, err := dial(ctx, network, addr)
				conn.Conn = c
				return conn, err
			}
			r1 := t.Start("r1", tr, req)
			c1 := t.Net.WantDial().Open()
			if got := content(t, received(t, c1)); got != want {
				t.Errorf("file %v: got a body of %d bytes, want %d", file, len(got), len(want))
			}
			c1.Send(ok0)
			r1.WantBody("")
			if conn.files > 0 != file || conn.empty > 0 {
				t.Errorf("file %v: got %d files and %d empty writes", file, conn.files, conn.empty)
			}
		})
	}
}

// A filing connection counts what it is given.
type filing struct {
	net.Conn
	files, empty int
}

func (c *filing) Write(p []byte) (int, error) {
	if len(p) == 0 {
		c.empty++
	}
	return c.Conn.Write(p)
}

func (c *filing) ReadFrom(r io.Reader) (int64, error) {
	if limited, ok := r.(*io.LimitedReader); ok {
		if _, ok := limited.R.(*os.File); ok {
			c.files++
		}
	}
	return io.Copy(c.Conn, r)
}

// A file that the server does not want is not sent either.
func TestFileBodyWithheld(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f")
	os.WriteFile(name, make([]byte, 10000), 0o600)
	harness.Test(t, func(t *harness.T) {
		tr := scripted(t, &pool.Transport{ExpectContinueTimeout: time.Hour})
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		req := request("PUT", f)
		req.ContentLength = 10000
		req.Header.Set("Expect", "100-continue")
		r1 := t.Start("r1", tr, req)
		c1 := t.Net.WantDial().Open()
		c1.WantRequest("PUT / HTTP/1.1")
		c1.Send("HTTP/1.1 417 No\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno")
		r1.WantDone(nil)
		wantNothing(t, c1, "the connection ends here")
		r1.WantBody("no")
	})
}
