package pool

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// A script is a test in a bubble that holds every dial and plays the servers.
// Each verb settles: it returns when nothing moves any more.
type script struct {
	*testing.T
	tr    *Transport
	dials []*heldDial // not claimed yet
	conns []*end
}

// run is one script. At its end everything must have ended by itself.
func run(t *testing.T, tr *Transport, f func(s *script)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &script{T: t, tr: tr}
		tr.DialContext = s.dial
		f(s)
		tr.CloseIdleConnections()
		s.settle()
		for _, d := range s.dials {
			t.Errorf("dial of %s: got one that the script did not want", d.addr)
			d.fail(net.ErrClosed)
		}
		if st := tr.Stats(); st.Dialing+st.Active+st.Draining+st.Idle+st.Waiting+st.Orphans != 0 {
			t.Errorf("at the end: got\n%s%s, want nothing left", st, tr.Ledger())
		}
		for _, c := range s.conns {
			if !c.isClosed() {
				t.Errorf("%s: left open", c.name)
				c.Close()
			}
		}
	})
}

func (s *script) settle() { synctest.Wait() }

var errWhy = errors.New("the script's reason")

var errRefused = errors.New("refused by the script")

type heldDial struct {
	s       *script
	addr    string
	ctx     context.Context
	outcome chan func() (net.Conn, error)
}

func (s *script) dial(ctx context.Context, _, addr string) (net.Conn, error) {
	d := &heldDial{s: s, addr: addr, ctx: ctx, outcome: make(chan func() (net.Conn, error), 1)}
	s.dials = append(s.dials, d)
	select {
	case f := <-d.outcome:
		return f()
	case <-ctx.Done():
		s.drop(d)
		return nil, ctx.Err()
	}
}

func (s *script) drop(d *heldDial) {
	for i, other := range s.dials {
		if other == d {
			s.dials = append(s.dials[:i], s.dials[i+1:]...)
			return
		}
	}
}

func (s *script) wantDial() *heldDial {
	s.Helper()
	s.settle()
	if len(s.dials) == 0 {
		s.Fatalf("dial: got none, want one\n%s", s.tr.Stats())
	}
	d := s.dials[0]
	s.dials[0] = nil // nothing of it stays reachable through the script
	s.dials = s.dials[1:]
	return d
}

func (s *script) wantNoDial(why string) {
	s.Helper()
	s.settle()
	if len(s.dials) > 0 {
		s.Fatalf("%s: got a dial of %s, want none", why, s.dials[0].addr)
	}
}

func (d *heldDial) fail(err error) {
	d.outcome <- func() (net.Conn, error) { return nil, err }
	d.s.settle()
}

func (d *heldDial) open() *server {
	client, end := newConnPair(fmt.Sprintf("c%d", len(d.s.conns)+1))
	d.s.conns = append(d.s.conns, client)
	return openOn(d, client, end)
}

func openOn(d *heldDial, client, end *end) *server {
	d.outcome <- func() (net.Conn, error) { return client, nil }
	d.s.settle()
	return &server{s: d.s, end: end, client: client, br: bufio.NewReader(end)}
}

func (d *heldDial) wantCanceled(why string) {
	d.s.Helper()
	d.s.settle()
	if d.ctx.Err() == nil {
		d.s.Fatalf("%s: got a dial that goes on, want it called off", why)
	}
}

// A server is the far end of a connection, played by the script.
type server struct {
	s      *script
	end    *end
	client *end
	br     *bufio.Reader
}

// wantRequest reads a request, whose header must be there.
func (v *server) wantRequest() *http.Request {
	v.s.Helper()
	v.s.settle()
	got := make(chan *http.Request, 1)
	go func() {
		req, _ := http.ReadRequest(v.br)
		got <- req
	}()
	v.s.settle()
	select {
	case req := <-got:
		if req == nil {
			v.s.Fatalf("%s: got no request, want one", v.end.name)
		}
		return req
	default:
		v.end.reset()
		v.s.Fatalf("%s: got no request, want one\n%s", v.end.name, v.s.tr.Ledger())
		return nil
	}
}

// body reads the body of a request to its end.
func (v *server) body(req *http.Request) string {
	b, err := io.ReadAll(req.Body)
	if err != nil {
		return string(b) + "!" + err.Error()
	}
	v.s.settle()
	return string(b)
}

func (v *server) wantNothing(why string) {
	v.s.Helper()
	v.s.settle()
	n := v.br.Buffered()
	v.end.in.change(func() { n += v.end.in.buf.Len() })
	if n > 0 {
		v.s.Fatalf("%s: got %d bytes, want none", why, n)
	}
}

func (v *server) wantClosed(why string) {
	v.s.Helper()
	v.s.settle()
	if !v.client.isClosed() {
		v.s.Fatalf("%s: got %s open, want it closed", why, v.end.name)
	}
}

func (v *server) wantOpen(why string) {
	v.s.Helper()
	v.s.settle()
	if v.client.isClosed() {
		v.s.Fatalf("%s: got %s closed (%v), want it open", why, v.end.name, v.s.tr.Stats().Closed)
	}
}

func (v *server) send(lines string) {
	v.end.Write([]byte(strings.ReplaceAll(lines, "\n", "\r\n")))
	v.s.settle()
}

func (v *server) fin()   { v.end.fin(); v.s.settle() }
func (v *server) reset() { v.end.reset(); v.s.settle() }

// stall lets the client write n more bytes and then blocks it.
func (v *server) stall(n int) { v.end.in.change(func() { v.end.in.room = n }) }

const (
	ok0    = "HTTP/1.1 200 OK\nContent-Length: 0\n\n"
	okBody = "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello"
	ok204  = "HTTP/1.1 204 No Content\n\n"
)

// A call is a request under way.
type call struct {
	s      *script
	name   string
	cancel context.CancelCauseFunc
	done   chan struct{}
	resp   *http.Response
	err    error
}

func (s *script) get(name string) *call { return s.do(name, s.request("GET", nil)) }

func (s *script) request(method string, body io.Reader) *http.Request {
	req, err := http.NewRequest(method, "http://api.test/", body)
	if err != nil {
		s.Fatal(err)
	}
	return req
}

func (s *script) do(name string, req *http.Request) *call {
	ctx, cancel := context.WithCancelCause(req.Context())
	c := &call{s: s, name: name, cancel: cancel, done: make(chan struct{})}
	s.Cleanup(func() { cancel(nil) })
	go func() {
		defer close(c.done)
		c.resp, c.err = s.tr.RoundTrip(req.WithContext(ctx))
	}()
	s.settle()
	return c
}

func (c *call) ended() bool {
	c.s.settle()
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

func (c *call) wantPending(why string) {
	c.s.Helper()
	if c.ended() {
		c.s.Fatalf("%s: %s: got its end (%v, %v), want it to wait", c.name, why, c.resp, c.err)
	}
}

func (c *call) wantResponse() *http.Response {
	c.s.Helper()
	if !c.ended() {
		c.s.Fatalf("%s: got no end, want a response\n%s%s", c.name, c.s.tr.Stats(), c.s.tr.Ledger())
	}
	if c.err != nil {
		c.s.Fatalf("%s: got error %v, want a response", c.name, c.err)
	}
	return c.resp
}

// wantDone wants a response with this body, and closes it.
func (c *call) wantDone(body string) {
	c.s.Helper()
	resp := c.wantResponse()
	got, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if string(got) != body || err != nil {
		c.s.Fatalf("%s: got body %q, %v, want %q", c.name, got, err, body)
	}
	c.s.settle()
}

func (c *call) wantErr(target error) {
	c.s.Helper()
	if !c.ended() {
		c.s.Fatalf("%s: got no end, want error %v\n%s", c.name, target, c.s.tr.Ledger())
	}
	if c.err == nil {
		c.s.Fatalf("%s: got a response, want error %v", c.name, target)
	}
	if !errors.Is(c.err, target) {
		c.s.Fatalf("%s: got error %v, want %v", c.name, c.err, target)
	}
}

func (c *call) stop() { c.cancel(context.Canceled); c.s.settle() }

func (s *script) wantClosed(why Cause, n int) {
	s.Helper()
	s.settle()
	if got := s.tr.Stats().Closed; got[why] != uint64(n) {
		s.Fatalf("connections closed by %q: got %s, want %d", why, got, n)
	}
}

func (s *script) warm() *server {
	r := s.get("warm-up")
	c := s.wantDial().open()
	c.wantRequest()
	c.send(ok0)
	r.wantDone("")
	return c
}

type onceBody struct {
	io.Reader
	closed atomic.Int32
}

func (b *onceBody) Close() error { b.closed.Add(1); return nil }

func readAll(c *call) {
	<-c.done
	if c.err == nil {
		io.Copy(io.Discard, c.resp.Body)
		c.resp.Body.Close()
	}
}
