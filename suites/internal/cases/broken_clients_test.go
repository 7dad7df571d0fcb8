package cases_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/suites"
)

func TestPool(t *testing.T) { suites.TestClient(t, handPoolSubject("")) }

// The mistakes of the small pool, each with the cases that have to fail on it.
var poolMistakes = []struct {
	mistake string
	cases   []string
}{
	{"uses each once", []string{"reuse-sequential", "reuse-at-the-limit", "idle-kept"}},
	{"one too many", []string{"limit-never-exceeded"}},
	{"keeps the slot of a waiter that leaves", []string{"limit-slot-after-cancel"}},
	{"keeps the slot of a failed dial", []string{"limit-slot-after-failure", "stuck-after-break"}},
	{"keeps all idle", []string{"limit-idle"}},
	{"does not look at the context first", []string{"cancel-before"}},
	{"drops the idle for a late context", []string{"cancel-before-idle"}},
	{"waits deaf", []string{"cancel-waiting", "cancel-deadline-waiting"}},
	{"dials deaf", []string{"cancel-dialing", "cancel-deadline-dialing"}},
	{"talks deaf", []string{"cancel-awaiting-answer", "cancel-handshake", "cancel-deadline-awaiting-answer"}},
	{"hears deadlines only", []string{"cancel-with-deadline"}},
	{"uses what has outlived its time", []string{"idle-lifetime"}},
	{"cuts what outlives its time", []string{"idle-lifetime-in-use"}},
	{"opens none ahead", []string{"idle-minimum"}},
	{"opens ahead over the limit", []string{"limit-minimum"}},
	{"uses the old", []string{"idle-expired-not-reused"}},
	{"closes the old when asked", []string{"idle-closed-by-timeout"}},
	{"fails on the old", []string{"idle-tie"}},
	{"keeps the broken", []string{"broken-while-idle", "broken-not-reused", "broken-silence"}},
	{"keeps the late", []string{"broken-late-answer", "talk-own-answer"}},
	{"waits on after close", []string{"close-waiter"}},
	{"panics at close", []string{"close-twice"}},
	{"dials after close", []string{"close-then-use"}},
	{"keeps what comes after close", []string{"close-at-any-time", "leak-dial-at-close"}},
	{"forgets the idle at close", []string{"leak-nothing"}},
	{"wakes no waiter", []string{"stuck-lost-wake-up"}},
	{"looks its server up once", []string{"broken-moved"}},
	{"dials the first address only", []string{"broken-address-refuses"}},
	{"knows the first server only", []string{"broken-first-refuses", "broken-first-silent", "broken-first-stops"}},
	{"waits for the first server", []string{"broken-first-silent"}},
	{"trusts what has expired", []string{"broken-certificate-expired"}},
	{"leaves what it does not trust open", []string{"broken-certificate-expired"}},
	{"dials until it succeeds", []string{"broken-drain", "stuck-server-stops"}},
	{"breaks at the first end", []string{"broken-drain"}},
	{"loses the last answer", []string{"broken-drain-last-answer"}},
}

// No client case is one that cannot fail: for each there is a pool with a
// mistake made for it, which fails it.
func TestBrokenPools(t *testing.T) {
	all := suites.ClientCases()
	for _, m := range poolMistakes {
		for _, name := range m.cases {
			i := slices.IndexFunc(all, func(c suites.Case) bool { return c.Name == name })
			if i < 0 {
				t.Errorf("%s: there is no case %s", m.mistake, name)
				continue
			}
			if r := handPoolSubject(m.mistake).Subject().Run(all[i]); r.State != suites.Failed {
				t.Errorf("%s: got %s %s with this mistake: %s", name, r.State, r.Reason, m.mistake)
			}
		}
	}
	for _, c := range all {
		broken := false
		for _, m := range poolMistakes {
			broken = broken || slices.Contains(m.cases, c.Name)
		}
		if !broken {
			t.Errorf("%s: no broken pool shows that it can fail", c.Name)
		}
	}
}

// Every group of client cases has a case, each case a claim, and a setting that
// a pool does not know makes a case not applicable, with the pool's words.
func TestClientCases(t *testing.T) {
	groups := make(map[suites.Group]int)
	for _, c := range suites.ClientCases() {
		groups[c.Group()]++
		if c.Claim == "" || c.Verdict == "" || c.Claim[len(c.Claim)-1] != '.' {
			t.Errorf("%s: the claim is no sentence, or there is no verdict", c.Name)
		}
		if c.ClientSettings.MaxIdle == 0 {
			continue
		}
		refuses := suites.PoolSubject("refuses", func(func(context.Context) (net.Conn, error), suites.ClientSettings) (suites.ConnPool, error) {
			return nil, errors.New("no setting MaxIdle")
		})
		if r := refuses.Subject().Run(c); r.State != suites.NotApplicable || r.Reason != "no setting MaxIdle" {
			t.Errorf("%s: got %s %q for a pool without MaxIdle", c.Name, r.State, r.Reason)
		}
	}
	for _, g := range suites.ClientGroups() {
		if groups[g] == 0 {
			t.Errorf("group %s has no client case", g)
		}
	}
	if err := suites.CheckQuirks(suites.ClientCases(), []suites.Quirk{{Case: "no-such-case"}}); err == nil {
		t.Error("a quirk of no case was not refused")
	}
}

func handPoolSubject(mistake string) suites.ClientSubject {
	s := suites.PoolSubject(mistake, handPool(mistake))
	s.KnowsAges, s.KnowsServers = true, true
	s.Make = reaching(mistake, s)
	if mistake != "talks deaf" && mistake != "hears deadlines only" {
		return s
	}
	maker := s.Make
	s.Make = func(t *harness.T, settings suites.ClientSettings) (suites.Client, error) {
		c, err := maker(t, settings)
		return deafClient{c, mistake == "hears deadlines only"}, err
	}
	return s
}

var errClosed = errors.New("pool closed")

// hand is a small pool that hands connections from one to the next. It is
// right, and can be given one of the classic mistakes of pools.
type hand struct {
	dial func(context.Context) (net.Conn, error)
	set  suites.ClientSettings
	bug  string

	mu      sync.Mutex
	open    int // dialing, in use and idle
	idle    []*handed
	waiters []chan *handed // a nil connection is leave to dial
	ahead   int            // dials that no one has asked for
	closed  bool
	dials   context.Context // ends at Close
	end     context.CancelFunc
}

// handed is a connection of the pool.
type handed struct {
	net.Conn
	timer  *time.Timer
	since  time.Time
	opened time.Time
}

func handPool(mistake string) suites.PoolMaker {
	return func(dial func(context.Context) (net.Conn, error), s suites.ClientSettings) (suites.ConnPool, error) {
		p := &hand{dial: dial, set: s, bug: mistake}
		p.dials, p.end = context.WithCancel(context.Background())
		p.warm()
		return p, nil
	}
}

func (p *hand) Get(ctx context.Context) (suites.Lease, error) {
	if err := ctx.Err(); err != nil && p.bug != "does not look at the context first" && p.bug != "drops the idle for a late context" {
		return suites.Lease{}, err
	}
	p.mu.Lock()
	if p.closed && p.bug != "dials after close" {
		p.mu.Unlock()
		return suites.Lease{}, errClosed
	}
	if c := p.takeIdle(); c != nil {
		p.mu.Unlock()
		p.warm()
		if err := ctx.Err(); err != nil && p.bug == "drops the idle for a late context" {
			p.discard(c)
			return suites.Lease{}, err
		}
		if p.bug == "fails on the old" && time.Since(c.since) == p.set.IdleTimeout-1 {
			p.discard(c)
			return suites.Lease{}, errors.New("too old")
		}
		return p.lease(c), nil
	}
	most := p.set.MaxConns
	if p.bug == "one too many" {
		most++
	}
	if p.set.MaxConns == 0 || p.open < most {
		p.open++
		p.mu.Unlock()
		return p.open1(ctx)
	}
	turn := make(chan *handed, 1)
	p.waiters = append(p.waiters, turn)
	p.mu.Unlock()
	done := ctx.Done()
	if p.bug == "waits deaf" {
		done = nil
	}
	select {
	case c, ok := <-turn:
		return p.served(ctx, c, ok)
	case <-done:
	}
	p.mu.Lock()
	if i := slices.Index(p.waiters, turn); i >= 0 && p.bug != "keeps the slot of a waiter that leaves" {
		p.waiters = slices.Delete(p.waiters, i, i+1)
	}
	p.mu.Unlock()
	select {
	case c, ok := <-turn: // it came all the same
		if l, err := p.served(context.WithoutCancel(ctx), c, ok); err == nil {
			l.Put()
		}
	default:
	}
	return suites.Lease{}, ctx.Err()
}

// served takes what a waiter got: a connection, leave to dial, or the end.
func (p *hand) served(ctx context.Context, c *handed, ok bool) (suites.Lease, error) {
	switch {
	case !ok:
		return suites.Lease{}, errClosed
	case c != nil:
		return p.lease(c), nil
	}
	return p.open1(ctx)
}

// open1 dials for a slot that is taken already.
func (p *hand) open1(ctx context.Context) (suites.Lease, error) {
	if p.bug == "dials deaf" || p.bug == "does not look at the context first" {
		ctx = context.WithoutCancel(ctx)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if p.bug != "keeps what comes after close" && p.bug != "dials after close" {
		defer context.AfterFunc(p.dials, cancel)()
	}
	c, err := p.dial(ctx)
	if err != nil {
		if p.bug != "keeps the slot of a failed dial" {
			p.free()
		}
		return suites.Lease{}, err
	}
	h := &handed{Conn: c, opened: time.Now()}
	if p.bug == "cuts what outlives its time" && p.set.MaxLifetime > 0 {
		time.AfterFunc(p.set.MaxLifetime, func() { c.Close() })
	}
	return p.lease(h), nil
}

// warm opens as many connections ahead as are to be idle at least.
func (p *hand) warm() {
	p.mu.Lock()
	defer p.mu.Unlock()
	most := p.set.MaxConns
	if p.bug == "opens ahead over the limit" {
		most++
	}
	for n := len(p.idle) + p.ahead; n < p.set.MinIdle && !p.closed && (most == 0 || p.open < most) && p.bug != "opens none ahead"; n++ {
		p.open++
		p.ahead++
		go func() {
			l, err := p.open1(p.dials)
			p.mu.Lock()
			p.ahead--
			p.mu.Unlock()
			if err == nil {
				l.Put()
			}
		}()
	}
}

// old reports whether a connection has outlived its time.
func (p *hand) old(c *handed) bool {
	return p.set.MaxLifetime > 0 && time.Since(c.opened) >= p.set.MaxLifetime && p.bug != "uses what has outlived its time"
}

func (p *hand) lease(c *handed) suites.Lease {
	return suites.Lease{Conn: c.Conn, Put: func() { p.put(c) }, Discard: func() {
		if p.bug == "keeps the broken" || p.bug == "keeps the late" {
			c.SetDeadline(time.Time{})
			p.put(c)
			return
		}
		p.discard(c)
	}}
}

// free gives a slot back: who waits longest may dial.
func (p *hand) free() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open--
	if len(p.waiters) > 0 && p.bug != "wakes no waiter" {
		p.open++
		p.next() <- nil
	}
}

func (p *hand) next() chan *handed {
	turn := p.waiters[0]
	p.waiters = p.waiters[1:]
	return turn
}

func (p *hand) discard(c *handed) {
	c.Close()
	p.free()
	p.warm()
}

func (p *hand) put(c *handed) {
	p.mu.Lock()
	most := p.set.MaxIdle
	switch {
	case p.bug == "uses each once", p.old(c), p.closed && p.bug != "keeps what comes after close":
		p.mu.Unlock()
		p.discard(c)
		return
	case len(p.waiters) > 0 && p.bug != "wakes no waiter":
		p.next() <- c
	case most > 0 && len(p.idle) >= most && p.bug != "keeps all idle":
		p.mu.Unlock()
		p.discard(c)
		return
	default:
		c.since = time.Now()
		p.idle = append(p.idle, c)
		if p.set.IdleTimeout > 0 && p.bug != "closes the old when asked" && p.bug != "uses the old" {
			c.timer = time.AfterFunc(p.set.IdleTimeout, func() { p.expire(c) })
		}
	}
	p.mu.Unlock()
}

// takeIdle returns the connection that was put back last, if it is young enough.
// The pool is locked.
func (p *hand) takeIdle() *handed {
	for len(p.idle) > 0 {
		c := p.idle[len(p.idle)-1]
		p.idle = p.idle[:len(p.idle)-1]
		if c.timer != nil {
			c.timer.Stop()
		}
		if !p.old(c) && (p.set.IdleTimeout == 0 || time.Since(c.since) < p.set.IdleTimeout || p.bug == "uses the old") {
			return c
		}
		c.Close()
		p.open--
	}
	return nil
}

func (p *hand) expire(c *handed) {
	p.mu.Lock()
	i := slices.Index(p.idle, c)
	if i >= 0 {
		p.idle = slices.Delete(p.idle, i, i+1)
	}
	p.mu.Unlock()
	if i >= 0 {
		p.discard(c)
	}
}

func (p *hand) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed && p.bug == "panics at close" {
		panic("close of a closed pool")
	}
	p.closed = true
	p.end()
	for p.bug != "waits on after close" && len(p.waiters) > 0 {
		close(p.next())
	}
	for _, c := range p.idle {
		if c.timer != nil {
			c.timer.Stop()
		}
		if p.bug != "forgets the idle at close" {
			c.Close()
			p.open--
		}
	}
	p.idle = nil
	return nil
}
