package cases_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/suites"
)

// reach dials for the small pool: it knows both servers, and TLS. It is right, and can be given
// mistakes of its own, or a way that is right too.
type reach struct {
	t   *harness.T
	set suites.ClientSettings
	bug string
}

// reaching returns a maker of the subject whose pool dials by a reach.
func reaching(mistake string, s suites.ClientSubject) suites.ClientMaker {
	return func(t *harness.T, settings suites.ClientSettings) (suites.Client, error) {
		r := reach{t, settings, mistake}
		return suites.PoolSubject(mistake, func(_ func(context.Context) (net.Conn, error), s suites.ClientSettings) (suites.ConnPool, error) {
			return handPool(mistake)(r.dial, s)
		}).Make(t, settings)
	}
}

func (r reach) dial(ctx context.Context) (net.Conn, error) {
	if r.set.Fallback != "" && r.bug != "knows the first server only" {
		return r.either(ctx)
	}
	c, err := r.to(ctx, r.set.Addr)
	if err != nil && r.bug == "dials until it succeeds" {
		<-r.t.Context().Done()
	}
	return c, err
}

// either dials the second server when the first cannot be reached, or has not answered for a while.
func (r reach) either(ctx context.Context) (net.Conn, error) {
	if r.bug == "tries the second server first" {
		r.set.Addr, r.set.Fallback = r.set.Fallback, r.set.Addr
	}
	first := ctx
	if r.bug != "waits for the first server" {
		var cancel context.CancelFunc
		first, cancel = context.WithTimeout(ctx, time.Second)
		defer cancel()
	}
	c, err := r.to(first, r.set.Addr)
	if err == nil {
		return c, nil
	}
	return r.to(ctx, r.set.Fallback)
}

// to dials an address, and speaks TLS if it has to.
func (r reach) to(ctx context.Context, addr string) (net.Conn, error) {
	switch name, port, _ := net.SplitHostPort(addr); {
	case name == "server.test" && r.set.Fallback == "" && r.bug == "looks its server up once", name == "server.test" && r.bug == "dials the first address only":
		addr = "first.test:" + port
		if c, err := r.t.Net.DialContext(ctx, "tcp", addr); !isNotFound(err) {
			return c, err
		}
		addr = name + ":" + port // the case has one server
	}
	c, err := r.t.Net.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	switch r.bug {
	case "loses the last answer":
		c = lastLost{c}
	case "breaks at the first end":
		c = endless{c, r.t, addr}
	}
	if r.set.TLS == nil {
		return c, nil
	}
	config := r.set.TLS.Clone()
	config.InsecureSkipVerify = r.bug == "trusts what has expired"
	s := tls.Client(c, config)
	if err := s.HandshakeContext(ctx); err != nil {
		if r.bug != "leaves what it does not trust open" {
			c.Close()
		}
		if r.bug == "says only that it failed" {
			err = errors.New("no connection")
		}
		return nil, err
	}
	return s, nil
}

func isNotFound(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns) && dns.IsNotFound
}

// lastLost is a connection that takes an answer for nothing if the end of the connection is right
// behind it.
type lastLost struct{ net.Conn }

func (c lastLost) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err != nil {
		return n, err
	}
	c.SetReadDeadline(time.Now().Add(time.Millisecond))
	if _, err := c.Conn.Read(make([]byte, 1)); errors.Is(err, io.EOF) {
		return 0, err
	}
	c.SetReadDeadline(time.Time{})
	return n, nil
}

// endless is a connection that asks, before each answer is read, whether its server takes
// others, and breaks if it does not.
type endless struct {
	net.Conn
	t    *harness.T
	addr string
}

func (c endless) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if probe, failed := c.t.Net.DialContext(context.Background(), "tcp", c.addr); failed != nil {
		return 0, failed
	} else {
		probe.Close()
	}
	return n, err
}

// What is right in another way holds: a pool that keeps nothing, one that tries the second server
// first, and one whose errors say less.
func TestServersLookalikes(t *testing.T) {
	all := suites.ClientCases()
	servers := []string{"broken-moved", "broken-address-refuses", "broken-first-refuses", "broken-first-silent",
		"broken-first-stops", "broken-certificate-expired", "broken-drain", "broken-drain-last-answer", "stuck-server-stops"}
	for _, way := range []string{"uses each once", "tries the second server first", "says only that it failed", "closes the old when asked"} {
		for _, name := range servers {
			i := slices.IndexFunc(all, func(c suites.Case) bool { return c.Name == name })
			if r := handPoolSubject(way).Subject().Run(all[i]); r.State != suites.Held {
				t.Errorf("%s: %s: got %s %s, want it held\n%s", way, name, r.State, r.Reason, r.Report)
			}
		}
	}
	i := slices.IndexFunc(all, func(c suites.Case) bool { return c.Name == "broken-certificate-expired" })
	s := handPoolSubject("")
	s.KnowsServers = false
	if r := s.Subject().Run(all[i]); r.State != suites.NotApplicable {
		t.Errorf("got %s for a client that does not know the settings, want it not asked", r.State)
	}
}
