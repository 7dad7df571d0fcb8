package suites

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/halfopen/halfopen/harness"
)

func init() { harness.HelperFile() }

// ConnPool is a plain pool of connections. A Lease comes from it, and is put back or
// discarded.
type ConnPool interface {
	Get(ctx context.Context) (Lease, error)
	Close() error
}

// NewPool returns a ConnPool that calls the two functions.
func NewPool(get func(ctx context.Context) (Lease, error), close func() error) ConnPool {
	return poolOf{get, close}
}

type poolOf struct {
	get   func(context.Context) (Lease, error)
	close func() error
}

func (p poolOf) Get(ctx context.Context) (Lease, error) { return p.get(ctx) }
func (p poolOf) Close() error                           { return p.close() }

// Lease is a connection that belongs to one operation. Exactly one of its functions is
// called, once.
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

// TestPool is TestClient for a pool, whose connections talk to [EchoLines].
func TestPool(t *testing.T, maker PoolMaker, quirks ...Quirk) {
	t.Helper()
	TestClient(t, PoolSubject("pool", maker), quirks...)
}

// PoolSubject makes a client of a pool: an operation gets a connection, writes a line and
// reads one, and puts the connection back, or discards it if anything went wrong.
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
	held map[net.Conn]string // the operation that has the connection
}

func (p *pooled) Close() error { return p.pool.Close() }

func (p *pooled) Do(ctx context.Context, say string) (heard string, err error) {
	l, err := p.pool.Get(ctx)
	if err != nil {
		return "", err
	}
	if err := ctx.Err(); err != nil {
		// A pool may hand out what is idle and leave the context to its user: nothing was said on it.
		l.Put()
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

// take notes which operation has a connection, or with "" that none has.
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
