package harness

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log"
	"net"
	"net/http"
	"strings"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness/internal/peer"
)

// Serve runs an [http.Server] with that handler on "host:port" of the network; it
// speaks HTTP/1 and, to those who begin with it, HTTP/2.
// A nil handler is [Pages]. The harness closes it at the end.
func (t *T) Serve(addr string, h http.Handler) *http.Server {
	t.step("serve", addr)
	t.scriptServes(h, nil, "serve", addr)
	return t.serve(addr, h, func(s *http.Server, l net.Listener) { s.Serve(l) })
}

// ServeTLS is Serve over TLS. Which protocols are spoken is what the
// configuration's NextProtos say; none means HTTP/1. A certificate must be valid
// in the bubble's year 2000. A nil configuration speaks both protocols, with a
// certificate for the host that [TrustedRoots] has signed.
func (t *T) ServeTLS(addr string, h http.Handler, config *tls.Config) *http.Server {
	t.step("serve", addr, "tls")
	t.scriptServes(h, config, "serve-tls", addr)
	if config == nil {
		config = peer.TLSConfig(addr, nil)
	}
	return t.serve(addr, h, func(s *http.Server, l net.Listener) {
		s.TLSConfig = config
		s.ServeTLS(l, "", "")
	})
}

// ServeTLSAs runs an http.Server with [Pages] over TLS on "host:port", with a
// certificate that [TrustedRoots] has signed; modes say what is wrong with it.
func (t *T) ServeTLSAs(addr string, modes ...string) {
	t.servesAs("serve-tls", addr, modes...)
	t.serve(addr, nil, func(s *http.Server, l net.Listener) { s.Serve(peer.TLS(l, addr, modes)) })
}

// ServeH2 runs an HTTP/2 server over TLS on "host:port" whose first connection
// does what one of the modes of the manual says. It answers "ok" to every
// request.
func (t *T) ServeH2(addr, mode string) {
	t.servesAs("serve-h2", addr, mode)
	config := peer.TLSConfig(addr, []string{"h2"})
	t.acceptAll(addr, func(c *faultnet.Conn, i int) { peer.H2(c, i, config, mode, witness{t}) })
}

// ServeProxy runs a proxy on "host:port" that does its work in one of the modes
// of the manual. Its own dials are events like any other.
func (t *T) ServeProxy(addr, mode string) {
	t.servesAs("serve-proxy", addr, mode)
	t.acceptAll(addr, func(c *faultnet.Conn, _ int) { peer.Proxy(t.ctx, c, mode, t.Net.net.DialContext) })
}

// Peer is a scripted server on "host:port": it accepts every connection and
// then does just what the test says, byte for byte ([Conn.Send],
// [Conn.Respond], [Conn.Fin], [Conn.Reset], [Conn.Vanish]).
func (t *T) Peer(addr string) {
	t.step("peer", addr)
	t.scriptServes(nil, nil, "peer", addr)
	t.listenOn(addr, func(l net.Listener) {
		go func() {
			for {
				if _, err := l.Accept(); err != nil {
					return
				}
			}
		}()
	})
}

// servesAs records a verb that runs a server in modes, which must exist.
func (t *T) servesAs(verb, addr string, modes ...string) {
	words := append([]string{verb, addr}, modes...)
	t.step(words...)
	for _, m := range modes {
		if err := peer.CheckMode(modesOf(verb), m); err != nil {
			t.fatal("usage", err.Error())
		}
	}
	t.scriptServes(nil, nil, words...)
}

// scriptServes notes the line of a script that runs a server, and what of it no
// script can contain.
func (t *T) scriptServes(h http.Handler, config *tls.Config, words ...string) {
	if h != nil {
		t.served = append(t.served, "# The test's own handler; a script cannot contain it:")
	}
	if config != nil {
		t.served = append(t.served, "# The test's own TLS configuration; a script cannot contain it:")
	}
	t.served = append(t.served, strings.Join(words, " "))
}

// listenOn listens on "host:port" and has start serve there: now, and again when the
// host is restarted.
func (t *T) listenOn(addr string, start func(l net.Listener)) {
	start(t.listen(addr))
	t.Net.servesAgain(addr, func() { t.listenOn(addr, start) })
	t.rested()
}

// acceptAll has f serve each connection of a server, with its number from 0.
func (t *T) acceptAll(addr string, f func(c *faultnet.Conn, i int)) {
	t.listenOn(addr, func(l net.Listener) { go peer.AcceptAll(l, f) })
}

// serve runs an http.Server, and returns it.
func (t *T) serve(addr string, h http.Handler, run func(s *http.Server, l net.Listener)) (s *http.Server) {
	if h == nil {
		h = http.HandlerFunc(Pages)
	}
	t.listenOn(addr, func(l net.Listener) {
		s = t.server(h)
		t.closeAtEnd(addr, s)
		go run(s, l)
	})
	return s
}

// closeAtEnd has the server on an address closed at the end.
func (t *T) closeAtEnd(addr string, s *http.Server) {
	t.mu.Lock()
	t.servers = append(t.servers, s)
	t.mu.Unlock()
	set(&t.Net.hosts.served, addr, append(t.Net.hosts.served[addr], s))
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
func Pages(w http.ResponseWriter, req *http.Request) { peer.Pages(w, req) }

// Answer is a wrong, or merely unusual, way in which a server of HTTP/1.1
// answers a request.
type Answer struct {
	// Name is its name in scripts: misbehave c1 bad-chunk.
	Name string
	// Doc says what it is.
	Doc string
	// Raw is what is sent.
	Raw string
	// Unread says that the request is left unread, so that closing resets.
	Unread bool
	// Then is what the server does next: "close", "reset", or "" for nothing.
	Then string
}

// Answers returns all wrong answers, in the order of the manual.
func Answers() (answers []Answer) {
	for _, a := range peer.Answers() {
		answers = append(answers, Answer(a))
	}
	return answers
}

// Misbehave takes the request that has arrived at a scripted peer and answers
// it in the way of that name: see [Answers].
func (c *Conn) Misbehave(name string) {
	c.t.step("misbehave", c.ID(), name)
	a, err := peer.FindAnswer(name)
	if err != nil {
		c.t.fatal("usage", err.Error())
	}
	if !a.Unread {
		c.receive()
	}
	if a.Raw != "" {
		c.send(a.Raw)
	}
	switch a.Then {
	case "close":
		c.serverDoes("close", c.Server().Close)
	case "reset":
		c.serverDoes("reset", c.Server().Reset)
	}
}

// TrustedRoots returns the authority that signs the certificates of [T.ServeTLSAs]: the
// RootCAs of a client.
func TrustedRoots() *x509.CertPool { return peer.TrustedRoots() }

// modesOf returns the modes of a verb.
func modesOf(verb string) []peer.Mode { return peer.Modes(verb) }

// Modes returns the names of the modes of serve-tls, serve-proxy or serve-h2.
func Modes(verb string) (names []string) {
	for _, m := range modesOf(verb) {
		names = append(names, m.Name)
	}
	return names
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
