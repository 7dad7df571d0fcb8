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

// Gates has every call of those callbacks, from now on, parked until it is
// released as an event: "gate r1 PutIdleConn", "gate c1 Write". The names are
// those of the hooks of [httptrace.ClientTrace]; Proxy; GetBody; BodyRead and
// BodyClose of the request's body; Write, Close and SetDeadline of the
// connection; Done, Err and Value of the request's context. Say so before the
// transport is made.
func (t *T) Gates(names ...string) {
	t.step(append([]string{"gates"}, names...)...)
	for _, name := range names {
		if err := checkGate(name); err != nil {
			t.fatal("usage", err.Error())
		}
	}
	t.gates = append(t.gates, names...)
}

func checkGate(name string) error {
	if slices.Contains(gates, name) {
		return nil
	}
	return fmt.Errorf("unknown gate %q%s; there are: %s", name, script.DidYouMean(name, gates), strings.Join(gates, ", "))
}

func (t *T) gated(names ...string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return slices.Contains(t.gates, n) })
}

// gate parks the caller if that gate is wanted.
func (t *T) gate(owner, name string) {
	if slices.Contains(t.gates, name) {
		t.Net.net.Gate(owner + " " + name)
	}
}

// addGates puts gates around what the transport calls of a request.
func (t *T) addGates(r *Request, req *http.Request) *http.Request {
	if len(t.gates) == 0 {
		return req
	}
	pass := func(gate string) func() { return func() { t.gate(r.name, gate) } }
	ctx := httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		GetConn:              func(string) { t.gate(r.name, "GetConn") },
		GotConn:              func(httptrace.GotConnInfo) { t.gate(r.name, "GotConn") },
		PutIdleConn:          func(error) { t.gate(r.name, "PutIdleConn") },
		GotFirstResponseByte: pass("GotFirstResponseByte"),
		Got100Continue:       pass("Got100Continue"),
		WroteHeaders:         pass("WroteHeaders"),
		Wait100Continue:      pass("Wait100Continue"),
		WroteRequest:         func(httptrace.WroteRequestInfo) { t.gate(r.name, "WroteRequest") },
	})
	if t.gated("Done", "Err", "Value") {
		ctx = &gatedContext{ctx, t, r.name}
	}
	req = req.WithContext(ctx)
	if req.Body != nil && req.Body != http.NoBody && t.gated("BodyRead", "BodyClose") {
		req.Body = &gatedBody{req.Body, t, r.name}
	}
	if get := req.GetBody; get != nil && t.gated("GetBody") {
		req.GetBody = func() (io.ReadCloser, error) {
			t.gate(r.name, "GetBody")
			return get()
		}
	}
	return req
}

type gatedContext struct {
	context.Context
	t     *T
	owner string
}

func (c *gatedContext) Done() <-chan struct{} {
	c.t.gate(c.owner, "Done")
	return c.Context.Done()
}

func (c *gatedContext) Err() error {
	c.t.gate(c.owner, "Err")
	return c.Context.Err()
}

func (c *gatedContext) Value(key any) any {
	c.t.gate(c.owner, "Value")
	return c.Context.Value(key)
}

type gatedBody struct {
	io.ReadCloser
	t     *T
	owner string
}

func (b *gatedBody) Read(p []byte) (int, error) {
	b.t.gate(b.owner, "BodyRead")
	return b.ReadCloser.Read(p)
}

func (b *gatedBody) Close() error {
	b.t.gate(b.owner, "BodyClose")
	return b.ReadCloser.Close()
}

type gatedConn struct {
	*faultnet.Conn
	t *T
}

// NetConn is the connection on the network, as [tls.Conn.NetConn] is.
func (c *gatedConn) NetConn() net.Conn { return c.Conn }

var _ interface{ NetConn() net.Conn } = (*tls.Conn)(nil)

func (c *gatedConn) Write(p []byte) (int, error) {
	c.t.gate(c.ID(), "Write")
	return c.Conn.Write(p)
}

func (c *gatedConn) Close() error {
	c.t.gate(c.ID(), "Close")
	return c.Conn.Close()
}

func (c *gatedConn) SetDeadline(d time.Time) error {
	c.t.gate(c.ID(), "SetDeadline")
	return c.Conn.SetDeadline(d)
}

// proxyGate is the Proxy function of a transport that has none: a gate.
func (t *T) proxyGate(req *http.Request) (*url.URL, error) {
	t.gate(faultnet.Owner(req.Context()), "Proxy")
	return nil, nil
}
