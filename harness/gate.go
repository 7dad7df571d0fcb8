package harness

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness/internal/script"
)

// A transport calls back: trace hooks, the dialer, the request's body, the
// connection, the context. Each such call is a place where it can be held
// still from inside, in code that is not modified. This file puts gates there.

// gates is the names of all gates, in the order of a request's life.
var gates = []string{
	"Value", "Done", "Err", // of the request's context
	"GetConn", "Proxy", "GotConn",
	"SetDeadline", "Write", "Close", // of the connection, at the client's end
	"WroteHeaders", "Wait100Continue", "BodyRead", "BodyClose", "WroteRequest",
	"GetBody", "Got100Continue", "GotFirstResponseByte", "PutIdleConn",
}

func checkGate(name string) error {
	if slices.Contains(gates, name) {
		return nil
	}
	return fmt.Errorf("unknown gate %q%s; there are: %s", name, script.DidYouMean(name, gates), strings.Join(gates, ", "))
}

// gated reports whether one of those gates is wanted.
func (n *Net) gated(names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return slices.Contains(n.gates, name) })
}

// gate parks the caller if that gate is wanted.
func (n *Net) gate(owner, name string) {
	if slices.Contains(n.gates, name) {
		n.net.Gate(owner + " " + name)
	}
}

// addGates puts gates around what the transport calls of a request.
func (n *Net) addGates(name string, req *http.Request) *http.Request {
	if len(n.gates) == 0 {
		return req
	}
	pass := func(gate string) func() { return func() { n.gate(name, gate) } }
	ctx := httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		GetConn:              func(string) { n.gate(name, "GetConn") },
		GotConn:              func(httptrace.GotConnInfo) { n.gate(name, "GotConn") },
		PutIdleConn:          func(error) { n.gate(name, "PutIdleConn") },
		GotFirstResponseByte: pass("GotFirstResponseByte"),
		Got100Continue:       pass("Got100Continue"),
		WroteHeaders:         pass("WroteHeaders"),
		Wait100Continue:      pass("Wait100Continue"),
		WroteRequest:         func(httptrace.WroteRequestInfo) { n.gate(name, "WroteRequest") },
	})
	if n.gated("Done", "Err", "Value") {
		ctx = &gatedContext{ctx, n, name}
	}
	req = req.WithContext(ctx)
	if req.Body != nil && req.Body != http.NoBody && n.gated("BodyRead", "BodyClose") {
		req.Body = &gatedBody{req.Body, n, name}
	}
	if get := req.GetBody; get != nil && n.gated("GetBody") {
		req.GetBody = func() (io.ReadCloser, error) {
			n.gate(name, "GetBody")
			return get()
		}
	}
	return req
}

type gatedContext struct {
	context.Context
	n     *Net
	owner string
}

func (c *gatedContext) Done() <-chan struct{} {
	c.n.gate(c.owner, "Done")
	return c.Context.Done()
}

func (c *gatedContext) Err() error {
	c.n.gate(c.owner, "Err")
	return c.Context.Err()
}

func (c *gatedContext) Value(key any) any {
	c.n.gate(c.owner, "Value")
	return c.Context.Value(key)
}

type gatedBody struct {
	io.ReadCloser
	n     *Net
	owner string
}

func (b *gatedBody) Read(p []byte) (int, error) {
	b.n.gate(b.owner, "BodyRead")
	return b.ReadCloser.Read(p)
}

func (b *gatedBody) Close() error {
	b.n.gate(b.owner, "BodyClose")
	return b.ReadCloser.Close()
}

type gatedConn struct {
	*faultnet.Conn
	n *Net
}

// NetConn returns the connection on the network, as [tls.Conn.NetConn] is.
func (c *gatedConn) NetConn() net.Conn { return c.Conn }

var _ interface{ NetConn() net.Conn } = (*tls.Conn)(nil)

func (c *gatedConn) Write(p []byte) (int, error) {
	c.n.gate(c.ID(), "Write")
	return c.Conn.Write(p)
}

func (c *gatedConn) Close() error {
	c.n.gate(c.ID(), "Close")
	return c.Conn.Close()
}

func (c *gatedConn) SetDeadline(d time.Time) error {
	c.n.gate(c.ID(), "SetDeadline")
	return c.Conn.SetDeadline(d)
}

// proxyGate parks the caller, as the Proxy function of a transport that has none.
func (n *Net) proxyGate(req *http.Request) (*url.URL, error) {
	n.gate(faultnet.Owner(req.Context()), "Proxy")
	return nil, nil
}
