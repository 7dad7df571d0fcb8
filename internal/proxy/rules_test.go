package proxy

import (
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/halfopen/halfopen/faultnet"
)

// effect is a rule, and what both programs see: the server reads a request of 5 bytes, writes
// "0123456789" and closes.
type effect struct {
	rule   string
	client string // what it reads, and the error
	server string
	after  time.Duration
}

// effects has each verdict that a proxy can give to a connection.
var effects = []effect{
	{"fault c1 server->client data as cut:4", `"0123" ok`, `"hello" ok`, 0},
	{"fault c1 server->client data as cut:4 from 3", `"0123456" ok`, `"hello" ok`, 0},
	{"fault c1 server->client data as reset:4", `"0123" ECONNRESET`, `"hello" ok`, 0},
	{"fault c1 server->client data as corrupt:1", `"0023456789" ok`, `"hello" ok`, 0},
	{"fault c1 server->client data as extra:2", `"0123456789XX" ok`, `"hello" ok`, 0},
	{"fault c1 server->client data as split:3", `"0123456789" ok`, `"hello" ok`, 0},
	{"fault c1 server->client data as delay:2s", `"0123456789" ok`, `"hello" ok`, 2 * time.Second},
	{"shape c1 server->client data as delay:2s", `"0123456789" ok`, `"hello" ok`, 2 * time.Second},
	{"shape c1 server->client data as rate:5", `"0123456789" ok`, `"hello" ok`, 2 * time.Second},
	{"shape c1 server->client data as dribble:2,1s", `"0123456789" ok`, `"hello" ok`, 5 * time.Second},
	{"shape * server->client data as jitter:1s", `"0123456789" ok`, `"hello" ok`, 213832 * time.Microsecond},
	{"shape * server->client data as tail:1s", `"0123456789" ok`, `"hello" ok`, 288547 * time.Microsecond},
	{"shape * server->client data as tail:1s,2", `"0123456789" ok`, `"hello" ok`, 642587 * time.Microsecond},
	{"fault c1 server fin as delay:3s", `"0123456789" ok`, `"hello" ok`, 3 * time.Second},
	{"fault c1 server fin as reset", `"0123456789" ECONNRESET`, `"hello" ok`, 0},
	{"fault c1 client->server data as reset", `"" ECONNRESET`, `"" ECONNRESET`, 0},
	{"fault c1 client->server data as reset:2", `"" ECONNRESET`, `"he" ECONNRESET`, 0},
	{"fault c1 client->server data as stall:2", `"" late`, `"he" late`, 0},
	{"fault c1 server->client data as stall:2", `"01" late`, `"hello" ok`, 0},
	{"fault c1 server->client data as lose", `"" late`, `"hello" ok`, 0},
	{"fault c2 server->client data as reset", `"0123456789" ok`, `"hello" ok`, 0},
	{"fault dial as close-at-once", `"" ok`, `"" ok`, 0},
	{"fault dial as reset-at-once", `"" ECONNRESET`, `"" ok`, 0},
	{"fault dial as delay:2s", `"0123456789" ok`, `"hello" ok`, 2 * time.Second},
	{"fault dial as lookup:2s", `"0123456789" ok`, `"hello" ok`, 2 * time.Second},
}

// Each rule has the effect that the manual of scripts says, on both programs, and is logged.
func TestEffects(t *testing.T) {
	for _, tt := range effects {
		t.Run(tt.rule, func(t *testing.T) { onMachine(t, tt.rule+"\n", func(m *machine) { testEffect(m, tt) }) })
	}
}

// testEffect runs one.
func testEffect(m *machine, tt effect) {
	m.Helper()
	begin := time.Now()
	got := make(chan string, 1)
	m.serve("api.test:80", func(c net.Conn) {
		defer c.Close()
		c.SetReadDeadline(begin.Add(time.Hour))
		b := make([]byte, 5)
		n, err := io.ReadFull(c, b)
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			err = nil
		}
		got <- fmt.Sprintf("%q %s", b[:n], late(err))
		io.WriteString(c, "0123456789")
	})
	c := m.tunnel("api.test:80")
	defer c.Close()
	c.SetReadDeadline(begin.Add(time.Hour))
	io.WriteString(c, "hello")
	b, err := io.ReadAll(c)
	if client := fmt.Sprintf("%q %s", b, late(err)); client != tt.client {
		m.Errorf("%s: got %s, want %s", tt.rule, client, tt.client)
	}
	took := time.Since(begin)
	if late(err) != "late" && took != tt.after {
		m.Errorf("%s: took %v, want %v", tt.rule, took, tt.after)
	}
	if server := <-got; server != tt.server {
		m.Errorf("%s: the server got %s, want %s", tt.rule, server, tt.server)
	}
	if fired := m.proxy.Summary(); fired == strings.Contains(tt.rule, "c2") || fired == strings.Contains(m.log.String(), "never fired") {
		m.Errorf("%s: got fired %t and the log\n%s", tt.rule, fired, &m.log)
	}
}

// late names the error of a read that gave up.
func late(err error) string {
	if ne, ok := err.(net.Error); ok && ne.Timeout() && short(err) != "ETIMEDOUT" {
		return "late"
	}
	return short(err)
}

// Each verdict of the network has either an effect that a test above sees, or a reason why a
// proxy cannot give it.
func TestVerdicts(t *testing.T) {
	tested := "refuse timeout unreachable net-unreachable no-host server-failure try-again resolve-timeout empty-answer no-address no-descriptor black-hole"
	for _, tt := range effects {
		_, outcome, _ := strings.Cut(tt.rule, " as ")
		name, _, _ := strings.Cut(strings.Fields(outcome)[0], ":")
		tested += " " + name
	}
	for _, v := range faultnet.Verdicts() {
		name := verdictName(v)
		if why, ok := refused(v); ok == slices.Contains(strings.Fields(tested), name) || ok && why == "" {
			t.Errorf("%s: want a reason in notHere or a test of its effect, and not both", name)
		}
		if (name == "jitter" || name == "tail") && !strings.Contains(v.Doc(), "("+randomDefault.String()+")") {
			t.Errorf("%s: the manual says %q, and the default here is %v", name, v.Doc(), randomDefault)
		}
	}
}

// Selections count the events of a pattern, in the order of acceptance; without one a fault is
// for the next event alone.
func TestSelections(t *testing.T) {
	for _, tt := range []struct{ rule, want string }{
		{"fault dial as refuse", "no yes yes yes"},
		{"fault dial as refuse nth 2", "yes no yes yes"},
		{"fault dial d3 as refuse", "yes yes no yes"},
		{"fault dial as refuse after 2", "yes yes no no"},
		{"fault dial * api.test:80 as refuse always", "no no no no"},
		{"fault dial * other.test:80 as refuse always", "yes yes yes yes"},
		{"fault dial as refuse first 3", "no no no yes"},
		{"fault dial as refuse first 1\nfault dial as unreachable first 1", "no no yes yes"},
	} {
		onMachine(t, tt.rule+"\n", func(m *machine) {
			m.serve("api.test:80", echo)
			if got := m.dials(4); got != tt.want {
				m.Errorf("%s: got %s, want %s", tt.rule, got, tt.want)
			}
		})
	}
}

// Numbers are those of acceptance, whatever the clients do then: the first that was accepted
// is c1 although its dial is the last.
func TestNumbers(t *testing.T) {
	onMachine(t, "fault c1 server->client data as cut:1\nfault c3 server->client data as cut:3\n", func(m *machine) {
		m.serve("api.test:7", echo)
		var conns []net.Conn
		for range 3 {
			conns = append(conns, m.dial(m.at))
		}
		for i := range conns { // the last asks first
			c := conns[len(conns)-1-i]
			fmt.Fprintf(c, "CONNECT api.test:7 HTTP/1.1\r\nHost: api.test:7\r\n\r\n")
			want := "HTTP/1.1 200 Connection established\r\n\r\n"
			if _, err := io.ReadFull(c, make([]byte, len(want))); err != nil {
				m.Fatal(err)
			}
		}
		for i, want := range []string{"h", "hello", "hel"} {
			io.WriteString(conns[i], "hello")
			conns[i].(interface{ CloseWrite() error }).CloseWrite()
			if b, err := io.ReadAll(conns[i]); string(b) != want {
				m.Errorf("c%d: got %q, %v, want %q", i+1, b, err, want)
			}
			conns[i].Close()
		}
	})
}

// What rules count for a connection is forgotten when that has ended.
func TestForgotten(t *testing.T) {
	onMachine(t, "shape * server->client data as delay:1ms\nshape dial as delay:1ms\n", func(m *machine) {
		m.serve("api.test:7", echo)
		for range 20 {
			c := m.tunnel("api.test:7")
			io.WriteString(c, "x")
			c.(interface{ CloseWrite() error }).CloseWrite()
			io.ReadAll(c)
			c.Close()
		}
		synctest.Wait()
		m.proxy.logging.Lock()
		defer m.proxy.logging.Unlock()
		for _, r := range m.proxy.Rules.list {
			if len(r.seen) > 0 || r.fired != 20 {
				m.Errorf("%s: got %d connections that are not forgotten, and %d events", r.text, len(r.seen), r.fired)
			}
		}
	})
}

// Names and addresses are sent elsewhere by rules: a name is looked up as the rules say, and an
// address is dialed as another one.
func TestRoutes(t *testing.T) {
	onMachine(t, "resolve pair.test down.test up.test\nresolve empty.test\nroute api.test:443 127.0.0.1:8443\n", func(m *machine) {
		m.serve("up.test:7", echo)
		m.serve("127.0.0.1:8443", echo)
		for _, addr := range []string{"pair.test:7", "api.test:443"} {
			c := m.tunnel(addr)
			io.WriteString(c, "x")
			c.(interface{ CloseWrite() error }).CloseWrite()
			if b, err := io.ReadAll(c); string(b) != "x" {
				m.Errorf("%s: got %q, %v", addr, b, err)
			}
			c.Close()
		}
		if _, err := m.socks("empty.test:7"); err == nil || !strings.HasSuffix(err.Error(), "host unreachable") {
			m.Errorf("got %v", err)
		}
	})
}
