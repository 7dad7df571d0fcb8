package subjects

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"time"

	"github.com/redis/rueidis"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/suites"
)

// Rueidis makes a [rueidis.Client] whose commands all share one connection.
func Rueidis(t *harness.T, s suites.ClientSettings) (suites.Client, error) {
	if s.Fallback != "" || s.TLS != nil {
		return nil, errOneRueidis
	}
	if s.MaxConns > 0 || s.MaxIdle > 0 || s.IdleTimeout > 0 || s.MinIdle > 0 || s.MaxLifetime > 0 {
		return nil, errors.New("all commands share one connection")
	}
	return rueidisClient(t, s, rueidis.ClientOption{PipelineMultiplex: -1}), nil
}

var errOneRueidis = errors.New("a single client knows one server, and leaves TLS to the dialer")

// RueidisPool makes a [rueidis.Client] in which each command takes a connection from a pool.
func RueidisPool(t *harness.T, s suites.ClientSettings) (suites.Client, error) {
	if s.Fallback != "" || s.TLS != nil {
		return nil, errOneRueidis
	}
	if s.MaxIdle > 0 || s.MinIdle > 0 {
		return nil, errors.New("rueidis has no limit of idle connections; BlockingPoolMinSize only says how many stay")
	}
	return rueidisClient(t, s, rueidis.ClientOption{PipelineMultiplex: -1, DisableAutoPipelining: true, AlwaysRESP2: true,
		BlockingPoolSize: s.MaxConns, BlockingPoolCleanup: s.IdleTimeout, ConnLifetime: s.MaxLifetime}), nil
}

// pipelineOwner owns the connection that all commands share, which is there beside a pool too.
const pipelineOwner = "pipeline"

func rueidisAside(owner string, _ []byte) bool { return owner == pipelineOwner }

func rueidisClient(t *harness.T, s suites.ClientSettings, o rueidis.ClientOption) suites.Client {
	making := false
	o.InitAddress, o.ForceSingleClient, o.DisableRetry, o.DisableCache, o.ClientSetInfo = []string{s.Addr}, true, true, true, rueidis.DisableClientSetInfo
	o.ConnWriteTimeout, o.Dialer.Timeout, o.Dialer.KeepAlive = orElse(s.Timeout, 48*time.Hour), orElse(s.Timeout, 48*time.Hour), 48*time.Hour
	o.ReadBufferEachConn, o.WriteBufferEachConn = 4096, 4096 // a mebibyte would be made for each connection
	o.DialCtxFn = func(ctx context.Context, addr string, _ *net.Dialer, _ *tls.Config) (net.Conn, error) {
		if making && o.DisableAutoPipelining {
			ctx = faultnet.WithOwner(ctx, pipelineOwner)
		}
		return t.Net.DialContext(ctx, "tcp", addr)
	}
	return lazily(func() (rueidis.Client, error) {
		making = true
		defer func() { making = false }()
		return rueidis.NewClient(o)
	}, func(ctx context.Context, c rueidis.Client, say string) (string, error) {
		return c.Do(ctx, c.B().Echo().Message(say).Build()).ToString()
	}, func(c rueidis.Client) error { c.Close(); return nil })
}

var rueidisVersion = suites.Versions{Module: "github.com/redis/rueidis", From: "v1.0.79"}

// Files and lines are those of rueidis.
var rueidisPoolQuirks = concat(
	quirk(suites.Quirk{
		Reason: "a command that is cancelled while it waits for a connection makes the pool larger by one, and it stays so: pool.Acquire (pool.go:66) returns a dead connection, for which it has counted nothing, " +
			"and pool.Store (pool.go:113), to which mux.blocking gives it back, subtracts one from the size (TestRueidisPoolGrows)",
		Breaks: "rueidis: BlockingPoolSize is the size of the connection pool shared by blocking commands", Versions: rueidisVersion, Failure: "more connections and dials than the limit", Chance: true,
	}, "limit-never-exceeded", "close-at-any-time"),
	quirk(suites.Quirk{
		Reason: "Close does not wait for a command that has a connection of the pool: pool.Close (pool.go:120) closes those that are idle, and the other ones when their command comes to its end, " +
			"with a silent server after ConnWriteTimeout; in other schedules the pool becomes larger, as in limit-never-exceeded",
		Breaks: "rueidis: Close will wait until all pending calls finished", Versions: rueidisVersion, Chance: true,
	}, "talk-own-answer"),
	quirk(suites.Quirk{
		Reason: "a command that was sent is not cancelled, unless its context has a deadline that passes: a connection of the pool has no queue (newPipeNoBg, pipe.go:108), " +
			"and pipe.syncDo (pipe.go:1478) uses only the deadline",
		Breaks: "nothing that rueidis promises for DisableAutoPipelining; context: Done is closed when work done on behalf of this context should be canceled", Versions: rueidisVersion,
	}, "cancel-awaiting-answer", "cancel-with-deadline"),
	quirk(suites.Quirk{
		Reason: "the lifetime of a connection begins again with each command: pool.Store (pool.go:106) resets its timer (pipe.ResetTimer, pipe.go:1999)",
		Breaks: "rueidis: ConnLifetime: connections will close after passing lifetime; the connection which a dedicated client and blocking use is not closed", Versions: rueidisVersion,
	}, "idle-lifetime", "idle-lifetime-in-use"),
	quirk(suites.Quirk{
		Reason: "mux.Close (mux.go:440) first closes the connection that all share, which may wait for the answer to a PING for a second (pipe.Close, pipe.go:1956), and then the pools: " +
			"as long as the server is silent, a command that waits for a connection waits on",
		Breaks: "rueidis: Close will make further calls to the client be rejected with ErrClosing, and Close will wait until all pending calls finished", Versions: rueidisVersion,
	}, "close-waiter"),
)
