package faultnet_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/halfopen/halfopen/clock"
	"github.com/halfopen/halfopen/faultnet"
)

// traceOf returns the trace of a recorder without ports, and without when it began.
func traceOf(t *testing.T, r *faultnet.Recorder) string {
	t.Helper()
	var b bytes.Buffer
	n, err := r.WriteTo(&b)
	if err != nil || n != int64(b.Len()) {
		t.Fatalf("got %d, %v, and %d bytes", n, err, b.Len())
	}
	text := regexp.MustCompile(`127\.0\.0\.1:\d+`).ReplaceAllString(b.String(), "ADDR")
	return regexp.MustCompile(`began \S+`).ReplaceAllString(text, "began T")
}

func wantTrace(t *testing.T, r *faultnet.Recorder, want string) {
	t.Helper()
	if got := traceOf(t, r); got != "halfopen trace 1\nbegan T\n"+want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// kernelPair returns both ends of a connection of the kernel; the client's is recorded.
func kernelPair(t *testing.T, r *faultnet.Recorder) (client, server net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err = r.WrapDialer(nil)(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if server, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}

// A trace has each event of a connection with its time: what was written and read, the FIN of
// each side, and what is open at the end.
func TestRecorder(t *testing.T) {
	c := clock.NewVirtual(time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC))
	r := &faultnet.Recorder{Clock: c, Payload: 5}
	client, server := kernelPair(t, r)
	c.Advance(1500 * time.Millisecond)
	io.WriteString(client, "GET / HTTP/1.1\r\n\r\n")
	io.ReadFull(server, make([]byte, 18))
	io.WriteString(server, "hi\x00")
	io.ReadFull(client, make([]byte, 3))
	wantTrace(t, r, `0.000000 d1 dial tcp ADDR
0.000000 d1 open c1 ADDR ADDR
1.500000 c1 speaks http/1
1.500000 c1 write 18 "GET /"
1.500000 c1 read 3 "hi\x00"
1.500000 c1 open
1.500000 end
`)
	c.Advance(time.Second)
	client.(interface{ CloseWrite() error }).CloseWrite()
	io.ReadAll(server)
	server.Close()
	io.ReadAll(client)
	client.Read(make([]byte, 1)) // a second end is not noted
	client.Close()
	client.Close()
	if _, err := client.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after Close: got %v, want net.ErrClosed", err)
	}
	if got, want := traceOf(t, r), `2.500000 c1 close-write
2.500000 c1 fin
2.500000 c1 close
2.500000 end
`; !strings.HasSuffix(got, "\"hi\\x00\"\n"+want) {
		t.Errorf("got:\n%s\nwant it to end with:\n%s", got, want)
	}
}

// A reset, a deadline and a dial that fails are noted with their causes.
func TestRecorderErrors(t *testing.T) {
	r := &faultnet.Recorder{Clock: clock.NewVirtual(time.Unix(0, 0))}
	client, server := kernelPair(t, r)
	client.SetReadDeadline(time.Unix(1, 0))
	if _, err := client.Read(make([]byte, 1)); err == nil {
		t.Error("the deadline has passed, and a read succeeds")
	}
	client.SetReadDeadline(time.Time{})
	server.(*net.TCPConn).SetLinger(0)
	server.Close()
	if _, err := client.Read(make([]byte, 1)); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("got %v, want a reset", err)
	}
	fail := func(err error) {
		r.WrapDialer(func(context.Context, string, string) (net.Conn, error) { return nil, err })(t.Context(), "tcp", "a b:80")
	}
	for _, err := range []error{context.Canceled, context.DeadlineExceeded, syscall.ECONNREFUSED, syscall.EHOSTUNREACH, syscall.EMFILE,
		&net.DNSError{Err: "no such host", Name: "x"}, &net.OpError{Op: "dial", Err: syscall.ETIMEDOUT}, errors.New("a\n\"b\"")} {
		fail(err)
	}
	got := traceOf(t, r)
	for _, want := range []string{"c1 error read \"read tcp ADDR->ADDR: i/o timeout\"\n", "c1 rst read\n", "d2 dial tcp \"a b:80\"\n", "d2 fail canceled \"context canceled\"\n",
		"d3 fail deadline ", "d4 fail refused ", "d5 fail unreachable ", "d6 fail no-descriptor ", "d7 fail no-host ", "d8 fail timeout ", `d9 fail other "a\n\"b\""` + "\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("got:\n%s\nwant %s", got, want)
		}
	}
}

// blockedConn is a connection whose writes block.
type blockedConn struct {
	net.Conn
	blocked chan struct{}
}

func (c *blockedConn) Write(b []byte) (int, error) {
	close(c.blocked)
	return c.Conn.Write(b)
}

// What is under way is seen: a dial in flight, a read and a write that wait.
func TestRecorderUnderWay(t *testing.T) {
	r := &faultnet.Recorder{Clock: clock.NewVirtual(time.Unix(0, 0))}
	near, far := net.Pipe()
	blocked := make(chan struct{})
	c, err := r.WrapDialer(func(context.Context, string, string) (net.Conn, error) { return &blockedConn{near, blocked}, nil })(t.Context(), "tcp", "x:1")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); c.Write([]byte("abc")) }()
	<-blocked
	started := make(chan struct{})
	go r.WrapDialer(func(ctx context.Context, _, _ string) (net.Conn, error) {
		close(started)
		<-ctx.Done()
		return nil, ctx.Err()
	})(t.Context(), "tcp", "y:1")
	<-started
	wantTrace(t, r, "0.000000 d1 dial tcp x:1\n0.000000 d1 open c1 pipe pipe\n0.000000 c1 write 3\n0.000000 d2 dial tcp y:1\n0.000000 c1 writing\n0.000000 end\n")
	far.Close()
	<-done
	if got := traceOf(t, r); !strings.Contains(got, "c1 unwritten 3\n0.000000 c1 error write \"io: read/write on closed pipe\"\n") {
		t.Errorf("got:\n%s", got)
	}
}

// net/http reads from a connection that is idle, and from none whose body is open: the trace
// shows the difference.
func TestRecorderHTTP(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello") }))
	defer srv.Close()
	r := &faultnet.Recorder{Clock: clock.NewVirtual(time.Unix(0, 0))}
	reads := make(chan struct{}, 10)
	wrote := make(chan struct{}, 10)
	dial := r.WrapDialer(func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, address)
		return &readingConn{c, reads}, err
	})
	tr := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		return &writtenConn{c, wrote}, err
	}}
	defer tr.CloseIdleConnections()
	get := func() *http.Response {
		resp, err := tr.RoundTrip(httptest.NewRequest("GET", srv.URL, nil))
		if err != nil {
			t.Fatal(err)
		}
		<-wrote // no write is under way any more
		return resp
	}
	left := get()
	<-reads
	ended := get()
	<-reads
	io.ReadAll(ended.Body)
	ended.Body.Close()
	<-reads // it is idle, and reads again
	got := traceOf(t, r)
	if !strings.HasSuffix(got, "0.000000 c1 open\n0.000000 c2 reading\n0.000000 end\n") {
		t.Errorf("got:\n%s\nwant c1 with an open body, and c2 idle", got)
	}
	left.Body.Close()
}

// readingConn says when a read begins.
type readingConn struct {
	net.Conn
	reads chan struct{}
}

func (c *readingConn) Read(b []byte) (int, error) {
	c.reads <- struct{}{}
	return c.Conn.Read(b)
}

// writtenConn says when a write has returned.
type writtenConn struct {
	net.Conn
	wrote chan struct{}
}

func (c *writtenConn) Write(b []byte) (int, error) {
	defer func() { c.wrote <- struct{}{} }()
	return c.Conn.Write(b)
}

// The oldest events are dropped; the trace says how many, and what of which connection.
func TestRecorderMemory(t *testing.T) {
	r := &faultnet.Recorder{Clock: clock.NewVirtual(time.Unix(0, 0)), Memory: 1000}
	old, _ := kernelPair(t, r)
	io.WriteString(old, "old")
	for range 3 {
		c, server := kernelPair(t, r)
		c.Close()
		server.Close()
	}
	c, _ := kernelPair(t, r)
	for range 26 {
		io.WriteString(c, "12")
	}
	got := traceOf(t, r)
	for _, want := range []string{"\nlost 20 15 0 3\n", "0.000000 d1 dial tcp ADDR\n0.000000 d1 open c1 ADDR ADDR\n0.000000 c1 lost 3 3 0\n", "0.000000 d5 dial tcp ADDR\n0.000000 d5 open c5 ADDR ADDR\n0.000000 c5 lost 8 12 0\n", "0.000000 c1 open\n0.000000 c5 open\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("got:\n%s\nwant %q", got, want)
		}
	}
	if n := strings.Count(got, "c5 write 2\n"); n != 20 {
		t.Errorf("got %d writes of c5, want the last 20:\n%s", n, got)
	}
}

// However little memory there is, a recorder goes on, and counts what it drops.
func TestRecorderLittleMemory(t *testing.T) {
	for memory, kept := range map[int]int{-1: 600, 10: 0, 48: 1, 48 * 256: 256, 48 * 300: 300} { // in any order: each is a test of its own
		r := &faultnet.Recorder{Clock: clock.NewVirtual(time.Unix(0, 0)), Memory: memory}
		near, far := net.Pipe()
		go io.Copy(io.Discard, far)
		c, _ := r.WrapDialer(func(context.Context, string, string) (net.Conn, error) { return near, nil })(t.Context(), "tcp", "x:1")
		for range 600 {
			c.Write([]byte("x"))
		}
		got := traceOf(t, r)
		if n := strings.Count(got, "c1 write 1\n"); n != kept {
			t.Errorf("memory for %d bytes: got %d writes, want %d", memory, n, kept)
		}
		if want := fmt.Sprintf("\nlost %d %d 0 0\n", 602-kept, 600-kept); memory > 0 && !strings.Contains(got, want) {
			t.Errorf("memory for %d bytes: got:\n%.300s\nwant %s", memory, got, want)
		}
		c.Close()
		far.Close()
	}
}

// A listener's connections are those of a server. A connection over TLS shows what the program
// writes, and has the methods of tls.Conn.
func TestRecorderListenerAndTLS(t *testing.T) {
	r := &faultnet.Recorder{Clock: clock.NewVirtual(time.Unix(0, 0)), Payload: 3}
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {}))
	srv.Listener = r.WrapListener(srv.Listener)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	defer srv.Close()
	dial := r.WrapDialer(func(ctx context.Context, network, address string) (net.Conn, error) {
		return (&tls.Dialer{Config: srv.Client().Transport.(*http.Transport).TLSClientConfig}).DialContext(ctx, network, address)
	})
	tr := &http.Transport{DialTLSContext: dial}
	defer tr.CloseIdleConnections()
	resp, err := tr.RoundTrip(httptest.NewRequest("GET", srv.URL, nil))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	got := traceOf(t, r)
	for _, want := range []string{" accept ADDR ADDR\n", " speaks tls\n", "speaks http/1\n", "\"GET\"\n", "\"HTT\"\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("got:\n%s\nwant %q", got, want)
		}
	}
	c, err := dial(t.Context(), "tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if s, ok := c.(interface{ ConnectionState() tls.ConnectionState }); !ok || !s.ConnectionState().HandshakeComplete {
		t.Errorf("%T has no ConnectionState", c)
	}
}

// The wrapper of a TCP connection has all its methods; copies go through it.
func TestRecorderTCP(t *testing.T) {
	r := &faultnet.Recorder{Clock: clock.NewVirtual(time.Unix(0, 0))}
	client, server := kernelPair(t, r)
	for _, ok := range []bool{
		func() bool { _, ok := client.(syscall.Conn); return ok }(),
		func() bool { _, ok := client.(interface{ SetLinger(int) error }); return ok }(),
		func() bool { _, ok := client.(interface{ SetNoDelay(bool) error }); return ok }(),
		func() bool {
			c, ok := client.(interface{ NetConn() net.Conn })
			_, tcp := c.NetConn().(*net.TCPConn)
			return ok && tcp
		}(),
	} {
		if !ok {
			t.Errorf("%T lacks a method of TCPConn", client)
		}
	}
	go func() {
		io.Copy(client, io.LimitReader(strings.NewReader("xxxx"), 4))
		client.(interface{ CloseWrite() error }).CloseWrite()
	}()
	if b, err := io.ReadAll(server); string(b) != "xxxx" || err != nil {
		t.Errorf("got %q, %v", b, err)
	}
	io.WriteString(server, "yyy")
	server.Close()
	var b bytes.Buffer
	if _, err := io.Copy(&b, client); b.String() != "yyy" || err != nil {
		t.Errorf("got %q, %v", &b, err)
	}
	if got := traceOf(t, r); !strings.Contains(got, "c1 write 4\n") || !strings.Contains(got, "c1 read 3\n0.000000 c1 fin\n") {
		t.Errorf("got:\n%s", got)
	}
}

// A recorder may be used, and asked for its trace, by many goroutines at once.
func TestRecorderTogether(t *testing.T) {
	r := &faultnet.Recorder{Payload: 8, Memory: 20_000}
	dial := r.WrapDialer(func(context.Context, string, string) (net.Conn, error) {
		a, b := net.Pipe()
		go io.Copy(b, b)
		return a, nil
	})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 50 {
				c, _ := dial(context.Background(), "tcp", fmt.Sprintf("h%d:1", i))
				io.WriteString(c, "ping")
				io.ReadFull(c, make([]byte, 4))
				c.Close()
			}
		})
		wg.Go(func() {
			for range 5 {
				r.WriteTo(io.Discard)
			}
		})
	}
	wg.Wait()
	if got := traceOf(t, r); strings.Contains(got, " open\n") || !strings.Contains(got, "\nlost ") || !strings.Contains(got, "c400 close\n") {
		t.Errorf("got:\n%.3000s", got)
	}
}
