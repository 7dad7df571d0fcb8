package pool

import (
	"net/http"
	"net/http/httptrace"
)

// A gate parks a request in its GotConn hook: it has a connection and has
// written nothing.
type gate struct {
	s    *script
	pass chan struct{}
	info httptrace.GotConnInfo
}

func (s *script) gateGotConn() *gate { return &gate{s: s, pass: make(chan struct{})} }

func (g *gate) on(req *http.Request) *http.Request {
	return req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) { g.info = info; <-g.pass },
	}))
}

func (g *gate) open() { close(g.pass); g.s.settle() }
