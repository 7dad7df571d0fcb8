package harness

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness/internal/peer"
)

// Serve runs an [http.Server] with that handler on "host:port" of the network; it
// speaks HTTP/1 and, to those who begin with it, HTTP/2.
// A nil handler is [Pages]. The harness closes it at the end.
func (t *T) Serve(addr string, h http.Handler) *http.Server {
	t.step("serve", addr)
	t.servers.script(h, nil, "serve", addr)
	return t.servers.serve(addr, h, func(s *http.Server, l net.Listener) { s.Serve(l) })
}

// ServeTLS is Serve over TLS. Which protocols are spoken is what the
// configuration's NextProtos say; none means HTTP/1. A certificate must be valid
// in the bubble's year 2000. A nil configuration speaks both protocols, with a
// certificate for the host that [TrustedRoots] has signed.
func (t *T) ServeTLS(addr string, h http.Handler, config *tls.Config) *http.Server {
	t.step("serve", addr, "tls")
	t.servers.script(h, config, "serve-tls", addr)
	if config == nil {
		config = peer.TLSConfig(addr, nil)
	}
	config = t.servers.tellKeys(config.Clone()) // net/http changes it, and other servers may have it too
	return t.servers.serve(addr, h, func(s *http.Server, l net.Listener) {
		s.TLSConfig = config
		s.ServeTLS(l, "", "")
	})
}

// ServeTLSAs runs an http.Server with [Pages] over TLS on "host:port", with a
// certificate that [TrustedRoots] has signed; modes say what is wrong with it.
func (t *T) ServeTLSAs(addr string, modes ...string) {
	t.servers.servesAs("serve-tls", addr, modes...)
	config := t.servers.tellKeys(peer.TLSConfig(addr, modes))
	t.servers.serve(addr, nil, func(s *http.Server, l net.Listener) { s.Serve(peer.TLS(l, config, modes)) })
	setKey(&t.vouched, addr, len(modes) == 0)
}

// ServeH2 runs an HTTP/2 server over TLS on "host:port" whose first connection
// does what one of the modes of the manual says. It answers "ok" to every
// request.
func (t *T) ServeH2(addr, mode string) {
	t.servers.servesAs("serve-h2", addr, mode)
	config := t.servers.tellKeys(peer.TLSConfig(addr, []string{"h2"}))
	t.servers.acceptAll(addr, func(c *faultnet.Conn, i int) { peer.H2(c, i, config, mode, witness{t.census}) })
}

// ServeUDP runs a server of HTTP over datagrams on "host:port", which the harness does not have:
// that of HTTP/3. It calls serve, in a goroutine of its own, with the socket that listens, the
// TLS configuration of a server that [TrustedRoots] vouches for, and the handler, behind which
// the harness sees the requests; a nil h is [Pages]. The function that stop returns ends it at
// the end, before the socket is closed.
func (t *T) ServeUDP(addr string, h http.Handler, serve func(c net.PacketConn, config *tls.Config, h http.Handler) (stop func())) {
	t.step("serve", addr, "udp")
	t.lacks("the server of %s", addr)
	if h == nil {
		h = http.HandlerFunc(Pages)
	}
	config := t.servers.tellKeys(peer.TLSConfig(addr, nil))
	t.servers.serveUDP(addr, func(c net.PacketConn) (stop func()) {
		return serve(c, config.Clone(), t.census.attributedByPacket(h))
	})
}

// ServeProxy runs a proxy on "host:port" that does its work in one of the modes
// of the manual. Its own dials are events like any other.
func (t *T) ServeProxy(addr, mode string) {
	t.servers.servesAs("serve-proxy", addr, mode)
	t.servers.acceptAll(addr, func(c *faultnet.Conn, _ int) { peer.Proxy(t.ctx, c, mode, t.Net.net.DialContext) })
}

// Peer runs a scripted server on "host:port": it accepts every connection and
// then does just what the test says, byte for byte ([Conn.Send],
// [Conn.Respond], [Conn.Fin], [Conn.Reset], [Conn.Vanish]).
func (t *T) Peer(addr string) {
	t.step("peer", addr)
	t.servers.script(nil, nil, "peer", addr)
	t.servers.listenOn(addr, func(l net.Listener) {
		go func() {
			for {
				if _, err := l.Accept(); err != nil {
					return
				}
			}
		}()
	})
}

// Pages answers requests of scripts. The path says how:
//
//	/bytes/N    N bytes
//	/status/N   that status code; /status/N/M sends M bytes with it
//	/echo       the body of the request
//	/close      "ok" and Connection: close
//	/hang       nothing until the client goes away
//	/answer/X   the wrong answer of that name, see [Answers], and nothing more on
//	            that connection; /status/503 is one that may be asked again
//	/...        "ok"
func Pages(w http.ResponseWriter, req *http.Request) { peer.Pages(w, req) }

// Answer is a wrong, or merely unusual, way in which a server of HTTP/1.1
// answers a request.
type Answer struct {
	// Name is its name in scripts: misbehave c1 bad-chunk.
	Name string
	// Doc says what it is.
	Doc string
	// Raw is the bytes that are sent.
	Raw string
	// Unread says that the request is left unread, so that closing resets.
	Unread bool
	// Then is the server's next act: "close", "reset", or "" for nothing.
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
		c.t.fatal(KindUsage, err.Error())
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

// TrustedCertificate returns a certificate of a server that [TrustedRoots] vouches for: for the host, and
// valid until that time, of the bubble.
func TrustedCertificate(host string, until time.Time) tls.Certificate {
	return peer.TrustedCertificate(host, until)
}

// modesOf returns the modes of a verb.
func modesOf(verb string) []peer.Mode { return peer.Modes(verb) }

// Modes returns the names of the modes of serve-tls, serve-proxy or serve-h2.
func Modes(verb string) (names []string) {
	for _, m := range modesOf(verb) {
		names = append(names, m.Name)
	}
	return names
}

// Conn returns the connection of that name, "c1". It fails the test if none has
// opened under it.
func (t *T) Conn(id string) *Conn {
	for _, c := range t.Net.Conns() {
		t.census.conn(c)
	}
	for _, c := range t.census.known() { // those that are wholly gone too
		if c.ID() == id {
			return c
		}
	}
	var names []string
	for _, c := range t.census.known() {
		names = append(names, c.ID())
	}
	t.fatal(KindUsage, fmt.Sprintf("there is no connection %s; %s", id, thereAre(names)))
	return nil
}

// mostThere is how many names an error lists.
const mostThere = 8

// thereAre returns what an error says about the names that there are.
func thereAre(names []string) string {
	switch n := len(names) - mostThere; {
	case len(names) == 0:
		return "there are none"
	case n > 0:
		return fmt.Sprintf("there are: %s, and %d more", strings.Join(names[:mostThere], ", "), n)
	}
	return "there are: " + strings.Join(names, ", ")
}
