package faultnet_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/halfopen/halfopen/faultnet"
)

// What a dial that nothing disturbs fails with, to the error value.
func TestDialErrors(t *testing.T) {
	n := new(faultnet.Net)
	l, err := n.Listen("tcp", "api.test:80")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	for _, tt := range []struct {
		name, network, addr string
		ctx                 context.Context
		want                error
		text                string
	}{
		{name: "no program listens", addr: "api.test:81", want: syscall.ECONNREFUSED, text: "dial tcp 198.18.0.1:81: connect: connection refused"},
		{name: "no program listens on loopback", addr: "127.0.0.1:81", want: syscall.ECONNREFUSED},
		{name: "address of no host", addr: "192.0.2.1:80", want: syscall.EHOSTUNREACH, text: "dial tcp 192.0.2.1:80: connect: no route to host"},
		{name: "unknown name", addr: "other.test:80", text: "dial tcp: lookup other.test: no such host"},
		{name: "no port", addr: "api.test", text: "dial tcp: address api.test: missing port in address"},
		{name: "bad port", addr: "api.test:x", text: "dial tcp: address api.test:x: unknown port"},
		{name: "unknown network", network: "unix", addr: "api.test:80", text: "dial unix: unknown network unix"},
		{name: "cancelled", addr: "api.test:80", ctx: canceled, want: context.Canceled, text: "dial tcp: operation was canceled"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.network == "" {
				tt.network = "tcp"
			}
			if tt.ctx == nil {
				tt.ctx = context.Background()
			}
			c, err := n.DialContext(tt.ctx, tt.network, tt.addr)
			var op *net.OpError
			if c != nil || !errors.As(err, &op) || op.Op != "dial" || op.Net != tt.network {
				t.Fatalf("got %v, %v, want a *net.OpError of a dial", c, err)
			}
			if tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if tt.text != "" && err.Error() != tt.text {
				t.Errorf("got %q, want %q", err, tt.text)
			}
		})
	}
}

// Each verdict for a dial gives the error that it says.
func TestDialVerdicts(t *testing.T) {
	want := map[string]func(error) bool{
		"refuse":          errno(syscall.ECONNREFUSED),
		"timeout":         errno(syscall.ETIMEDOUT),
		"unreachable":     errno(syscall.EHOSTUNREACH),
		"net-unreachable": errno(syscall.ENETUNREACH),
		"no-address":      errno(syscall.EADDRNOTAVAIL),
		"no-descriptor":   errno(syscall.EMFILE),
		"empty-answer": func(err error) bool {
			var a *net.AddrError
			return errors.As(err, &a) && a.Err == "no suitable address found"
		},
		"try-again": func(err error) bool {
			var d *net.DNSError
			return errors.As(err, &d) && d.IsTemporary && !d.IsTimeout
		},
		"resolve-timeout": func(err error) bool {
			var d *net.DNSError
			return errors.As(err, &d) && d.IsTimeout
		},
		"no-host": func(err error) bool {
			var d *net.DNSError
			return errors.As(err, &d) && d.IsNotFound
		},
		"server-failure": func(err error) bool {
			var d *net.DNSError
			return errors.As(err, &d) && d.IsTemporary && !d.IsNotFound
		},
	}
	// These do not fail a dial at once: TestFaults has them.
	others := []string{"lookup", "black-hole", "deaf", "ignored"}
	for _, v := range faultnet.Verdicts() {
		if v.Kinds() != faultnet.Dial || slices.Contains(others, v.String()) {
			continue
		}
		check := want[v.String()]
		if check == nil {
			t.Errorf("%s: no expectation", v)
			continue
		}
		n := new(faultnet.Net)
		l, _ := n.Listen("tcp", "api.test:80")
		lift := n.Install(faultnet.On("dial * api.test:80", v))
		if _, err := n.Dial("tcp", "api.test:80"); !check(err) {
			t.Errorf("%s: got %v", v, err)
		}
		lift()
		lift() // harmless
		if c, err := n.Dial("tcp", "api.test:80"); err != nil {
			t.Errorf("%s: after it was lifted: %v", v, err)
		} else {
			c.Close()
		}
		l.Close()
	}
}

func errno(e syscall.Errno) func(error) bool {
	return func(err error) bool { return errors.Is(err, e) }
}

// FIN and RST are two things, and a half-close is a third.
func TestEnds(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(c, s *faultnet.Conn)
		want string // what the server reads, and then its errors
	}{
		{"close", func(c, s *faultnet.Conn) { c.Close() }, "hi EOF EOF"},
		{"half-close", func(c, s *faultnet.Conn) { c.CloseWrite() }, "hi EOF EOF"},
		{"reset", func(c, s *faultnet.Conn) { c.Reset() }, "hi ECONNRESET EOF"},
		{"linger 0", func(c, s *faultnet.Conn) { c.SetLinger(0); c.Close() }, "hi ECONNRESET EOF"},
		{"close with unread data", func(c, s *faultnet.Conn) { s.Write([]byte("x")); c.Close() }, "hi ECONNRESET EOF"},
		{"write to a closed end", func(c, s *faultnet.Conn) { c.Close(); s.Write([]byte("x")) }, "hi EOF EOF"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, s := pipe(t, new(faultnet.Net))
			defer s.Close()
			defer c.Close()
			c.Write([]byte("hi"))
			tt.do(c, s)
			var got []string
			buf := make([]byte, 10)
			for range 3 {
				n, err := s.Read(buf)
				switch {
				case n > 0:
					got = append(got, string(buf[:n]))
				case err == io.EOF:
					got = append(got, "EOF")
				case errors.Is(err, syscall.ECONNRESET):
					got = append(got, "ECONNRESET")
				default:
					got = append(got, err.Error())
				}
			}
			if s := strings.Join(got, " "); s != tt.want {
				t.Errorf("got %q, want %q", s, tt.want)
			}
		})
	}
}

// Held events wait, each in its direction, and are named; what is written
// before one is released arrives with it.
func TestHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(faultnet.Net)
		c, s := pipe(t, n)
		n.Record(true)
		release := n.Hold("c1 client->server")
		c.Write([]byte("one "))
		c.Write([]byte("two"))
		c.Close()
		wantPending(t, n, "c1 client->server data")
		if got := n.Pending()[0].Bytes(); string(got) != "one two" {
			t.Errorf("got %q in flight, want both writes", got)
		}
		s.SetReadDeadline(time.Now().Add(time.Second))
		if _, err := s.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("got %v, want a deadline: nothing has arrived", err)
		}
		s.SetReadDeadline(time.Time{})
		release()
		if got, err := io.ReadAll(s); string(got) != "one two" || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
		s.Close()
		wantPending(t, n)
		var events []string
		for _, r := range n.Events() {
			events = append(events, r.String())
		}
		if want := []string{"c1 client->server data", "c1 client fin", "c1 server fin"}; !slices.Equal(events, want) {
			t.Errorf("got events %q, want %q", events, want)
		}
		if got := n.Conns(); len(got) != 0 {
			t.Errorf("got %d connections left", len(got))
		}
	})
}

func wantPending(t *testing.T, n *faultnet.Net, want ...string) {
	t.Helper()
	var got []string
	for _, e := range n.Pending() {
		got = append(got, e.String())
	}
	if !slices.Equal(got, want) {
		t.Errorf("got pending %q, want %q", got, want)
	}
}

// Buffers are bounded: a writer waits until the reader has made room.
func TestBuffers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &faultnet.Net{SendBuffer: 10, ReceiveBuffer: 20}
		c, s := pipe(t, n)
		wrote := 0
		go func() {
			for range 5 {
				k, _ := c.Write(make([]byte, 10))
				wrote += k
			}
			c.Close()
		}()
		synctest.Wait()
		if wrote != 30 {
			t.Errorf("got %d bytes written without a reader, want 30", wrote)
		}
		if s.Unread() != 20 || s.InFlight() != 10 {
			t.Errorf("got %d unread and %d in flight, want 20 and 10", s.Unread(), s.InFlight())
		}
		got, err := io.ReadAll(s)
		if len(got) != 50 || err != nil {
			t.Errorf("got %d bytes, %v, want 50", len(got), err)
		}
		s.Close()
	})
}

// The netstat table names both states and what is in flight and unread.
func TestNetstat(t *testing.T) {
	n := new(faultnet.Net)
	if got := n.String(); got != "no connections\n" {
		t.Errorf("got %q", got)
	}
	l, _ := n.Listen("tcp", "api.test:80")
	defer l.Close()
	c, _ := n.DialContext(faultnet.WithOwner(context.Background(), "r1"), "tcp", "api.test:80")
	c.Write([]byte("hello"))
	c.(*faultnet.Conn).CloseWrite()
	want := "conn  to           for  client      server       ->server  ->client\n" +
		"c1    api.test:80  r1   FIN_WAIT2*  CLOSE_WAIT*  0+5       0+0\n"
	if got := n.String(); got != want {
		t.Errorf("got:\n%swant:\n%s", got, want)
	}
	c.Close()
	n.Close()
}

// A driver sees each connection to which something has happened: a Write that waits for room has
// sent what it could. To look at what an event brings changes nothing.
func TestTouched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &faultnet.Net{SendBuffer: 50, ReceiveBuffer: 50}
		l, _ := n.Listen("tcp", "api.test:80")
		c, err := n.Dial("tcp", "api.test:80")
		if err != nil {
			t.Fatal(err)
		}
		n.Drive(func() {})
		want := func(what string, want int) {
			t.Helper()
			synctest.Wait()
			if got := len(n.AppendTouched(nil)); got != want {
				t.Errorf("%s: got %d connections, want %d", what, got, want)
			}
		}
		c.Write(make([]byte, 10))
		want("a Write", 1)
		e := n.AppendPending(nil)[0]
		if b := e.Bytes(); len(b) != 10 {
			t.Errorf("got %d bytes, want 10", len(b))
		}
		want("a look", 0)
		go c.Write(make([]byte, 200))
		want("a Write that waits", 1)
		if b := e.Bytes(); len(b) != 50 {
			t.Errorf("got %d bytes, want as many as the other end takes", len(b))
		}
		n.Drive(nil)
		l.Close()
		n.Close()
	})
}

// A driven network does nothing by itself, numbers dials by their owners and
// not by which came first, and takes cancelled dials back.
func TestDrive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(faultnet.Net)
		n.Record(true)
		n.Drive(func() {})
		l, _ := n.Listen("tcp", "api.test:80")
		ctx, cancel := context.WithCancel(context.Background())
		for _, owner := range []string{"r10", "r2", "r1"} {
			n.Pending() // who looks does not fix the order
			go n.DialContext(faultnet.WithOwner(ctx, owner), "tcp", "api.test:80")
			synctest.Wait()
		}
		wantPending(t, n, "dial d? api.test:80", "dial d? api.test:80", "dial d? api.test:80")
		if dials := n.AppendPending(nil); dials[0].Owner != "r1" {
			t.Errorf("d1 is for %q, want r1", dials[0].Owner)
		}
		wantPending(t, n, "dial d1 api.test:80", "dial d2 api.test:80", "dial d3 api.test:80")
		e := n.Pending()[1]
		if e.Owner != "r2" {
			t.Errorf("d2 is for %q, want r2", e.Owner)
		}
		n.Release(e)
		synctest.Wait()
		if c := e.Opened(); c == nil || c.ID() != "c1" || c.Owner() != "r2" {
			t.Errorf("got %v for r2, want c1", c)
		}
		cancel()
		synctest.Wait()
		wantPending(t, n)
		n.Drive(nil)
		l.Close()
		n.Close()
		var got []string
		for _, r := range n.Events() {
			got = append(got, r.String())
		}
		want := []string{"dial d2 api.test:80 open c1", "dial d1 api.test:80 cancelled", "dial d3 api.test:80 cancelled"}
		if len(got) < 3 || !slices.Equal(got[:3], want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// A listener's errors are those of package net.
func TestListener(t *testing.T) {
	n := new(faultnet.Net)
	l, err := n.Listen("tcp", "api.test:0")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.Listen("tcp", l.Addr().String()); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("got %v, want EADDRINUSE", err)
	}
	c, err := n.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("got %v on a connection that was never accepted, want ECONNRESET", err)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v, want net.ErrClosed", err)
	}
	if err := l.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v, want net.ErrClosed", err)
	}
	c.Close()
}

// Misuse panics with a sentence.
func TestMisuse(t *testing.T) {
	for name, f := range map[string]func(){
		`faultnet: event pattern "[": syntax error in pattern in "["`: func() { faultnet.On("[", faultnet.Hold) },
		"faultnet: empty event pattern":                               func() { new(faultnet.Net).Hold(" ") },
	} {
		func() {
			defer func() {
				if r := recover(); r != name {
					t.Errorf("got panic %v, want %v", r, name)
				}
			}()
			f()
		}()
	}
}
