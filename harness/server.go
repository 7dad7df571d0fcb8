package harness

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"

	"github.com/halfopen/halfopen/faultnet"
)

// Serve runs an [http.Server] with that handler on "host:port" of the network; it
// speaks HTTP/1 and, to those who begin with it, HTTP/2.
// A nil handler is [Pages]. The harness closes it at the end.
func (t *T) Serve(addr string, h http.Handler) *http.Server {
	t.step("serve", addr)
	if h != nil {
		t.served = append(t.served, "# Of a handler of the test's own, which no script can have:")
	}
	t.served = append(t.served, "serve "+addr)
	return t.serve(addr, h, nil)
}

// ServeTLS is Serve over TLS. Which protocols are spoken is what the
// configuration's NextProtos say; none means HTTP/1. A certificate must be valid
// in the bubble's year 2000. A nil configuration speaks both protocols, with a
// certificate for the host that [TrustedRoots] has signed.
func (t *T) ServeTLS(addr string, h http.Handler, config *tls.Config) *http.Server {
	t.step("serve", addr, "tls")
	if config == nil {
		config = tlsConfig(addr, nil)
	}
	return t.serve(addr, h, config)
}

func (t *T) serve(addr string, h http.Handler, config *tls.Config) *http.Server {
	if h == nil {
		h = http.HandlerFunc(Pages)
	}
	s := t.server(h)
	l := t.listen(addr)
	t.mu.Lock()
	t.servers = append(t.servers, s)
	t.mu.Unlock()
	set(&t.Net.hosts.served, addr, append(t.Net.hosts.served[addr], s))
	t.Net.servesAgain(addr, func() { t.serve(addr, h, config) })
	if config == nil {
		go s.Serve(l)
	} else {
		s.TLSConfig = config
		go s.ServeTLS(l, "", "")
	}
	t.rested()
	return s
}

func (t *T) server(h http.Handler) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		Handler:     t.told(h),
		Protocols:   protocols,
		ErrorLog:    log.New(logWriter{t}, "", 0),
		ConnContext: withConn,
	}
}

// withConn puts a server's connection, without TLS around it, into the context of
// its requests.
func withConn(ctx context.Context, c net.Conn) context.Context {
	if s, ok := c.(interface{ NetConn() net.Conn }); ok {
		c = s.NetConn()
	}
	return context.WithValue(ctx, connKey{}, c)
}

func (t *T) listen(addr string) net.Listener {
	l, err := t.Net.Listen("tcp", addr)
	if err != nil {
		t.fatal("usage", err.Error())
	}
	return l
}

type connKey struct{}

// told is h, but tells the harness which request came on which connection
// where the wire does not show it: under TLS and in HTTP/2.
func (t *T) told(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if c, ok := req.Context().Value(connKey{}).(*faultnet.Conn); ok {
			if c := t.conn(c); !c.wire.plain {
				t.sawRequest(req.Header.Get(RequestHeader), c)
			}
		}
		// The answer says what it answers: see Request.judge.
		w.Header()[RequestHeader] = req.Header[RequestHeader]
		if r := t.request(req.Header.Get(RequestHeader)); r != nil {
			r.answers(h, w, req)
		} else {
			h.ServeHTTP(w, req)
		}
	})
}

// logWriter makes a server's log lines part of the steps.
type logWriter struct{ t *T }

func (w logWriter) Write(p []byte) (int, error) {
	// A panic in a handler is logged with its stack, whose addresses differ
	// from run to run: the first line says what happened.
	line, _, _ := strings.Cut(string(p), "\n")
	w.t.log("server: " + line)
	return len(p), nil
}

// Pages is a handler for scripts. What it answers is in the path:
//
//	/bytes/N    N bytes
//	/status/N   that status code
//	/echo       the body of the request
//	/close      "ok" and Connection: close
//	/hang       nothing until the client goes away
//	/answer/X   the wrong answer of that name: see [Answers]
//	/...        "ok"
func Pages(w http.ResponseWriter, req *http.Request) {
	page, arg, _ := strings.Cut(strings.TrimPrefix(req.URL.Path, "/"), "/")
	n, err := strconv.Atoi(arg)
	switch {
	case page == "bytes" && err == nil:
		w.Header().Set("Content-Length", arg)
		io.CopyN(w, zeros{}, int64(n))
	case page == "status" && err == nil && n >= 200 && n <= 599:
		w.WriteHeader(n)
	case page == "echo":
		io.Copy(w, req.Body)
	case page == "close":
		w.Header().Set("Connection", "close")
		io.WriteString(w, "ok")
	case page == "answer":
		misbehave(w, req, arg)
	case page == "hang":
		<-req.Context().Done()
	default:
		io.WriteString(w, "ok")
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '0'
	}
	return len(p), nil
}

// Peer is a scripted server on "host:port": it accepts every connection and
// then does just what the test says, byte for byte ([Conn.Send],
// [Conn.Respond], [Conn.Fin], [Conn.Reset], [Conn.Vanish]).
func (t *T) Peer(addr string) {
	t.step("peer", addr)
	t.served = append(t.served, "peer "+addr)
	t.peer(addr)
}

func (t *T) peer(addr string) {
	l := t.listen(addr)
	t.Net.servesAgain(addr, func() { t.peer(addr) })
	go func() {
		for {
			if _, err := l.Accept(); err != nil {
				return
			}
		}
	}()
	t.settle()
}

// Conn is the connection of that name, "c1". It fails the test if none has
// opened under it.
func (t *T) Conn(id string) *Conn {
	c := t.findConn(id)
	if c == nil {
		t.fatal("usage", fmt.Sprintf("there is no connection %s", id))
	}
	return c
}

func (t *T) findConn(id string) *Conn {
	for _, c := range t.Net.Conns() {
		t.conn(c)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.conns {
		if c.ID() == id {
			return c
		}
	}
	return nil
}
