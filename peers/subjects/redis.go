package subjects

import (
	"context"
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

// Redis runs miniredis on the network: ECHO says what it is told.
func Redis(t *harness.T, addr string) {
	m := miniredis.NewMiniRedis()
	c, err := m.Dial() // starts it, without a socket of the kernel's
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	suites.ServeConns(t, addr, func(c net.Conn) {
		done := make(chan struct{})
		m.Server().ServeConn(&told{Conn: c, closed: done})
		<-done
	})
}

// told tells when it has been closed.
type told struct {
	net.Conn
	once   sync.Once
	closed chan struct{}
}

func (c *told) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

// Redigo is a [redigo.Pool], as its documentation makes one.
func Redigo(t *harness.T, s suites.ClientSettings) (suites.Client, error) {
	p := &redigo.Pool{MaxActive: s.MaxConns, Wait: true, MaxIdle: orElse(s.MaxIdle, 10), IdleTimeout: s.IdleTimeout,
		DialContext: func(ctx context.Context) (redigo.Conn, error) {
			c, err := t.Net.DialContext(ctx, "tcp", s.Addr)
			return redigo.NewConn(c, s.Timeout, 0), err
		}}
	return suites.NewClient(func(ctx context.Context, say string) (string, error) {
		c, _ := p.GetContext(ctx) // its error is that of every call on c
		defer c.Close()
		return redigo.String(redigo.DoContext(c, ctx, "ECHO", say))
	}, p.Close), nil
}

// GoRedis is a [goredis.Client], one attempt an operation.
func GoRedis(t *harness.T, s suites.ClientSettings) (suites.Client, error) {
	semTimers = sync.Pool{New: semTimers.New}
	c := goredis.NewClient(&goredis.Options{Addr: s.Addr, Dialer: t.Net.DialContext,
		PoolSize: s.MaxConns, MaxActiveConns: s.MaxConns, MaxIdleConns: s.MaxIdle, ConnMaxIdleTime: orElse(s.IdleTimeout, -1),
		ReadTimeout: orElse(s.Timeout, -1), WriteTimeout: -1, PoolTimeout: 12 * time.Hour, DialTimeout: 12 * time.Hour, MaxRetries: -1, DialerRetries: 1,
		ContextTimeoutEnabled: true, DisableIdentity: true,
		// Its notifications would look the server's name up in the real DNS.
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}})
	return suites.NewClient(func(ctx context.Context, say string) (string, error) { return c.Echo(ctx, say).Result() }, c.Close), nil
}

// semTimers is the timers that go-redis keeps for its next waiter. A timer does
// not outlive its bubble, so each run begins without any.
//
//go:linkname semTimers github.com/redis/go-redis/v9/internal.semTimers
var semTimers sync.Pool
