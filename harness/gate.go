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
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/internal/nearest"
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

// usualGates is the gates that an exploration tries without being asked: at each of them
// a transport has just changed its pool and has not acted on it, or is about to look.
var usualGates = []string{"GetConn", "GotConn", "PutIdleConn"}

func checkGate(name string) error {
	if slices.Contains(gates, name) {
		return nil
	}
	return fmt.Errorf("unknown gate %q%s", name, nearest.ThereAre(name, gates))
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

// usualGate parks the caller if that gate is wanted, or if what is explored has the usual
// ones.
func (n *Net) usualGate(owner, name string) {
	if n.gated(name) || n.exploring.Load() && slices.Contains(n.usual, name) && !(name == "GetConn" && underMutex()) {
		n.net.Gate(owner + " " + name)
	}
}

// underMutex reports whether a hook is called by the pool of golang.org/x/net/http2 and of
// net/http's copy of it, which calls GetConn with its mutex held: a goroutine that waits for
// that mutex would freeze the bubble.
func underMutex() bool {
	var callers [8]uintptr
	runtime.Callers(3, callers[:])
	hookCallers.Lock()
	defer hookCallers.Unlock()
	under, known := hookCallers.under[callers]
	if !known {
		under = calledByPool(slices.Clone(callers[:]))
		setKey(&hookCallers.under, callers, under)
	}
	return under
}

// hookCallers has the answers of underMutex, by the callers: there are few, and each run asks again.
var hookCallers struct {
	sync.Mutex
	under map[[8]uintptr]bool
}

func calledByPool(callers []uintptr) bool {
	frames := runtime.CallersFrames(callers)
	for {
		f, more := frames.Next()
		if strings.HasSuffix(f.Function, "lientConnPool).getClientConn") {
			return true
		}
		if !more {
			return false
		}
	}
}

// byItself reports whether the event is one of the usual gates, which the test did not ask
// for.
func (n *Net) byItself(e *faultnet.Event) bool {
	return e.Kind == faultnet.Gate && !n.gated(gateName(e))
}

// gateName returns the name of the gate of an event: "PutIdleConn".
func gateName(e *faultnet.Event) string { return e.Addr[strings.LastIndexByte(e.Addr, ' ')+1:] }

// gateOwner returns the name of the operation, or the connection, at whose gate an event is.
func gateOwner(e *faultnet.Event) string { return strings.TrimSuffix(e.Addr, " "+gateName(e)) }

// trace returns a context of a request by which its transport tells about it, with gates
// around what it calls.
func (n *Net) trace(ctx context.Context, r *Request) context.Context {
	if len(n.gates) == 0 && (len(n.usual) == 0 || !n.exploring.Load()) {
		return httptrace.WithClientTrace(ctx, r.traced())
	}
	name := r.name
	trace := &httptrace.ClientTrace{
		GetConn:      func(addr string) { n.usualGate(name, "GetConn"); r.getConn(addr) }, // it asks then
		GotConn:      func(info httptrace.GotConnInfo) { r.gotConn(info); n.usualGate(name, "GotConn") },
		PutIdleConn:  func(err error) { r.putIdleConn(err); n.usualGate(name, "PutIdleConn") },
		WroteRequest: r.wroteRequest,
	}
	if len(n.gates) == 0 {
		return httptrace.WithClientTrace(ctx, trace)
	}
	pass := func(gate string) func() { return func() { n.gate(name, gate) } }
	trace.GotFirstResponseByte = pass("GotFirstResponseByte")
	trace.Got100Continue = pass("Got100Continue")
	trace.WroteHeaders = pass("WroteHeaders")
	trace.Wait100Continue = pass("Wait100Continue")
	trace.WroteRequest = func(info httptrace.WroteRequestInfo) { r.wroteRequest(info); n.gate(name, "WroteRequest") }
	ctx = httptrace.WithClientTrace(ctx, trace)
	if n.gated("Done", "Err", "Value") {
		ctx = &gatedContext{ctx, n, name}
	}
	return ctx
}

// addGates puts gates around what the transport calls of a request's body.
func (n *Net) addGates(name string, req *http.Request) *http.Request {
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
