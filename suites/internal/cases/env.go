package cases

import (
	"errors"
	"net/http"
	"strings"

	"github.com/halfopen/halfopen/harness"
)

func init() { harness.HelperFile() }

// Env is the environment of a case: a run of the harness, the transport, and the protocol
// that it speaks.
type Env struct {
	*harness.T
	Transport http.RoundTripper
	Protocol  Protocol
	// Server runs a server of the protocol, where package harness has none: see
	// [harness.T.ServeUDP].
	Server Server
	// InPart is called when a part of the case cannot be asked of the transport; nil does nothing.
	InPart func()
}

// Server runs a server on "host:port" with that handler, or [harness.Pages] if it is nil.
type Server func(t *harness.T, addr string, h http.Handler)

// secure reports whether the URLs of the protocol are of https.
func (e *Env) secure() bool { return e.Protocol&(H2|H3) != 0 }

// NotApplicable ends the case, for it cannot be asked of this transport, and says why. What
// has failed before has failed.
func (e *Env) NotApplicable(why string) {
	if e.Failed() {
		e.FailNow()
	}
	e.T.NotApplicable(errors.New(why))
}

// Addr returns the "host:port" of a host in the subject's protocol.
func (e *Env) Addr(host string) string {
	if e.secure() {
		return host + ":443"
	}
	return host + ":80"
}

// URL returns a URL of api.test.
func (e *Env) URL(path string) string { return e.URLOf("api.test", path) }

// URLOf returns a URL of a host.
func (e *Env) URLOf(host, path string) string {
	if e.secure() {
		return "https://" + host + path
	}
	return "http://" + host + path
}

// Serve runs the server api.test. A nil handler is [harness.Pages].
func (e *Env) Serve(h http.Handler) { e.ServeHost("api.test", h) }

// ServeHost runs a server on a host.
func (e *Env) ServeHost(host string, h http.Handler) {
	switch {
	case e.Server != nil:
		e.Server(e.T, e.Addr(host), h)
	case e.Protocol != H2:
		e.T.Serve(e.Addr(host), h)
	case h == nil:
		e.ServeTLSAs(e.Addr(host), "h2")
	default:
		e.ServeTLS(e.Addr(host), h, nil)
	}
}

// Get starts a GET of a page of api.test.
func (e *Env) Get(name, path string) *harness.Request {
	return e.T.Get(name, e.Transport, e.URL(path))
}

// Post starts a POST to a page of api.test.
func (e *Env) Post(name, path, body string) *harness.Request {
	return e.T.Post(name, e.Transport, e.URL(path), body)
}

// Do starts a request of another kind to a page of api.test.
func (e *Env) Do(name, method, path, body string, header ...string) *harness.Request {
	req, err := http.NewRequest(method, e.URL(path), nil)
	if body != "" {
		req, err = http.NewRequest(method, e.URL(path), strings.NewReader(body))
	}
	if err != nil {
		e.Fatal(err)
	}
	for _, h := range header {
		key, value, _ := strings.Cut(h, ": ")
		req.Header.Add(key, value)
	}
	return e.Start(name, e.Transport, req)
}

// MayCloseIdle lets an exploration close the idle connections, where the
// transport can. Else that part of the case is not asked.
func (e *Env) MayCloseIdle() {
	if c, ok := e.Transport.(interface{ CloseIdleConnections() }); ok {
		e.T.MayCloseIdle(c)
	} else if e.InPart != nil {
		e.InPart()
	}
}

// CloseIdle calls CloseIdleConnections on the transport, and settles. A transport need not have
// it: [http.Client] does nothing then.
func (e *Env) CloseIdle() {
	c, ok := e.Transport.(interface{ CloseIdleConnections() })
	if !ok {
		e.NotApplicable("the transport has no CloseIdleConnections")
	}
	c.CloseIdleConnections()
	e.Settle()
}

// WantOpened expects that n connections have opened so far, closed ones included.
func (e *Env) WantOpened(n int, why string) {
	if got := e.opened(); got != n {
		e.Errorf("got %d connections opened, want %d: %s", got, n, why)
	}
}

// opened returns how many connections have opened so far. Over datagrams that is how many pairs
// of addresses have been in use: a connection does not move.
func (e *Env) opened() int { return e.Net.Opened() + e.Net.Raw().Flows() }

// dialEvents selects the events that a dial needs to come to its end: over datagrams those are
// packets like any other.
func (e *Env) dialEvents() string {
	if e.Protocol == H3 {
		return "packet"
	}
	return "dial"
}

// openSockets returns how many sockets for datagrams of clients are open.
func (e *Env) openSockets() (open int) {
	for _, c := range e.Net.Raw().PacketConns() {
		if strings.HasSuffix(c.Address(), ":0") || c.RemoteAddr() != nil {
			open++
		}
	}
	return open
}

// WantConns expects that n connections are open on the client's side.
func (e *Env) WantConns(n int, why ...string) {
	if e.Protocol != H3 {
		e.Net.WantConns(n, why...)
		return
	}
	e.Settle()
	if got := e.openSockets(); got != n {
		e.Fatalf("got %d connections open on the client's side, want %d: %s", got, n, strings.Join(why, " "))
	}
}

// WantMostOpen expects that no more than n connections are open at the client's end.
func (e *Env) WantMostOpen(n int, why string) {
	got := e.openSockets()
	for _, c := range e.Net.Conns() {
		if !c.IsClosed() {
			got++
		}
	}
	if got > n {
		e.Errorf("got %d connections open, want %d at most: %s", got, n, why)
	}
}

// WantAnswered lets everything happen, and expects that each of the requests has a
// response with its whole body.
func (e *Env) WantAnswered(requests ...*harness.Request) {
	e.Rest()
	for _, r := range requests {
		if err := r.Err(); err != nil {
			e.Errorf("%s: got error %v, want a response", r.Name(), err)
		} else {
			r.Finish()
		}
	}
}
