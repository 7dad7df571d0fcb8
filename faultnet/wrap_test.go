package faultnet_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/halfopen/halfopen/clock"
	"github.com/halfopen/halfopen/faultnet"
)

// The same rules, on the connections of an ordinary program: a real server on
// loopback TCP whose second answer is cut off.
func ExampleNet_WrapListener() {
	n := new(faultnet.Net)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "hello")
	})}
	go srv.Serve(n.WrapListener(l))
	defer srv.Close()
	n.Install(faultnet.On("c1 server->client data", faultnet.Cut(17), faultnet.Nth(2)))

	tr := new(http.Transport)
	defer tr.CloseIdleConnections()
	for range 2 {
		resp, err := (&http.Client{Transport: tr}).Get("http://" + l.Addr().String())
		if err != nil {
			fmt.Println(errors.Is(err, io.ErrUnexpectedEOF))
			continue
		}
		b, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		fmt.Printf("%s %v\n", b, err)
	}
	// Output:
	// hello <nil>
	// true
}

// The same rules on the client's side: a program that dials by itself, and whose dialer is
// wrapped in its main, gets the second dial refused.
func ExampleNet_WrapDialer() {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello") }))
	defer srv.Close()
	n := new(faultnet.Net)
	n.Install(faultnet.On("dial", faultnet.Refuse, faultnet.Nth(2)))

	dial := n.WrapDialer(new(net.Dialer).DialContext)
	client := &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}
	for range 3 {
		resp, err := client.Get(srv.URL)
		if err != nil {
			fmt.Println(errors.Is(err, syscall.ECONNREFUSED))
			continue
		}
		b, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		fmt.Printf("%s %v\n", b, err)
	}
	// Output:
	// hello <nil>
	// true
	// hello <nil>
}

// overTCP returns a wrapped client and the plain server's end of a connection over
// loopback TCP.
func overTCP(t *testing.T, n *faultnet.Net) (c net.Conn, s *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err = n.WrapDialer(new(net.Dialer).DialContext)(context.Background(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(); accepted.Close() })
	return c, accepted.(*net.TCPConn)
}

// What a wrapped client's end reads when the server has sent "hello" and a FIN.
func TestWrapRead(t *testing.T) {
	for _, tt := range []struct {
		rule faultnet.Rule
		want string
	}{
		{faultnet.On("c1 client read", faultnet.Fail(syscall.ETIMEDOUT)), `"" connection timed out`},
		{faultnet.On("c1 client read", faultnet.Expire), `"" i/o timeout`},
		{faultnet.On("c1 client read", faultnet.NoBytes, faultnet.Nth(1)), `"hello" <nil>`},
		{faultnet.On("c1 client read", faultnet.Chunk(1)), `"hello" <nil>`},
		{faultnet.On("c1 client read", faultnet.DataEOF), `"hello" <nil>`},
		{faultnet.On("c1 server->client data", faultnet.Cut(3)), `"hel" <nil>`},
		{faultnet.On("c1 server->client data", faultnet.Cut(0)), `"" <nil>`},
		{faultnet.On("c1 server->client data", faultnet.ResetAfter(3)), `"hel" connection reset by peer`},
		{faultnet.On("c1 server->client data", faultnet.Reset), `"" connection reset by peer`},
		{faultnet.On("c1 server->client data", faultnet.Corrupt(1), faultnet.Nth(1)), `"hdllo" <nil>`},
		{faultnet.On("c1 server->client data", faultnet.ExtraBytes(2), faultnet.Nth(1)), `"helloXX" <nil>`},
		{faultnet.On("c1 server->client data", faultnet.Split(2)), `"hello" <nil>`},
		{faultnet.On("c1 server->client data", faultnet.Cut(0), faultnet.From(4)), `"hell" <nil>`},
		{faultnet.On("c1 server fin", faultnet.Reset), `"hello" connection reset by peer`},
	} {
		n := new(faultnet.Net)
		c, s := overTCP(t, n)
		n.Install(tt.rule)
		io.WriteString(s, "hello")
		s.CloseWrite()
		b, err := io.ReadAll(c)
		var errno syscall.Errno
		var op *net.OpError
		switch {
		case errors.As(err, &errno):
			err = errno
		case errors.Is(err, os.ErrDeadlineExceeded):
			err = os.ErrDeadlineExceeded
		case errors.As(err, &op):
			err = op.Err
		}
		if got := fmt.Sprintf("%q %v", b, err); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}

// What the server's end reads of a wrapped client's "hello" and FIN, and what
// Write said.
func TestWrapWrite(t *testing.T) {
	for _, tt := range []struct {
		rule faultnet.Rule
		want string
	}{
		{faultnet.On("c1 client write", faultnet.Fail(syscall.EPIPE)), `0 EPIPE, "" ECONNRESET`},
		{faultnet.On("c1 client write", faultnet.Expire), `0 timeout, "" EOF`},
		{faultnet.On("c1 client write", faultnet.Chunk(2)), `5 <nil>, "hello" EOF`},
		{faultnet.On("c1 client->server data", faultnet.Cut(3)), `5 <nil>, "hel" EOF`},
		{faultnet.On("c1 client->server data", faultnet.Lose), `5 <nil>, "" EOF`},
		{faultnet.On("c1 client->server data", faultnet.Split(2)), `5 <nil>, "hello" EOF`},
		{faultnet.On("c1 client->server data", faultnet.Corrupt(0)), `5 <nil>, "iello" EOF`},
	} {
		n := new(faultnet.Net)
		c, s := overTCP(t, n)
		n.Install(tt.rule)
		k, err := io.WriteString(c, "hello")
		c.Close()
		b, readErr := io.ReadAll(s)
		if got := fmt.Sprintf("%d %s, %q %s", k, short(err), b, strings.Replace(short(readErr), "<nil>", "EOF", 1)); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}

func short(err error) string {
	switch {
	case err == nil:
		return "<nil>"
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "timeout"
	case errors.Is(err, syscall.EPIPE):
		return "EPIPE"
	case errors.Is(err, syscall.ECONNRESET):
		return "ECONNRESET"
	}
	return err.Error()
}

// A wrapped call that is blocked goes on when the rule is lifted, and ends when
// its deadline passes or the connection is closed.
func TestWrapBlock(t *testing.T) {
	time0 := clock.NewVirtual(clock.Epoch)
	n := &faultnet.Net{Clock: time0}
	c, s := overTCP(t, n)
	lift := n.Install(faultnet.On("c1 client read", faultnet.Block))
	io.WriteString(s, "hello")
	c.SetReadDeadline(time0.Now().Add(-1)) // in virtual time, and so long past in real time
	if _, err := c.Read(make([]byte, 9)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v, want a timeout", err)
	}
	c.SetReadDeadline(time.Time{})
	got := make(chan string)
	go func() {
		b := make([]byte, 9)
		k, err := c.Read(b)
		got <- fmt.Sprintf("%s %v", b[:k], err)
	}()
	lift()
	if g := <-got; g != "hello <nil>" {
		t.Errorf("got %q", g)
	}
	n.Install(faultnet.On("c1 client read", faultnet.Block))
	go func() {
		_, err := c.Read(make([]byte, 9))
		got <- fmt.Sprint(errors.Is(err, net.ErrClosed))
	}()
	c.Close()
	if g := <-got; g != "true" {
		t.Errorf("got %q, want net.ErrClosed", g)
	}
}

// Dials and accepts over loopback TCP are subject to rules too.
func TestWrapDialAndAccept(t *testing.T) {
	n := new(faultnet.Net)
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := n.WrapListener(inner)
	defer l.Close()
	dial := n.WrapDialer(new(net.Dialer).DialContext)
	for _, v := range []faultnet.Verdict{faultnet.Refuse, faultnet.NoDescriptor, faultnet.Unreachable} {
		lift := n.Install(faultnet.On("dial", v))
		_, err := dial(context.Background(), "tcp", l.Addr().String())
		var op *net.OpError
		if !errors.As(err, &op) || op.Op != "dial" {
			t.Errorf("%s: got %v", v, err)
		}
		lift()
	}
	n.Install(faultnet.On("accept", faultnet.Fail(syscall.EMFILE), faultnet.Nth(1)))
	n.Install(faultnet.On("accept", faultnet.ResetAtOnce, faultnet.Nth(1))) // the first that the rule above leaves
	var conns []net.Conn
	for range 2 {
		c, err := dial(context.Background(), "tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
	}
	_, err = l.Accept()
	var ne net.Error
	if !errors.Is(err, syscall.EMFILE) || !errors.As(err, &ne) || ne.Timeout() {
		t.Errorf("got %v, want EMFILE", err)
	}
	s, err := l.Accept() // the first is reset, the second is this
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := conns[0].Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("got %v, want ECONNRESET", err)
	}
	io.WriteString(s, "x")
	if _, err := conns[1].Read(make([]byte, 1)); err != nil {
		t.Error(err)
	}
	for _, c := range conns {
		c.Close()
	}
}

// What a wrapped connection is sent can be held and let go, as on the network
// itself, and nothing overtakes it.
func TestWrapHold(t *testing.T) {
	n := new(faultnet.Net)
	c, s := overTCP(t, n)
	arrived := make(chan string)
	n.Install(func(e *faultnet.Event) faultnet.Verdict {
		if e.Kind == faultnet.Data {
			arrived <- e.String()
		}
		return faultnet.Pass
	})
	release := n.Hold("c1 server->client data")
	io.WriteString(s, "hello")
	s.CloseWrite()
	if e := <-arrived; e != "c1 server->client data" {
		t.Errorf("got %s", e)
	}
	c.SetReadDeadline(time.Now())
	if k, err := c.Read(make([]byte, 9)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %d, %v, want a timeout: it is held", k, err)
	}
	c.SetReadDeadline(time.Time{})
	release()
	if b, err := io.ReadAll(c); string(b) != "hello" || err != nil {
		t.Errorf("got %q, %v", b, err)
	}
}

// Several goroutines write to a connection that is cut meanwhile, while others
// ask where in the stream it is: nothing of it is a data race.
func TestWrapConcurrently(t *testing.T) {
	n := new(faultnet.Net)
	c, s := overTCP(t, n)
	n.Install(faultnet.On("c1 client->server data", faultnet.Cut(10), faultnet.From(1000)))
	n.Install(faultnet.On("c1 server->client data", faultnet.Cut(1)))
	var writers sync.WaitGroup
	for range 4 {
		writers.Go(func() {
			for range 100 {
				c.Write(make([]byte, 50))
			}
		})
		writers.Go(func() {
			for range 100 {
				c.SetDeadline(time.Time{})
				c.Read(make([]byte, 50))
				s.Write(make([]byte, 50))
			}
		})
	}
	b, err := io.ReadAll(s)
	if len(b) != 1010 || err != nil {
		t.Errorf("got %d bytes, %v, want 1010 and the end", len(b), err)
	}
	c.Close()
	writers.Wait()
}

// Closing the program's end closes the connection itself, also where the network
// between is gone and the peer says nothing.
func TestWrapClose(t *testing.T) {
	for _, v := range []faultnet.Verdict{faultnet.Pass, faultnet.Lose} {
		for _, half := range []bool{false, true} {
			n := new(faultnet.Net)
			c, s := overTCP(t, n)
			n.Install(faultnet.On("c1 client->server data", v))
			io.WriteString(c, "x")
			if half {
				c.(interface{ CloseWrite() error }).CloseWrite()
			}
			c.Close()
			want := "x"
			if !v.IsPass() {
				want = ""
			}
			if b, err := io.ReadAll(s); string(b) != want || err != nil {
				t.Errorf("%s, half-closed before: %t: got %q, %v, want %q and the end", v, half, b, err, want)
			}
		}
	}
}
