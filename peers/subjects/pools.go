package subjects

import (
	"context"
	"net"

	commons "github.com/jolestar/go-commons-pool/v2"
	silenceper "github.com/silenceper/pool"

	"github.com/halfopen/halfopen/suites"
)

// Silenceper makes a pool of silenceper/pool. Its calls have no context.
func Silenceper(dial func(context.Context) (net.Conn, error), s suites.ClientSettings) (suites.ConnPool, error) {
	all := orElse(s.MaxConns, 10)
	p, err := silenceper.NewChannelPool(&silenceper.Config{MaxCap: all, MaxIdle: orElse(s.MaxIdle, all), IdleTimeout: s.IdleTimeout,
		Factory: func() (any, error) { return dial(context.Background()) },
		Close:   func(c any) error { return c.(net.Conn).Close() }})
	if err != nil {
		return nil, err
	}
	return suites.NewPool(func(ctx context.Context) (suites.Lease, error) {
		if err := ctx.Err(); err != nil {
			return suites.Lease{}, err
		}
		c, err := p.Get()
		if err != nil {
			return suites.Lease{}, err
		}
		return suites.Lease{Conn: c.(net.Conn), Put: func() { p.Put(c) }, Discard: func() { p.Close(c) }}, nil
	}, func() error { p.Release(); return nil }), nil
}

// Commons makes an [commons.ObjectPool] of connections.
func Commons(dial func(context.Context) (net.Conn, error), s suites.ClientSettings) (suites.ConnPool, error) {
	factory := commons.NewPooledObjectFactory(func(ctx context.Context) (any, error) { return dial(ctx) },
		func(_ context.Context, o *commons.PooledObject) error { return o.Object.(net.Conn).Close() }, nil, nil, nil)
	ctx, c := context.Background(), commons.NewDefaultPoolConfig()
	c.MaxTotal = orElse(s.MaxConns, -1)
	c.MaxIdle = orElse(s.MaxIdle, 10)
	if s.IdleTimeout > 0 {
		c.MinEvictableIdleTime, c.TimeBetweenEvictionRuns = s.IdleTimeout, s.IdleTimeout/20
	}
	p := commons.NewObjectPool(ctx, factory, c)
	return suites.NewPool(func(ctx context.Context) (suites.Lease, error) {
		o, err := p.BorrowObject(ctx)
		if err != nil {
			return suites.Lease{}, err
		}
		return suites.Lease{Conn: o.(net.Conn), Put: func() { p.ReturnObject(ctx, o) },
			Discard: func() { p.InvalidateObject(context.Background(), o) }}, nil
	}, func() error { p.Close(ctx); return nil }), nil
}

var (
	silenceperVersion = suites.Versions{Module: "github.com/silenceper/pool", From: "v1.0.0"}
	commonsVersion    = suites.Versions{Module: "github.com/jolestar/go-commons-pool/v2", From: "v2.1.2"}
)

// Files and lines are those of silenceper/pool.
var silenceperQuirks = concat(
	quirk(suites.Quirk{
		Reason: "Get has no context: it goes on until its dial or its place in line has come to an end (channelPool.Get, channel.go:103)",
		Breaks: "nothing that silenceper/pool promises", Versions: silenceperVersion,
	}, "cancel-dialing", "cancel-deadline-dialing"),
	quirk(suites.Quirk{
		Reason: "only Get looks for connections that were idle for too long (channel.go:116): without a call of it they stay open",
		Breaks: "silenceper/pool: IdleTimeout: the longest time a connection may be idle; after that it is no longer valid", Versions: silenceperVersion,
	}, "idle-closed-by-timeout"),
	quirk(suites.Quirk{
		Reason: "Release (channel.go:224) does not wake a call that waits at MaxCap (channel.go:137): nothing closes or answers the channels of these calls, " +
			"and Put on a pool that was released only closes its connection (channel.go:176): the call waits without end",
		Breaks: "silenceper/pool: Release releases all connections of the pool", Versions: silenceperVersion,
	}, "close-waiter"),
)

// Files and lines are those of go-commons-pool.
var commonsQuirks = concat(
	quirk(suites.Quirk{
		Reason: "InvalidateObject makes the object of a call that waits, in the goroutine of its own caller: ObjectPool.ensureIdle (pool.go:345) dials; " +
			"so the call that gives a broken connection back waits for a dial that it does not need",
		Breaks: "nothing: go-commons-pool: InvalidateObject invalidates an object from the pool", Versions: commonsVersion, Failure: "cancelled, and still pending",
	}, "talk-own-answer"),
	quirk(suites.Quirk{
		Reason: "a call whose dial fails, or is cancelled, returns its error and wakes none of the calls that wait at MaxTotal, although its place is free " +
			"(ObjectPool.borrowObject, pool.go:266): they wait until a connection is put back, and if there is none, without end",
		Issue:  "jolestar/go-commons-pool#50",
		Breaks: "go-commons-pool: BorrowObject: if the pool is full, this method will block until an object is returned to the pool or the context is done; here the pool is empty", Versions: commonsVersion,
	}, "limit-slot-after-failure", "stuck-after-break"),
	quirk(suites.Quirk{
		Reason: "both of the above: InvalidateObject waits for the dial of another call (pool.go:345), and a dial that fails wakes no call that waits (pool.go:266)",
		Issue:  "jolestar/go-commons-pool#50", Breaks: "go-commons-pool: BorrowObject: this method will block until an object is returned to the pool or the context is done", Versions: commonsVersion,
	}, "limit-never-exceeded", "limit-slot-after-cancel", "close-at-any-time"),
	quirk(suites.Quirk{
		Reason: "a call that is cancelled while it waits says that its time is over, and not that it was cancelled: PollFirstWithContext (collections/queue.go:275) drops the error of the context, " +
			"and borrowObject makes up another one (pool.go:283)",
		Breaks: "nothing that go-commons-pool promises; context: Err returns a non-nil error explaining why", Versions: commonsVersion,
	}, "cancel-waiting"),
)
