package subjects

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/bradfitz/gomemcache/memcache"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/suites"
)

// Memcache makes a [memcache.Client]. Its calls have no context.
func Memcache(t *harness.T, s suites.ClientSettings) (suites.Client, error) {
	if s.MaxConns > 0 || s.IdleTimeout > 0 || s.MinIdle > 0 || s.MaxLifetime > 0 || s.Fallback != "" || s.TLS != nil {
		return nil, errors.New("gomemcache has only a limit of idle connections, and leaves TLS to the dialer")
	}
	c := memcache.NewFromSelector(oneServer(s.Addr))
	c.DialContext, c.Timeout, c.MaxIdleConns = t.Net.DialContext, orElse(s.Timeout, 48*time.Hour), orElse(s.MaxIdle, 10)
	return suites.NewClient(func(ctx context.Context, say string) (string, error) {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		item, err := c.Get(say)
		if err != nil {
			return "", err
		}
		return string(item.Value), nil
	}, c.Close), nil
}

// oneServer selects this "host:port" for each key. A [memcache.ServerList] would look it up in
// the real DNS.
type oneServer string

func (s oneServer) Network() string                     { return "tcp" }
func (s oneServer) String() string                      { return string(s) }
func (s oneServer) PickServer(string) (net.Addr, error) { return s, nil }
func (s oneServer) Each(do func(net.Addr) error) error  { return do(s) }

// Memcached runs a server on the network in which each key has itself as its value.
func Memcached(t *harness.T, addr string) {
	suites.ServeConns(t, addr, func(c net.Conn) {
		for r := bufio.NewReader(c); ; {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			key, ok := strings.CutPrefix(strings.TrimSpace(line), "gets ")
			if !ok {
				return
			}
			if _, err := fmt.Fprintf(c, "VALUE %s 0 %d 1\r\n%s\r\nEND\r\n", key, len(key), key); err != nil {
				return
			}
		}
	})
}

var memcacheVersion = suites.Versions{Module: "github.com/bradfitz/gomemcache", From: "v0.0.0-20260422231931-4d751bb6e37c"}

// Files and lines are those of gomemcache.
var memcacheQuirks = concat(
	quirk(suites.Quirk{
		Reason: "a call has no context: Client.Get (memcache/memcache.go:335) goes on until the server has answered or Timeout is over",
		Issue:  "bradfitz/gomemcache#84", Breaks: "nothing that gomemcache promises: only Timeout ends a call", Versions: memcacheVersion,
	}, "cancel-awaiting-answer", "cancel-with-deadline"),
	quirk(suites.Quirk{
		Reason: "a call that ends after Close keeps its connection: Client.putFreeConn (memcache/memcache.go:215) makes the list of idle connections again, which Close (memcache/memcache.go:836) had taken away, " +
			"and nothing closes them",
		Breaks: "nothing: gomemcache: after Close, the Client may still be used; it has to be closed again then", Versions: memcacheVersion,
	}, "leak-dial-at-close"),
)
