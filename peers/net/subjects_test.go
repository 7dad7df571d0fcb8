package net

import (
	"context"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/akutz/memconn"
	"github.com/valyala/fasthttp/fasthttputil"
	"google.golang.org/grpc/test/bufconn"

	"github.com/halfopen/halfopen/faultnet"
)

// subject is a kind of network to be measured.
type subject struct {
	name   string
	listen func(testing.TB) network
}

// network has a listener and a function that dials it.
type network struct {
	net.Listener
	dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// buffer is the number of bytes that one direction of a connection can hold, where the
// caller can choose it. Faultnet's zero value holds as much.
const buffer = 128 << 10

// subjects lists the networks; ours comes first.
var subjects = []subject{
	{"faultnet", func(t testing.TB) network {
		n := new(faultnet.Net)
		l, err := n.Listen("tcp", "api.test:80")
		check(t, err)
		return network{l, func(ctx context.Context, _, _ string) (net.Conn, error) {
			return n.DialContext(ctx, "tcp", "api.test:80")
		}}
	}},
	{"bufconn", func(testing.TB) network {
		l := bufconn.Listen(buffer)
		return network{l, func(ctx context.Context, _, _ string) (net.Conn, error) {
			return l.DialContext(ctx)
		}}
	}},
	{"fasthttputil", func(testing.TB) network {
		l := fasthttputil.NewInmemoryListener()
		return network{l, func(context.Context, string, string) (net.Conn, error) { return l.Dial() }}
	}},
	{"memconn", func(t testing.TB) network {
		name := "bench" + strconv.FormatInt(memconns.Add(1), 10)
		l, err := memconn.Listen("memu", name)
		check(t, err)
		return network{l, func(ctx context.Context, _, _ string) (net.Conn, error) {
			return memconn.DialContext(ctx, "memu", name)
		}}
	}},
	{"pipe", func(testing.TB) network {
		l := newPipes()
		return network{l, l.dial}
	}},
	{"tcp", func(t testing.TB) network {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		check(t, err)
		return network{l, func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", l.Addr().String())
		}}
	}},
}

var memconns atomic.Int64

// pair opens one connection.
func (n network) pair(t testing.TB) (client, server net.Conn) {
	accepted := make(chan net.Conn, 1)
	go func() {
		c, _ := n.Accept()
		accepted <- c
	}()
	c, err := n.dial(context.Background(), "tcp", "api.test:80")
	check(t, err)
	return c, <-accepted
}

// pipes is a listener whose connections are made by net.Pipe.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	c, s := net.Pipe()
	select {
	case p.conns <- s:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func check(t testing.TB, err error) {
	if err != nil {
		t.Helper()
		t.Fatal(err)
	}
}
