package cases

import (
	"cmp"
	"context"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/halfopen/halfopen/harness"
)

func init() { harness.HelperFile() }

// Client is what says something to a server over connections that it keeps, and
// is not HTTP: a client of Redis, of a database, of RPC.
type Client interface {
	// Do says something and returns what it heard: the same words, if nothing
	// went wrong. Whose answer it was can be seen from them.
	Do(ctx context.Context, say string) (heard string, err error)
	Close() error
}

// ClientSettings is what a case may ask of a client; a zero field is not asked
// for.
type ClientSettings struct {
	// Addr is the "host:port" of the server.
	Addr string
	// MaxConns is how many connections there may be at once, those that are
	// being dialed among them. Who comes when there are so many waits.
	MaxConns int
	// MaxIdle is how many of them may be idle.
	MaxIdle int
	// IdleTimeout is how long a connection may be idle.
	IdleTimeout time.Duration
	// Timeout is how long the server may take to answer.
	Timeout time.Duration
}

// operations is a client as the harness knows transports. Its fields have the
// names by which the harness learns a limit, and what may time out.
type operations struct {
	MaxConnsPerHost      int
	IdleTimeout, Timeout time.Duration
	t                    *harness.T
	leave                bool // an operation that is cancelled to itself
	closer               *closer
}

// RoundTrip says the name of the request, and takes what is heard for the name
// of the one that was answered: the harness compares them.
func (o *operations) RoundTrip(req *http.Request) (*http.Response, error) {
	say, ctx := req.Header.Get(harness.RequestHeader), req.Context()
	if !o.leave {
		return answer(o.closer.client.Do(ctx, say))
	}
	done := make(chan struct{})
	var heard string
	var err error
	go func() {
		defer close(done)
		defer recovered(o.t, say)
		heard, err = o.closer.client.Do(ctx, say)
		if ctx.Err() != nil && err == nil && heard != say {
			o.t.Errorf("%s: got the response to %s", say, heard)
		}
	}()
	select {
	case <-done:
		return answer(heard, err)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// answer is what was heard as a response.
func answer(heard string, err error) (*http.Response, error) {
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Body: http.NoBody,
		Header: http.Header{harness.RequestHeader: {cmp.Or(heard, "nobody")}}}, nil
}

// recovered makes a panic, which would be the end of the process, a failure.
func recovered(t *harness.T, who string) {
	if r := recover(); r != nil {
		t.Errorf("%s: panic: %v", who, r)
	}
}

// closer closes a client. The harness closes the idle connections of what has
// the method for it, at the end too: so it is no method of [operations].
type closer struct {
	t      *harness.T
	client Client
	closed chan struct{} // closed when a Close has returned
	begun  atomic.Bool
}

// CloseIdleConnections closes the client: see [ClientEnv.MayClose].
func (c *closer) CloseIdleConnections() {
	if c.begun.CompareAndSwap(false, true) {
		defer close(c.closed)
	}
	defer recovered(c.t, "Close")
	c.client.Close()
}

// end closes the client, or waits for the Close that has begun: what that
// leaves open a second one must not close.
func (c *closer) end() {
	if c.begun.Load() {
		<-c.closed
		return
	}
	c.CloseIdleConnections()
}

// ClientEnv is what a client case works with: a run of the harness, with the
// client and its server.
type ClientEnv struct {
	*harness.T
	Settings ClientSettings
	ops      *operations
}

// NewClientEnv returns what a case asks the client with. With leave an operation that is
// cancelled returns at once, whatever the client does.
func NewClientEnv(t *harness.T, s ClientSettings, client Client, leave bool) *ClientEnv {
	ops := &operations{MaxConnsPerHost: s.MaxConns, IdleTimeout: s.IdleTimeout, Timeout: s.Timeout,
		leave: leave, t: t, closer: &closer{t: t, client: client, closed: make(chan struct{})}}
	t.Cleanup(ops.closer.end)
	return &ClientEnv{T: t, Settings: s, ops: ops}
}

// Do starts an operation that says its name, and has to hear it.
func (e *ClientEnv) Do(name string) *harness.Request { return e.DoWith(context.Background(), name) }

// DoWith is Do with a context.
func (e *ClientEnv) DoWith(ctx context.Context, name string) *harness.Request {
	host, _, _ := net.SplitHostPort(e.Settings.Addr)
	req, err := http.NewRequestWithContext(ctx, "GET", "do://"+host+"/", nil)
	if err != nil {
		e.Fatal(err)
	}
	return e.Start(name, e.ops, req)
}

// DoAll starts an operation of each name.
func (e *ClientEnv) DoAll(names ...string) (ops []*harness.Request) {
	for _, name := range names {
		ops = append(ops, e.Do(name))
	}
	return ops
}

// MayClose lets an exploration close the client, at any point or not at all.
func (e *ClientEnv) MayClose() { e.T.MayCloseIdle(e.ops.closer) }

// Close closes the client, in the background: it may have to wait for
// operations. What it returns tells whether it has come to its end.
func (e *ClientEnv) Close() (closed func() bool) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		e.ops.closer.CloseIdleConnections()
	}()
	e.Settle()
	return func() bool {
		select {
		case <-done:
			return true
		default:
			return false
		}
	}
}

// Open is how many connections the client has open.
func (e *ClientEnv) Open() (n int) {
	for _, c := range e.Net.Conns() {
		if !c.IsClosed() {
			n++
		}
	}
	return n
}

// WantDone expects that each operation has succeeded.
func (e *ClientEnv) WantDone(ops []*harness.Request, why string) {
	for _, r := range ops {
		if r.Err() != nil || r.Response() == nil {
			e.Errorf("%s: got %v, want its answer: %s", r.Name(), r.Err(), why)
		}
	}
}

// WantFailed expects that at most so many of the operations have failed.
func (e *ClientEnv) WantFailed(most int, ops []*harness.Request, why string) {
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

// WantOpened expects that so many connections have been opened in all.
func (e *ClientEnv) WantOpened(n int, why string) {
	if got := e.Net.Opened(); got != n {
		e.Errorf("%d connections were opened, want %d: %s", got, n, why)
	}
}
