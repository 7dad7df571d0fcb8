package pool

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

// A textRow is a way to an error.
type textRow struct {
	name string
	want string // a part of what net/http says, or the row is about something else
	set  func(tr *Transport)
	req  func(req *http.Request)                             // changes GET http://api.test/
	peer func(c net.Conn)                                    // serves each connection
	use  func(rt http.RoundTripper, req *http.Request) error // in place of tryAll
}

// Each error has the words that net/http's has, behind "pool: " where net/http names
// itself, and not a peer, the network or another package: programs look for them.
func TestErrorTexts(t *testing.T) {
	textCerts = certServer(t).TLS.Certificates
	for _, row := range slices.Concat(requestTexts, dialTexts, responseTexts, cancelTexts, http2Texts) {
		t.Run(row.name, func(t *testing.T) {
			theirs := row.text(t, func(tr *Transport) http.RoundTripper { return tr.standard() })
			ours := row.text(t, func(tr *Transport) http.RoundTripper { return tr })
			// net/http names a SOCKS proxy by its address.
			theirs = strings.ReplaceAll(theirs, "198.18.0.1:80->api", "proxy.test:80->api")
			if !strings.Contains(theirs, row.want) {
				t.Fatalf("net/http: got %q, want %q in it", theirs, row.want)
			}
			if !strings.Contains(plainText(ours), plainText(theirs)) {
				t.Errorf("got\n%s\nwant the words of\n%s", ours, theirs)
			}
			if named := plainText(theirs) != theirs && theirs != http.ErrSchemeMismatch.Error(); named && !strings.HasPrefix(ours, "pool: ") {
				t.Errorf("got\n%s\nwant pool to name itself where net/http does:\n%s", ours, theirs)
			}
			if strings.Contains(ours, "net/http: ") {
				t.Errorf("got\n%s\nwant pool not to call itself net/http", ours)
			}
		})
	}
}

var textCerts []tls.Certificate

// plainText removes from an error what a package calls itself.
func plainText(s string) string {
	return strings.NewReplacer("net/http: ", "", "http: ", "", "pool: ", "").Replace(s)
}

// text returns the error that the row comes to.
func (row *textRow) text(t *testing.T, subject func(*Transport) http.RoundTripper) (text string) {
	synctest.Test(t, func(t *testing.T) {
		mem, l := memory("api.test:80")
		over := make(chan struct{})
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				go func() {
					<-over
					c.Close()
				}()
				if row.peer != nil {
					go row.peer(c)
				}
			}
		}()
		tr := &Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return mem.DialContext(ctx, network, "api.test:80")
		}}
		if row.set != nil {
			row.set(tr)
		}
		rt := subject(tr)
		req, _ := http.NewRequestWithContext(t.Context(), "GET", "http://api.test/", nil)
		if row.req != nil {
			row.req(req)
		}
		use := row.use
		if use == nil {
			use = tryAll
		}
		if err := use(rt, req); err != nil {
			text = err.Error()
		}
		l.Close()
		close(over)
		rt.(interface{ CloseIdleConnections() }).CloseIdleConnections()
	})
	if text == "" {
		t.Fatal("got no error")
	}
	return text
}

// tryAll sends a request and reads the response to its end.
func tryAll(rt http.RoundTripper, req *http.Request) error {
	resp, err := rt.RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.ReadAll(resp.Body)
	return err
}

// says returns a peer that sends s once it has read a request, and hangs up.
func says(s string) func(net.Conn) {
	return func(c net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
			io.WriteString(c, crlf(s))
		}
		c.Close()
	}
}

// saysAndStays returns a peer that does not hang up.
func saysAndStays(s string) func(net.Conn) {
	return func(c net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
			io.WriteString(c, crlf(s))
		}
	}
}

func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }
