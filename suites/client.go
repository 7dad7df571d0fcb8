package suites

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/halfopen/halfopen/harness"
)

// Client is what says something to a server over connections that it keeps, and
// is not HTTP: a client of Redis, of a database, of RPC.
type Client interface {
	// Do says something and returns what it heard: the same words, if nothing
	// went wrong. Whose answer it was can be seen from them.
	Do(ctx context.Context, say string) (heard string, err error)
	Close() error
}

// NewClient is a Client of two functions.
func NewClient(do func(ctx context.Context, say string) (heard string, err error), close func() error) Client {
	return clientOf{do, close}
}

type clientOf struct {
	do    func(context.Context, string) (string, error)
	close func() error
}

func (c clientOf) Do(ctx context.Context, say string) (string, error) { return c.do(ctx, say) }
func (c clientOf) Close() error                                       { return c.close() }

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

// ClientMaker makes a client on t.Net. It returns an error for a setting that
// the client does not know; a case that needs it does not apply then.
type ClientMaker func(t *harness.T, s ClientSettings) (Client, error)

// ClientSubject is a client that is put to the cases, with what it is a client
// of.
type ClientSubject struct {
	Name string
	Make ClientMaker
	// Serve runs a server on "host:port" that says what it is told. It is one
	// of the subject's kind; nil is [EchoLines].
	Serve func(t *harness.T, addr string)
	// Patient says that Do, once it has a connection, does not return before
	// the server has answered, or some time has passed, though its context has
	// ended. It is for the cases of the group Cancel to find fault with that: in
	// the others an operation that is cancelled is left to itself, and what it
	// hears, and what it leaves behind, is looked at all the same.
	Patient bool
	// Lots says that the client draws lots about what comes next, as
	// database/sql does about who is served: no order of events can be repeated
	// then, and those that are tried are drawn too.
	Lots   bool
	Quirks []Quirk
}

// ConnPool is a plain pool of connections: what a Lease is got from, and put back
// into or discarded.
type ConnPool interface {
	Get(ctx context.Context) (Lease, error)
	Close() error
}

// NewPool is a ConnPool of two functions.
func NewPool(get func(ctx context.Context) (Lease, error), close func() error) ConnPool {
	return poolOf{get, close}
}

type poolOf struct {
	get   func(context.Context) (Lease, error)
	close func() error
}

func (p poolOf) Get(ctx context.Context) (Lease, error) { return p.get(ctx) }
func (p poolOf) Close() error                           { return p.close() }

// Lease is a connection that somebody has for himself. Exactly one of its
// functions is called, once.
type Lease struct {
	Conn net.Conn
	// Put gives it back to the pool.
	Put func()
	// Discard gives it back broken: the pool closes it and forgets it.
	Discard func()
}

// PoolMaker makes a pool of what dial returns. Its error is as that of a
// [ClientMaker].
type PoolMaker func(dial func(context.Context) (net.Conn, error), s ClientSettings) (ConnPool, error)

// TestClient puts every client case to the subject, as a subtest each. It
// reports as [TestTransport] does.
func TestClient(t *testing.T, s ClientSubject, quirks ...Quirk) {
	t.Helper()
	s.Quirks = slices.Concat(s.Quirks, quirks)
	if err := CheckClientQuirks(s.Quirks); err != nil {
		t.Fatal(err)
	}
	for _, c := range ClientCases() {
		t.Run(c.Name, func(t *testing.T) { c.Test(t, s) })
	}
}

// TestPool is TestClient for a pool, whose connections talk to [EchoLines].
func TestPool(t *testing.T, maker PoolMaker, quirks ...Quirk) {
	t.Helper()
	TestClient(t, PoolSubject("pool", maker), quirks...)
}

// CheckClientQuirks is [CheckQuirks] for the cases of clients.
func CheckClientQuirks(quirks []Quirk) error {
	var cases []Case
	for _, c := range ClientCases() {
		cases = append(cases, Case{Name: c.Name})
	}
	return CheckQuirks(cases, quirks)
}

// ClientCase is one thing that is expected of every client. Its fields are
// those of a [Case].
type ClientCase struct {
	Name     string
	Group    Group
	Claim    string
	Verdict  string
	Issues   []string
	Source   string
	Settings ClientSettings
	Bounds   harness.Bounds
	Body     func(e *ClientEnv)
}

// The groups that only clients have.
const (
	Stuck     Group = "stuck" // whoever waits is woken
	CrossTalk Group = "talk"  // nobody hears what was said to another
)

// ClientGroups is the groups of client cases, in the order in which they are
// listed.
var ClientGroups = []Group{Reuse, Limit, Cancel, Idle, Broken, Close, Leak, Stuck, CrossTalk}

// ClientCases is all client cases, by group and name.
func ClientCases() []ClientCase {
	all := slices.Clone(clientCases)
	slices.SortFunc(all, func(a, b ClientCase) int {
		return cmp.Or(cmp.Compare(slices.Index(ClientGroups, a.Group), slices.Index(ClientGroups, b.Group)), cmp.Compare(a.Name, b.Name))
	})
	return all
}

// Run puts the case to a subject.
//
// Each operation is a request of the harness, so that its start, its
// cancellation and every fault come in any order, and the verdicts on requests
// are those on operations. In the script of a finding "get r1" is operation r1.
func (c ClientCase) Run(s ClientSubject) Result {
	settings := c.Settings
	settings.Addr = "server.test:7"
	maker := func(t *harness.T, _ harness.Settings) (http.RoundTripper, error) {
		client, err := s.Make(t, settings)
		if err != nil {
			return nil, err
		}
		serve := s.Serve
		if serve == nil {
			serve = EchoLines
		}
		serve(t, settings.Addr)
		ops := &operations{MaxConnsPerHost: settings.MaxConns, IdleTimeout: settings.IdleTimeout, Timeout: settings.Timeout,
			leave: s.Patient && c.Group != Cancel, t: t, closer: &closer{t: t, client: client, closed: make(chan struct{})}}
		t.Cleanup(ops.closer.end)
		return ops, nil
	}
	if s.Lots {
		c.Bounds.Strategy = "random"
	}
	as := Case{Name: c.Name, Group: c.Group, Claim: c.Claim, Verdict: c.Verdict, Issues: c.Issues, Source: c.Source, Bounds: c.Bounds,
		Body: func(e *Env) { c.Body(&ClientEnv{T: e.T, Settings: settings, ops: e.Transport.(*operations)}) }}
	return as.Run(Subject{Name: s.Name, Maker: maker, Quirks: s.Quirks})
}

// Test puts the case to a subject as a test.
func (c ClientCase) Test(t TB, s ClientSubject) {
	t.Helper()
	switch r := c.Run(s); r.State {
	case Failed:
		t.Errorf("%s\n%s", c.Claim, r.Report)
	case Quirky:
		t.Logf("quirk: %s: %s", c.Name, r.Reason)
	case Undecided:
		t.Skipf("undecided: %s\n%s", r.Reason, r.Report)
	case NotApplicable:
		t.Skipf("not applicable: %s", r.Reason)
	}
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

// EchoLines runs a server on "host:port" that says each line that it is told.
func EchoLines(t *harness.T, addr string) {
	ServeConns(t, addr, func(c net.Conn) {
		r := bufio.NewReader(c)
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return // a part of a line is none
			}
			if _, err := io.WriteString(c, line); err != nil {
				return
			}
		}
	})
}

// ServeConns runs a server on "host:port" that calls serve for each connection,
// and closes the connection when that returns.
func ServeConns(t *harness.T, addr string, serve func(c net.Conn)) {
	l, err := t.Net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serve(c)
			}()
		}
	}()
}

// PoolSubject is a pool as a client: an operation gets a connection, writes a
// line and reads one, and puts the connection back, or discards it if anything
// went wrong.
func PoolSubject(name string, maker PoolMaker, quirks ...Quirk) ClientSubject {
	return ClientSubject{Name: name, Quirks: quirks, Make: func(t *harness.T, s ClientSettings) (Client, error) {
		pool, err := maker(func(ctx context.Context) (net.Conn, error) { return t.Net.DialContext(ctx, "tcp", s.Addr) }, s)
		return &pooled{t: t, pool: pool, timeout: s.Timeout, held: make(map[net.Conn]string)}, err
	}}
}

// pooled is a pool as a client.
type pooled struct {
	t       *harness.T
	pool    ConnPool
	timeout time.Duration

	mu   sync.Mutex
	held map[net.Conn]string // who has which connection
}

func (p *pooled) Close() error { return p.pool.Close() }

func (p *pooled) Do(ctx context.Context, say string) (heard string, err error) {
	l, err := p.pool.Get(ctx)
	if err != nil {
		return "", err
	}
	p.take(l.Conn, say)
	if p.timeout > 0 {
		l.Conn.SetDeadline(time.Now().Add(p.timeout))
	}
	stop := context.AfterFunc(ctx, func() { l.Conn.SetDeadline(time.Unix(1, 0)) })
	heard, err = sayLine(l.Conn, say)
	p.take(l.Conn, "")
	if !stop() {
		// The connection has a deadline, or gets one now.
		l.Discard()
		return "", ctx.Err()
	}
	if err != nil {
		l.Discard()
		return "", err
	}
	l.Conn.SetDeadline(time.Time{})
	l.Put()
	return heard, nil
}

// take notes who has a connection, or that nobody has any more.
func (p *pooled) take(c net.Conn, who string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if had := p.held[c]; had != "" && who != "" {
		p.t.Errorf("%s: got a connection that %s has not put back", who, had)
	}
	p.held[c] = who
}

// sayLine writes a line and reads one.
func sayLine(c net.Conn, say string) (heard string, err error) {
	if _, err := io.WriteString(c, say+"\n"); err != nil {
		return "", err
	}
	r := bufio.NewReader(c)
	heard, err = r.ReadString('\n')
	if err == nil && r.Buffered() > 0 {
		err = errors.New("more than one line")
	}
	return strings.TrimSuffix(heard, "\n"), err
}
