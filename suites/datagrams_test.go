package suites_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/suites"
)

// letters is a transport of HTTP over datagrams, as small as it gets: a request is one of them,
// and so is its answer. It is no HTTP/3, but a protocol of which package harness has no server.
type letters struct {
	t     *harness.T
	twice bool // a mistake: each request is sent twice, whatever its method
	keeps bool // a mistake: sockets are not closed
}

func (l *letters) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != "https" {
		return nil, errors.New("letters: not https")
	}
	c, err := l.t.Net.DialPacket("udp", req.URL.Hostname()+":443")
	if err != nil {
		return nil, err
	}
	if !l.keeps {
		defer c.Close()
	}
	var b bytes.Buffer
	if err := req.Write(&b); err != nil {
		return nil, err
	}
	for range map[bool]int{false: 1, true: 2}[l.twice] {
		if _, err := c.Write(b.Bytes()); err != nil {
			return nil, err
		}
	}
	c.SetReadDeadline(time.Now().Add(time.Second))
	answer := make([]byte, 1<<16)
	n, err := c.Read(answer)
	if err != nil {
		return nil, err
	}
	return http.ReadResponse(bufio.NewReader(bytes.NewReader(answer[:n])), req)
}

// serveLetters runs the server of letters: it is a [suites.Server].
func serveLetters(t *harness.T, addr string, h http.Handler) {
	t.ServeUDP(addr, h, func(c net.PacketConn, config *tls.Config, h http.Handler) func() {
		if len(config.Certificates) == 0 && config.GetCertificate == nil && config.GetConfigForClient == nil {
			t.Error("the configuration has no certificate")
		}
		go func() {
			b := make([]byte, 1<<16)
			for {
				n, from, err := c.ReadFrom(b)
				if err != nil {
					return
				}
				req, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(bytes.Clone(b[:n]))))
				if err != nil {
					continue
				}
				go func() {
					w := httptest.NewRecorder()
					h.ServeHTTP(w, req)
					var answer bytes.Buffer
					w.Result().Write(&answer)
					c.WriteTo(answer.Bytes(), from)
				}()
			}
		}()
		return func() {}
	})
}

func lettersSubject(l letters) suites.Subject {
	return suites.Subject{Name: "letters", Protocol: suites.H3, Server: serveLetters,
		Maker: func(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
			made := l
			made.t = t
			return &made, s.Apply(&made)
		}}
}

// Cases are put to a transport over datagrams, by the server that its subject brings: they hold,
// and they notice its mistakes.
func TestServerOfSubject(t *testing.T) {
	for _, tt := range []struct {
		cases, want string
		letters     letters
		state       suites.State
	}{
		{"reuse-after-post", "", letters{}, suites.Failed}, // there is nothing to use again
		{"retry-post-once", "", letters{}, suites.Held},
		{"retry-post-once", "sent to a server 2 times", letters{twice: true}, suites.Failed},
		{"body-gzip-off", "", letters{}, suites.NotApplicable},
		{"retry-post-once", "the socket that sends datagrams to api.test:443: still open", letters{keeps: true}, suites.Failed},
		{"conn-separate", "", letters{}, suites.NotApplicable},
		{"http2-reset-once", "", letters{}, suites.NotApplicable},
	} {
		i := slices.IndexFunc(suites.Cases(), func(c suites.Case) bool { return c.Name == tt.cases })
		r := lettersSubject(tt.letters).Run(suites.Cases()[i])
		if r.State != tt.state || !strings.Contains(r.Report, tt.want) {
			t.Errorf("%s of %+v: got %s %s\n%s\nwant %s with %q", tt.cases, tt.letters, r.State, r.Reason, r.Report, tt.state, tt.want)
		}
	}
	s := lettersSubject(letters{})
	s.Server = nil
	if r := s.Run(suites.Cases()[0]); r.State == suites.Held || r.State == suites.Quirky {
		t.Errorf("a subject without a server: got %s", r.State)
	}
	i := slices.IndexFunc(suites.Cases(), func(c suites.Case) bool { return c.Name == "retry-post-once" })
	if r := s.Run(suites.Cases()[i]); r.State != suites.Failed || !strings.Contains(r.Report, "set Subject.Server") {
		t.Errorf("got %s\n%s\nwant that the server is missing", r.State, r.Report)
	}
}

// A server over datagrams is back when its host was restarted, and its requests are counted.
func TestServerRestarted(t *testing.T) {
	r := harness.TestReport(t.Name(), func(t *harness.T) {
		serveLetters(t, "api.test:443", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello") }))
		l := &letters{t: t}
		t.Get("r1", l, "https://api.test/").WantBody("hello")
		t.Net.Kill("api.test:443")
		t.Get("r2", l, "https://api.test/").WantErr(syscall.ECONNREFUSED)
		t.Net.Restart("api.test")
		r3 := t.Get("r3", l, "https://api.test/")
		r3.WantBody("hello")
		r3.WantSent(1)
	})
	if r.Failed() {
		t.Errorf("%s", r)
	}
}
