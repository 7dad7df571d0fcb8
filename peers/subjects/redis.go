package subjects

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
	_ "unsafe" // for the pool of timers below

	"github.com/alicebob/miniredis/v2"
	redigo "github.com/gomodule/redigo/redis"
	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/suites"
)

// Redis runs miniredis on the network: ECHO answers with its argument.
func Redis(t *harness.T, addr string) {
	m := miniredis.NewMiniRedis()
	c, err := m.Dial() // starts it, without a socket of the kernel's
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	suites.ServeConns(t, addr, func(c net.Conn) {
		done := make(chan struct{})
		m.Server().ServeConn(&notifyingConn{Conn: c, closed: done})
		<-done
	})
}

// notifyingConn closes a channel when it is closed.
type notifyingConn struct {
	net.Conn
	once   sync.Once
	closed chan struct{}
}

func (c *notifyingConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

// Redigo makes a [redigo.Pool] in the way its documentation shows.
func Redigo(t *harness.T, s suites.ClientSettings) (suites.Client, error) {
	if s.MinIdle > 0 || s.Fallback != "" {
		return nil, errors.New("redigo opens no connections ahead, and knows one server")
	}
	p := &redigo.Pool{MaxActive: s.MaxConns, Wait: true, MaxIdle: orElse(s.MaxIdle, 10), IdleTimeout: s.IdleTimeout, MaxConnLifetime: s.MaxLifetime,
		DialContext: func(ctx context.Context) (redigo.Conn, error) {
			return redigo.DialContext(ctx, "tcp", s.Addr, redigo.DialContextFunc(t.Net.DialContext), redigo.DialReadTimeout(s.Timeout), redigo.DialWriteTimeout(0),
				redigo.DialUseTLS(s.TLS != nil), redigo.DialTLSConfig(s.TLS))
		}}
	return suites.NewClient(func(ctx context.Context, say string) (string, error) {
		c, _ := p.GetContext(ctx) // its error is that of every call on c
		defer c.Close()
		return redigo.String(redigo.DoContext(c, ctx, "ECHO", say))
	}, p.Close), nil
}

// GoRedis makes a [goredis.Client] that tries each operation once.
func GoRedis(t *harness.T, s suites.ClientSettings) (suites.Client, error) {
	if s.Fallback != "" || s.TLS != nil {
		return nil, errors.New("go-redis knows one server, and leaves TLS to the dialer")
	}
	semTimers = sync.Pool{New: semTimers.New}
	c := goredis.NewClient(&goredis.Options{Addr: s.Addr, Dialer: t.Net.DialContext,
		PoolSize: s.MaxConns, MaxActiveConns: s.MaxConns, MaxIdleConns: s.MaxIdle, MinIdleConns: s.MinIdle, ConnMaxIdleTime: orElse(s.IdleTimeout, -1), ConnMaxLifetime: s.MaxLifetime,
		ReadTimeout: orElse(s.Timeout, -1), WriteTimeout: -1, PoolTimeout: 12 * time.Hour, DialTimeout: 12 * time.Hour, MaxRetries: -1, DialerRetries: 1,
		ContextTimeoutEnabled: true, DisableIdentity: true,
		// The notifications would look up the server's name in the real DNS.
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}})
	return suites.NewClient(func(ctx context.Context, say string) (string, error) { return c.Echo(ctx, say).Result() }, c.Close), nil
}

// semTimers holds the timers that go-redis keeps for the next call that waits. A timer
// does not outlive its bubble, so each run begins without any.
//
//go:linkname semTimers github.com/redis/go-redis/v9/internal.semTimers
var semTimers sync.Pool
