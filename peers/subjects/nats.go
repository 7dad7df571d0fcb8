package subjects

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
	_ "unsafe" // for the pool of timers below

	"github.com/nats-io/nats.go"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/suites"
)

// NATS makes a [nats.Conn], which all operations share: each is a request and its reply. It holds
// its mutex while it dials again after a break (Conn.doReconnect, nats.go:3565), so that in a bubble
// which is not deep the cases leak-nothing, broken-drain and stuck-server-stops may be undecided: no call returns meanwhile.
func NATS(t *harness.T, s suites.ClientSettings) (suites.Client, error) {
	if s.MaxConns > 0 || s.MaxIdle > 0 || s.IdleTimeout > 0 || s.MinIdle > 0 || s.MaxLifetime > 0 {
		return nil, errors.New("all requests share one connection")
	}
	return lazily(func() (*nats.Conn, error) {
		servers, first := "nats://"+s.Addr, nats.Option(func(*nats.Options) error { return nil })
		if s.Fallback != "" {
			servers += ",nats://" + s.Fallback
		}
		if s.TLS != nil {
			first = func(o *nats.Options) error { return errors.Join(nats.Secure(s.TLS)(o), nats.TLSHandshakeFirst()(o)) }
		}
		return nats.Connect(servers, first, nats.DontRandomize(), nats.SetCustomDialer(natsDialer{t, orElse(s.Timeout, 48*time.Hour)}), nats.SkipHostLookup(),
			nats.ReconnectWait(time.Second), nats.ReconnectJitter(0, 0), nats.MaxReconnects(-1), nats.PingInterval(48*time.Hour))
	}, func(ctx context.Context, c *nats.Conn, say string) (string, error) {
		ctx, cancel := context.WithTimeout(ctx, orElse(s.Timeout, time.Hour)) // a request that was lost with its connection ends with its time
		defer cancel()
		m, err := c.RequestWithContext(ctx, "echo", []byte(say))
		if err != nil {
			return "", err
		}
		return string(m.Data), nil
	}, func(c *nats.Conn) error { c.Close(); return nil }), nil
}

// natsDialer dials the network of a test for nats.go.
type natsDialer struct {
	t       *harness.T
	timeout time.Duration // nats.Timeout is of its own dialer
}

func (d natsDialer) Dial(network, addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), d.timeout)
	defer cancel()
	return d.t.Net.DialContext(ctx, network, addr)
}

// EchoNATS runs a server on the network that replies to each message with its payload.
func EchoNATS(t *harness.T, addr string) {
	suites.ServeConns(t, addr, func(c net.Conn) {
		_, secure := c.(*tls.Conn)
		if _, err := fmt.Fprintf(c, `INFO {"server_id":"x","version":"2.12.0","headers":true,"max_payload":1048576,"proto":1,"tls_required":%t}`+"\r\n", secure); err != nil {
			return
		}
		r, sid := bufio.NewReader(c), ""
		for {
			line, err := r.ReadString('\n')
			f := strings.Fields(line)
			if err != nil || len(f) == 0 {
				return
			}
			switch f[0] {
			case "PING":
				_, err = io.WriteString(c, "PONG\r\n")
			case "SUB":
				sid = f[len(f)-1]
			case "PUB": // a subject, the subject of the reply, and the size
				size, _ := strconv.Atoi(f[len(f)-1])
				payload := make([]byte, size+2)
				if _, err = io.ReadFull(r, payload); err == nil && len(f) == 4 {
					_, err = fmt.Fprintf(c, "MSG %s %s %d\r\n%s", f[2], sid, size, payload)
				}
			}
			if err != nil {
				return
			}
		}
	})
}

// natsTimers has the timers of nats.go: its variable is a struct whose only field is the pool.
//
//go:linkname natsTimers github.com/nats-io/nats%2ego.globalTimerPool
var natsTimers sync.Pool

// Files and lines are those of nats.go.
var natsQuirks = quirk(suites.Quirk{
	Reason: "while it reconnects the client does not close a connection whose handshake failed: Conn.doReconnect (nats.go:3581) goes on when processConnectInit fails, and Conn.createConn (nats.go:2539) puts the next connection " +
		"in its place (TestNATSLeavesFailedHandshakes). It holds its mutex while it dials, so that the case is undecided by chance",
	Breaks: "nothing: nats.go does not mention handshakes that fail; Conn.Close closes the connection to the server, and these stay open", Versions: suites.Versions{Module: "github.com/nats-io/nats.go", From: "v1.55.0"}, Chance: true,
}, "broken-certificate-expired")
