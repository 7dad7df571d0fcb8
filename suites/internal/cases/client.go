package cases

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness"
)

func init() { harness.HelperFile() }

// Client speaks to a server over connections that it keeps, and not in HTTP: it is a client
// of Redis, of a database, of RPC.
type Client interface {
	// Do says something and returns what it heard: the same words, if nothing
	// went wrong. Whose answer it was can be seen from them.
	Do(ctx context.Context, say string) (heard string, err error)
	Close() error
}

// ClientSettings are the settings that a case may want of a client. A zero field is not
// wanted.
type ClientSettings struct {
	// Addr is the "host:port" of the server.
	Addr string
	// Fallback is the "host:port" of another server that answers the same: the client talks to
	// it when it does not get through to Addr.
	Fallback string
	// TLS has the client speak TLS, from the first byte, with this configuration.
	TLS *tls.Config
	// MaxConns is how many connections there may be at once, those that are
	// being dialed among them. An operation that finds no place waits.
	MaxConns int
	// MaxIdle is how many of them may be idle.
	MaxIdle int
	// MinIdle is how many are idle at least: as soon as the client is made, and again when
	// one was taken or has gone, as far as MaxConns allows it.
	MinIdle int
	// IdleTimeout is how long a connection may be idle.
	IdleTimeout time.Duration
	// MaxLifetime is how long a connection may be used, from when it was opened, without
	// jitter.
	MaxLifetime time.Duration
	// Timeout is how long the server may take to answer.
	Timeout time.Duration
}

// ClientEnv is the environment of a client case: a run of the harness, with the client and
// its server.
type ClientEnv struct {
	*harness.T
	Settings ClientSettings

	serve  func(addr string) // runs a server of the client's kind
	client Client
	leave  bool // a cancelled operation returns at once, whatever the client does
	begun  atomic.Bool
	closed chan struct{} // closed when the first Close has returned
}

// NewClientEnv returns what a case asks the client with. With leave an operation that is
// cancelled returns at once, whatever the client does; serve runs another server of its kind.
func NewClientEnv(t *harness.T, s ClientSettings, client Client, leave bool, serve func(addr string)) *ClientEnv {
	e := &ClientEnv{T: t, Settings: s, serve: serve, client: client, leave: leave, closed: make(chan struct{})}
	t.LimitConns(s.MaxConns)
	for _, d := range []time.Duration{s.IdleTimeout, s.MaxLifetime, s.Timeout} {
		if d > 0 {
			t.MayPass(d)
		}
	}
	t.Cleanup(func() {
		// What a Close that has begun leaves open a second one must not close.
		if e.begun.Load() {
			<-e.closed
		} else {
			e.closeClient()
		}
	})
	return e
}

// Do starts an operation that says its name, and has to hear it.
func (e *ClientEnv) Do(name string) *harness.Op { return e.DoWith(context.Background(), name) }

// DoWith is Do with a context.
func (e *ClientEnv) DoWith(ctx context.Context, name string) *harness.Op {
	return e.T.Do(ctx, name, func(ctx context.Context) error {
		if !e.leave {
			return e.say(ctx, name)
		}
		said := make(chan error, 1)
		go func() {
			defer close(said)
			defer e.recovered(name)
			said <- e.say(ctx, name)
		}()
		select {
		case err := <-said:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	})
}

// say says the name of an operation, and fails the test if the answer is another's.
func (e *ClientEnv) say(ctx context.Context, name string) error {
	heard, err := e.client.Do(ctx, name)
	if err == nil && heard != name {
		e.Errorf("%s: got the response to %s", name, cmp.Or(heard, "none"))
	}
	return err
}

// recovered makes a panic, which would be the end of the process, a failure.
func (e *ClientEnv) recovered(who string) {
	if r := recover(); r != nil {
		e.Errorf("%s: panic: %v", who, r)
	}
}

// DoAll starts an operation of each name.
func (e *ClientEnv) DoAll(names ...string) (ops []*harness.Op) {
	for _, name := range names {
		ops = append(ops, e.Do(name))
	}
	return ops
}

// MayClose lets an exploration close the client, at any point or not at all.
func (e *ClientEnv) MayClose() { e.MayCall("close", e.closeClient) }

func (e *ClientEnv) closeClient() {
	if e.begun.CompareAndSwap(false, true) {
		defer close(e.closed)
	}
	defer e.recovered("Close")
	e.client.Close()
}

// Close closes the client, in the background: it may have to wait for
// operations. What it returns tells whether it has come to its end, within a minute of
// virtual time: a client may be in no hurry to end what it has running.
func (e *ClientEnv) Close() (closed func() bool) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		e.closeClient()
	}()
	e.Settle()
	return func() bool {
		for range 2 {
			select {
			case <-done:
				return true
			default:
				e.Advance(time.Minute)
			}
		}
		return false
	}
}

// Open returns the number of connections that the client has open, without those aside.
func (e *ClientEnv) Open() (n int) {
	for _, c := range e.own() {
		if !c.IsClosed() {
			n++
		}
	}
	return n
}

// own returns the client's connections that are not wholly gone, without those aside.
func (e *ClientEnv) own() []*faultnet.Conn {
	asides := e.Asides()
	return slices.DeleteFunc(e.Net.Conns(), func(c *faultnet.Conn) bool {
		return slices.ContainsFunc(asides, func(a *harness.Conn) bool { return a.Client() == c })
	})
}

// wantDial expects a dial, which is held, for the first operation. A client that has opened
// its connections ahead makes none.
func (e *ClientEnv) wantDial() {
	e.Settle()
	if e.Open() > 0 && !slices.ContainsFunc(e.Net.Pending(), func(ev *faultnet.Event) bool { return ev.Kind == faultnet.Dial }) {
		e.NotApplicable(errors.New("it opens its connections before anyone asks for one"))
	}
	e.Net.WantDial()
}

// WantDone expects that each operation has succeeded.
func (e *ClientEnv) WantDone(ops []*harness.Op, why string) {
	for _, o := range ops {
		o.WantDone(why)
	}
}

// WantFailed expects that at most so many of the operations have failed.
func (e *ClientEnv) WantFailed(most int, ops []*harness.Op, why string) {
	var failed []string
	for _, r := range ops {
		if r.Err() != nil {
			failed = append(failed, r.Name()+": "+r.Err().Error())
		}
	}
	if len(failed) > most {
		e.Errorf("%d operations failed, want at most %d: %s [%s]", len(failed), most, why, strings.Join(failed, "; "))
	}
}

// WantSomeDone starts so many operations, each when the one before is over, and
// expects that one of them succeeds at least.
func (e *ClientEnv) WantSomeDone(n int, why string) {
	var last error
	for i := range n {
		r := e.Do("last" + strconv.Itoa(i+1))
		r.Await()
		if r.Err() == nil {
			return
		}
		last = r.Err()
	}
	e.Errorf("%d operations one after another failed, want one that succeeds: %s [%v]", n, why, last)
}

// Opened returns how many connections have been opened so far, without those aside. A client
// may open some before anyone asks.
func (e *ClientEnv) Opened() int {
	e.Settle()
	return e.Net.Opened() - len(e.Asides())
}

// WantOpened expects that so many connections have been opened in all, without those aside.
func (e *ClientEnv) WantOpened(n int, why string) {
	if got := e.Opened(); got != n {
		e.Errorf("%d connections were opened, want %d: %s", got, n, why)
	}
}

// WantMoreOpened expects that another connection has been opened than those.
func (e *ClientEnv) WantMoreOpened(n int, why string) {
	if got := e.Opened(); got <= n {
		e.Errorf("%d connections were opened, want more than %d: %s", got, n, why)
	}
}
