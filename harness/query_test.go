package harness_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness"
)

// A query bears one datagram that is lost, late, doubled or overtaken, in any order.
func TestQueryExplored(t *testing.T) {
	x, err := harness.ExploreReport(t.Name(), harness.Bounds{Effects: []string{"drop", "duplicate", "reorder", "delay:1500ms"}, Delays: harness.None, Schedules: harness.All, Strategy: "exhaustive"}, nil, func(t *harness.T) {
		t.ServePackets("dns.test:53", nil)
		t.Ask("q1", "dns.test:53", "one")
		t.Ask("q2", "dns.test:53", "two")
		t.Rest()
	})
	if err != nil || len(x.Findings) > 0 || !x.Complete || x.Schedules != 33 {
		t.Errorf("got %v\n%s\nwant no finding in 33 schedules: none of four faults, or one of them on one of two datagrams that are under way, in four steps", err, x)
	}
}

// counter asks for the numbers 1 and 2. If it is strict, it fails when anything else arrives than
// the answer to what it asked last: its mistake, for a datagram may come twice.
func counter(ctx context.Context, n *harness.Net, strict bool) error {
	c, err := n.DialContext(ctx, "udp", "count.test:7")
	if err != nil {
		return err
	}
	defer c.Close()
	b := make([]byte, 10)
	for _, number := range []string{"1", "2"} {
		for {
			c.Write([]byte(number))
			c.SetReadDeadline(time.Now().Add(time.Second))
			k, err := c.Read(b)
			if errors.Is(err, os.ErrDeadlineExceeded) {
				continue
			}
			if err != nil {
				return err
			}
			if got := string(b[:k]); got == number {
				break
			} else if strict {
				return errors.New("asked for " + number + ", got " + got)
			}
		}
	}
	return nil
}

// An exploration finds a client that a datagram which comes twice leads astray, prints it as a
// schedule, and finds nothing where the client heeds what it gets.
func TestQueryFinding(t *testing.T) {
	explore := func(strict bool) *harness.Exploration {
		x, err := harness.ExploreReport(t.Name(), harness.Bounds{Effects: []string{"drop", "duplicate"}}, nil, func(t *harness.T) {
			t.ServePackets("count.test:7", bytes.Clone)
			o := t.Do(t.Context(), "o1", func(ctx context.Context) error { return counter(ctx, t.Net, strict) })
			t.Rest()
			o.WantDone("it gets both numbers")
		})
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	x := explore(true)
	if len(x.Findings) != 1 || !strings.Contains(strings.Join(x.Findings[0].Schedule, "; "), " as duplicate") ||
		!strings.Contains(x.Findings[0].Report.String(), "o1: got error: asked for 2, got 1, want done") {
		t.Errorf("got\n%s\nwant the datagram that comes twice", x)
	}
	if again := explore(true); again.String() != x.String() {
		t.Errorf("got\n%s\nand then\n%s", x, again)
	}
	if x := explore(false); len(x.Findings) > 0 {
		t.Errorf("got\n%s\nwant no finding", x)
	}
}

// A socket of a client has to be closed, one of a server not.
func TestQuerySocketLeft(t *testing.T) {
	for _, tt := range []struct {
		what string
		open func(n *harness.Net) (net.PacketConn, error)
		want string
	}{
		{"dialed", func(n *harness.Net) (net.PacketConn, error) {
			c, err := n.DialPacket("udp", "dns.test:53")
			return c.(net.PacketConn), err
		}, "the socket that sends datagrams to dns.test:53: still open"},
		{"any port", func(n *harness.Net) (net.PacketConn, error) { return n.ListenPacket("udp", ":0") }, "a socket for datagrams without a port of its own: still open"},
		{"server", func(n *harness.Net) (net.PacketConn, error) { return n.ListenPacket("udp", "api.test:443") }, ""},
	} {
		for _, closes := range []bool{false, true} {
			r := harness.TestReport(t.Name(), func(t *harness.T) {
				t.ServePackets("dns.test:53", nil)
				c, err := tt.open(t.Net)
				if err != nil {
					t.Fatal(err)
				}
				if closes {
					c.Close()
				}
			})
			want := tt.want
			if closes {
				want = ""
			}
			if got := r.String(); !strings.Contains(got, want) || r.Failed() != (want != "") {
				t.Errorf("%s, closed %t: got\n%s\nwant %q", tt.what, closes, got, want)
			}
		}
	}
}

// A line about datagrams that is wrong is refused.
func TestQueryMistakes(t *testing.T) {
	for _, tt := range []struct{ script, want string }{
		{"hold packet c1", `event pattern "packet c1": no event has "c1" there (did you mean "u1"?); it can be: u1`},
		{"hold packet u1 client", `no event has "client" there; it can be: client->server, server->client`},
		{"hold packet u1 client->server 0", `no event has "0" there; it can be: 1`},
		{"fault packet u1 as cut:1 x", `unknown word "x"; there are: always`},
		{"ask q1 dns.test:53 hello\nask q1 dns.test:53 hello", "there is a query q1 already"},
		{"ask q1 dns.test:53 hello\nwant status q1 200", "q1 is a query, and this is about a request"},
		{"ask q1 dns.test:53 hello\nwant done q2", `unknown request q2 (did you mean "q1"?)`},
	} {
		_, err := harness.ParseScript("x.txtar", []byte("# A claim.\n"+tt.script+"\n"))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %s", tt.script, err, tt.want)
		}
	}
	r := harness.TestReport(t.Name(), func(t *harness.T) { t.ServePackets("no port", nil) })
	if got := first(r); !strings.Contains(got, "missing port in address") {
		t.Errorf("got %q, want a missing port", got)
	}
	var _ net.PacketConn = (*faultnet.PacketConn)(nil)
}
