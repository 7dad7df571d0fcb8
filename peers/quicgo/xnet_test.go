package quicgo

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/quic"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness"
)

// golang.org/x/net/quic has QUIC and no HTTP/3 that others can import: so it is no subject of the suites, and
// these tests ask what the sweep asks of quic-go. It runs on sockets of IPv4: see TestXNetDualStack.

// xnetConfig returns the configuration of an end.
func xnetConfig(c *tls.Config) *quic.Config {
	c.MinVersion, c.NextProtos = tls.VersionTLS13, []string{"echo"}
	return &quic.Config{TLSConfig: c, HandshakeTimeout: 2 * time.Minute}
}

// xnetServer runs a server of x/net/quic that repeats what each stream says.
func xnetServer(t *harness.T, addr string) {
	socket, err := t.Net.ListenPacket("udp4", addr)
	if err != nil {
		t.Fatal(err)
	}
	cert := harness.TrustedCertificate("server.test", t.Clock.Now().AddDate(1, 0, 0))
	e, err := quic.NewEndpoint(socket, xnetConfig(&tls.Config{Certificates: []tls.Certificate{cert}}))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(func() {
		cancel()
		e.Close(ctx)
	})
	go func() {
		for {
			c, err := e.Accept(ctx)
			if err != nil {
				return
			}
			go func() {
				for {
					s, err := c.AcceptStream(ctx)
					if err != nil {
						return
					}
					go func() {
						defer s.Close()
						io.Copy(s, s)
					}()
				}
			}()
		}
	}()
}

// xnetEcho dials the server from a socket of that network, says a text, and returns what it heard.
func xnetEcho(ctx context.Context, t *harness.T, network, addr, text string) (string, error) {
	to, err := t.Net.DialPacket("udp4", addr) // which looks the name up
	if err != nil {
		return "", err
	}
	to.Close()
	socket, err := t.Net.ListenPacket(network, ":0")
	if err != nil {
		return "", err
	}
	e, err := quic.NewEndpoint(socket, nil)
	if err != nil {
		return "", err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		e.Close(ctx)
	}()
	c, err := e.Dial(ctx, "udp4", to.RemoteAddr().String(), xnetConfig(&tls.Config{RootCAs: harness.TrustedRoots(), ServerName: "server.test"}))
	if err != nil {
		return "", err
	}
	defer c.Close()
	s, err := c.NewStream(ctx)
	if err != nil {
		return "", err
	}
	s.SetReadContext(ctx)
	s.SetWriteContext(ctx)
	if _, err := io.WriteString(s, text); err != nil {
		return "", err
	}
	s.CloseWrite()
	heard, err := io.ReadAll(s)
	return string(heard), err
}

// xnetExchange makes an exchange of that size with that verdict on a packet; "" stands for none.
func xnetExchange(size int, packet string, v faultnet.Verdict) (packets [2]int, fired bool, report *harness.Report) {
	report = harness.TestReport("echo", func(t *harness.T) {
		hit := onPacket(t, packet, v, &packets)
		xnetServer(t, "server.test:443")
		text := strings.Repeat("x", size)
		r := t.Do(t.Context(), "r1", func(ctx context.Context) error {
			heard, err := xnetEcho(ctx, t, "udp4", "server.test:443", text)
			if err == nil && heard != text {
				err = fmt.Errorf("got %d bytes back, want %d", len(heard), size)
			}
			return err
		})
		r.Await()
		r.WantDone()
		fired = hit()
	})
	return packets, fired, report
}

// One packet is lost, comes twice, or comes behind the next, at each place of a handshake and of an exchange
// of x/net/quic: all of the text comes back each time.
func TestXNetEachPacket(t *testing.T) {
	all := 0
	for _, size := range []int{5, 20_000} {
		packets, _, report := xnetExchange(size, "", faultnet.Pass)
		if report.Failed() {
			t.Fatalf("%d bytes:\n%s", size, report)
		}
		faults, fired := 0, 0
		for side, count := range packets {
			direction := [...]string{"client->server", "server->client"}[side]
			for number := 1; number <= count; number++ {
				for _, v := range []faultnet.Verdict{faultnet.Drop, faultnet.Duplicate, faultnet.Reorder(100 * time.Millisecond)} {
					packet := fmt.Sprintf("packet u1 %s %d", direction, number)
					_, hit, report := xnetExchange(size, packet, v)
					faults++
					if hit {
						fired++
					}
					if report.Failed() {
						t.Errorf("%d bytes: %s as %s:\n%s", size, packet, v, report)
					}
				}
			}
		}
		t.Logf("%d bytes: %d packets of the client, %d of the server, %d faults, %d fired", size, packets[0], packets[1], faults, fired)
		all += fired
	}
	if all < 100 {
		t.Errorf("got %d faults in all, want at least 100", all)
	}
}

// x/net/quic: over a socket for both families that is no *net.UDPConn, no handshake with an address of IPv4
// comes to its end. Such a socket has addresses of 16 bytes. A connection takes the IPv4 part of the one that
// it dials (conn.go:110), the endpoint leaves those of what arrives as they are (udp_packetconn.go:55),
// and a packet whose address differs is dropped (conn_recv.go:16).
func TestXNetDualStack(t *testing.T) {
	for _, network := range []string{"udp4", "udp"} {
		harness.Test(t, func(t *harness.T) {
			xnetServer(t, "server.test:443")
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			r := t.Do(ctx, "r1", func(ctx context.Context) error {
				_, err := xnetEcho(ctx, t, network, "server.test:443", "hello")
				return err
			})
			r.Await()
			if failed := errors.Is(r.Err(), context.DeadlineExceeded); failed != (network == "udp") || !failed && r.Err() != nil {
				t.Errorf("%s: got %v: the finding is gone", network, r.Err())
			}
		})
	}
}
