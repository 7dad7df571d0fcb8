package quicgo

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness"
)

// The same exchanges over loopback UDP and over faultnet, with the same packet lost, doubled or
// overtaken, must come to the same: the answer or the error, how often the request reached the
// server, and on how many connections.
//
// Between client and server on loopback stands a relay, which counts the packets of each
// direction. Both ends have a socket without the calls that only a kernel's has, so that quic-go
// takes the same way as on faultnet: one packet a call, and none larger than 1,280 bytes.
//
// What is compared does not depend on time. The runs on loopback wait for QUIC's own timers.

// lossCase is one of the cases: a packet of the side that sends much in its exchange, so that
// there are as many on loopback, where time decides how often a packet is acknowledged.
type lossCase struct {
	exchange int // of exchanges
	side     faultnet.Side
	number   int
	verdict  faultnet.Verdict
}

func (c lossCase) String() string {
	return fmt.Sprintf("%s packet %d as %s", c.side, c.number, c.verdict)
}

func lossCases() (cases []lossCase) {
	for _, v := range []faultnet.Verdict{faultnet.Drop, faultnet.Duplicate, faultnet.Reorder(20 * time.Millisecond)} {
		for number := 1; number <= 8; number++ {
			cases = append(cases, lossCase{1, faultnet.Server, number, v}, lossCase{2, faultnet.Client, number, v})
		}
	}
	return cases
}

func TestHTTP3AsOverLoopback(t *testing.T) {
	cases := lossCases()
	if len(cases) < 30 {
		t.Fatalf("got %d cases, want at least 30", len(cases))
	}
	config := serverConfig(t)
	for _, c := range cases {
		t.Run(c.String(), func(t *testing.T) {
			packet := fmt.Sprintf("packet u1 %s->%s %d", c.side, 1-c.side, c.number)
			ours := exchange(c.exchange, packet, c.verdict)
			if ours.report.Failed() || !ours.fired {
				t.Fatalf("on faultnet, fired %t:\n%s", ours.fired, ours.report)
			}
			got := fmt.Sprintf("%s, %d bytes, sent once, 1 connection", ours.outcome, ours.size)
			theirs, fired, err := overLoopback(t, config, c)
			if err != nil || !fired {
				t.Fatalf("over loopback: %v, fired %t", err, fired)
			}
			if got != theirs {
				t.Errorf("got %q on faultnet, and over loopback %q", got, theirs)
			}
		})
	}
}

// serverConfig returns the TLS configuration that the harness has for a server.
func serverConfig(t *testing.T) (config *tls.Config) {
	harness.TestReport(t.Name(), func(t *harness.T) {
		t.ServeUDP("api.test:443", nil, func(_ net.PacketConn, c *tls.Config, _ http.Handler) func() {
			config = c
			return func() {}
		})
	})
	return http3.ConfigureTLSConfig(config)
}

// plainSocket is a socket of the kernel without what faultnet's has not.
type plainSocket struct {
	net.PacketConn
	buffers interface {
		SetReadBuffer(int) error
		SetWriteBuffer(int) error
	}
}

func (s plainSocket) SetReadBuffer(n int) error  { return s.buffers.SetReadBuffer(n) }
func (s plainSocket) SetWriteBuffer(n int) error { return s.buffers.SetWriteBuffer(n) }

func listenPlain() (plainSocket, error) {
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	return plainSocket{c, c}, err
}

// overLoopback makes the exchange over loopback, with the fault of the case, and describes what it
// came to.
func overLoopback(t *testing.T, config *tls.Config, c lossCase) (outcome string, fired bool, err error) {
	server, err := listenPlain()
	if err != nil {
		return "", false, err
	}
	defer server.Close()
	var mu sync.Mutex
	sent := 0
	conns := make(map[string]bool)
	s := &http3.Server{TLSConfig: config, QUICConfig: &quic.Config{HandshakeIdleTimeout: time.Minute, Allow0RTT: true},
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			sent++
			conns[r.RemoteAddr] = true
			mu.Unlock()
			harness.Pages(w, r)
		})}
	go s.Serve(server)
	defer s.Close()
	relay, err := newRelay(server.LocalAddr(), c)
	if err != nil {
		return "", false, err
	}
	defer relay.close()
	client, err := listenPlain()
	if err != nil {
		return "", false, err
	}
	defer client.Close()
	tr := &http3.Transport{TLSClientConfig: &tls.Config{RootCAs: harness.TrustedRoots(), ServerName: "api.test"},
		QUICConfig: &quic.Config{HandshakeIdleTimeout: time.Minute},
		Dial: func(ctx context.Context, _ string, config *tls.Config, q *quic.Config) (*quic.Conn, error) {
			return quic.DialEarly(ctx, client, relay.front.LocalAddr(), config, q)
		}}
	defer tr.Close()
	resp, err := tr.RoundTrip(newExchange(c.exchange))
	outcome = outcomeOf(resp, err)
	size := int64(0)
	if err == nil {
		size, err = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	mu.Lock()
	defer mu.Unlock()
	times := map[int]string{1: "once"}[sent]
	return fmt.Sprintf("%s, %d bytes, sent %s, %d connection", outcome, size, times, len(conns)), relay.fired(), err
}

// relay passes the packets of one client on to a server, and back, but for one of them.
type relay struct {
	front, back net.PacketConn // towards the client, and towards the server
	server      net.Addr
	c           lossCase

	mu     sync.Mutex
	client net.Addr
	seen   [2]int // by the side that sent them
	behind func() // sends the packet that is to come behind the next one of its direction
	done   bool
}

func newRelay(server net.Addr, c lossCase) (*relay, error) {
	front, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	back, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		front.Close()
		return nil, err
	}
	r := &relay{front: front, back: back, server: server, c: c}
	go r.run(front, faultnet.Client)
	go r.run(back, faultnet.Server)
	return r, nil
}

func (r *relay) close() {
	r.front.Close()
	r.back.Close()
}

func (r *relay) fired() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.done
}

// run passes on what a side sends.
func (r *relay) run(from net.PacketConn, side faultnet.Side) {
	b := make([]byte, 1<<16)
	for {
		n, addr, err := from.ReadFrom(b)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			r.pass(side, addr, append([]byte(nil), b[:n]...))
		}
	}
}

// pass passes a packet on, as the case says.
func (r *relay) pass(side faultnet.Side, from net.Addr, b []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	to, out := r.server, r.back
	if side == faultnet.Client {
		r.client = from
	} else {
		to, out = r.client, r.front
	}
	send := func() { out.WriteTo(b, to) }
	r.seen[side]++
	if side != r.c.side || r.seen[side] != r.c.number {
		send()
		if side == r.c.side && r.behind != nil {
			r.behind()
			r.behind = nil
		}
		return
	}
	r.done = true
	switch r.c.verdict.String() {
	case "drop":
	case "duplicate":
		send()
		send()
	default: // reorder: a timer sends it if no packet follows
		r.behind = send
		time.AfterFunc(20*time.Millisecond, func() {
			r.mu.Lock()
			defer r.mu.Unlock()
			if r.behind != nil {
				r.behind()
				r.behind = nil
			}
		})
	}
}
