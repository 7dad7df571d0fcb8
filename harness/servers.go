package harness

import (
	"context"
	"crypto/tls"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness/internal/peer"
)

// servers runs the servers, proxies and scripted peers of a run.
type servers struct {
	t   *driver
	net *Net

	mu      sync.Mutex
	running []*http.Server
	stops   []func() // of servers that are not of net/http
}

// servesAs records a verb that runs a server in modes, which must exist.
func (s *servers) servesAs(verb, addr string, modes ...string) {
	words := append([]string{verb, addr}, modes...)
	s.t.step(words...)
	for _, m := range modes {
		if err := peer.CheckMode(modesOf(verb), m); err != nil {
			s.t.fatal(KindUsage, err.Error())
		}
	}
	s.script(nil, nil, words...)
}

// script notes the line of a script that runs a server, and what of it no
// script can contain.
func (s *servers) script(h http.Handler, config *tls.Config, words ...string) {
	if h != nil {
		s.t.lacks("the handler of %s", words[1])
	}
	if config != nil {
		s.t.lacks("the TLS configuration of %s", words[1])
	}
	s.t.journal.serve(strings.Join(words, " "))
}

// listenOn listens on "host:port" and has start serve there: now, and again when the
// host is restarted.
func (s *servers) listenOn(addr string, start func(l net.Listener)) {
	start(s.listen(addr))
	s.net.servesAgain(addr, func() { s.listenOn(addr, start) })
	s.t.rested()
}

// serveUDP opens the socket on "host:port" and has start serve there: now, and again when the
// host is restarted.
func (s *servers) serveUDP(addr string, start func(c net.PacketConn) (stop func())) {
	c, err := s.t.net.ListenPacket("udp", addr)
	if err != nil {
		s.t.fatal(KindUsage, err.Error())
	}
	stop := start(c)
	s.mu.Lock()
	s.stops = append(s.stops, func() {
		stop()
		c.Close()
	})
	s.mu.Unlock()
	s.net.servesAgain(addr, func() { s.serveUDP(addr, start) })
	s.t.rested()
}

// acceptAll has f serve each connection of a server, with its number from 0.
func (s *servers) acceptAll(addr string, f func(c *faultnet.Conn, i int)) {
	s.listenOn(addr, func(l net.Listener) { go peer.AcceptAll(l, f) })
}

// serve runs an http.Server, and returns it.
func (s *servers) serve(addr string, h http.Handler, run func(h *http.Server, l net.Listener)) (server *http.Server) {
	pages := h == nil
	if pages {
		h = http.HandlerFunc(Pages)
	}
	setKey(&s.t.vouched, addr, true)
	s.listenOn(addr, func(l net.Listener) {
		server = s.server(h)
		if pages {
			server.ConnContext = s.apart(server)
		}
		s.closeAtEnd(addr, server)
		go run(server, l)
	})
	return server
}

// closeAtEnd has the server on an address closed at the end.
func (s *servers) closeAtEnd(addr string, server *http.Server) {
	s.mu.Lock()
	s.running = append(s.running, server)
	s.mu.Unlock()
	setKey(&s.net.hosts.served, addr, append(s.net.hosts.served[addr], server))
}

// close closes all of them.
func (s *servers) close() {
	s.mu.Lock()
	running, stops := s.running, s.stops
	s.mu.Unlock()
	for _, stop := range stops {
		stop()
	}
	for _, server := range running {
		server.Close()
	}
}

// server returns a server with that handler.
func (s *servers) server(h http.Handler) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		Handler:     s.net.census.attributed(h),
		Protocols:   protocols,
		ErrorLog:    log.New(logWriter{s.t}, "", 0),
		ConnContext: withConn,
	}
}

// apart returns the ConnContext of a server of [Pages]: its connections share nothing, unless the test
// wants to know their states.
func (s *servers) apart(server *http.Server) func(context.Context, net.Conn) context.Context {
	return func(ctx context.Context, c net.Conn) context.Context {
		if end, ok := withoutTLS(c).(*faultnet.Conn); ok && server.ConnState == nil {
			s.net.census.look(end).apart.Store(true)
		}
		return withConn(ctx, c)
	}
}

// listen listens on "host:port", which must be free.
func (s *servers) listen(addr string) net.Listener {
	l, err := s.t.net.Listen("tcp", addr)
	if err != nil {
		s.t.fatal(KindUsage, err.Error())
	}
	return l
}

// tellKeys returns the configuration of a server whose keys are part of the timeline, if
// one is kept.
func (s *servers) tellKeys(config *tls.Config) *tls.Config {
	if s.t.journal.rec == nil || config.KeyLogWriter != nil {
		return config
	}
	config = config.Clone()
	config.KeyLogWriter = s.t.journal.rec
	if byClient := config.GetConfigForClient; byClient != nil {
		config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			config, err := byClient(hello)
			if config != nil {
				config = s.tellKeys(config)
			}
			return config, err
		}
	}
	return config
}

// logWriter makes a server's log lines part of the steps.
type logWriter struct{ t *driver }

func (w logWriter) Write(p []byte) (int, error) {
	// A panic in a handler is logged with its stack, whose addresses differ
	// from run to run: the first line says what happened.
	line, _, _ := strings.Cut(string(p), "\n")
	w.t.journal.write(logLine, "server: "+line)
	return len(p), nil
}
