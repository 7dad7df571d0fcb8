package proxy

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/halfopen/halfopen/clock"
	"github.com/halfopen/halfopen/faultnet"
)

// Proxy accepts connections, dials their servers, and gives both to the rules. Its fields are
// set before the first call.
type Proxy struct {
	Rules *Rules // at the beginning: see SetRules; nil for none
	Seed  uint64 // of all that is random: jitter, tail, toxicity and what toxics draw
	Log   *Log

	// Listen and DialContext make the real connections. Nil means those of package net.
	Listen      func(network, address string) (net.Listener, error)
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)
	// Clock is the time of delays. Nil means [clock.System].
	Clock clock.Clock

	once   sync.Once
	net    *faultnet.Net
	rules  atomic.Pointer[Rules]                                                // in force
	ruled  func(ctx context.Context, network, address string) (net.Conn, error) // dials a connection that has rules
	ctx    context.Context
	cancel context.CancelFunc

	mappings mappings

	mu        sync.Mutex
	closed    bool
	accepted  int // and given a number
	listeners map[net.Listener]struct{}
	conns     map[net.Conn]struct{} // of clients
	running   sync.WaitGroup

	logging sync.Mutex // guards what rules have counted, and idle
	idle    bool       // a rule that is gone has never fired
}

// open makes what the fields leave open, and installs the rules.
func (p *Proxy) open() {
	p.once.Do(func() {
		if p.Clock == nil {
			p.Clock = clock.System
		}
		if p.Listen == nil {
			p.Listen = net.Listen
		}
		if p.DialContext == nil {
			p.DialContext = new(net.Dialer).DialContext
		}
		if p.Rules == nil {
			p.Rules = new(Rules)
		}
		p.ctx, p.cancel = context.WithCancel(context.Background())
		p.listeners, p.conns = make(map[net.Listener]struct{}), make(map[net.Conn]struct{})
		p.net = &faultnet.Net{Clock: p.Clock}
		p.rules.Store(p.Rules)
		p.ruled = p.net.WrapDialer(p.dialTargets)
		p.net.Install(p.asking(false))
		p.net.Shape(p.asking(true))
	})
}

// asking returns what faultnet asks about each event, once: the faults, or the shapes, that are in force
// then. The first that has a verdict decides.
func (p *Proxy) asking(shapes bool) faultnet.Rule {
	return func(e *faultnet.Event) faultnet.Verdict {
		number, words := eventName(e)
		for _, r := range p.rules.Load().list {
			if r.shape != shapes || !r.match(words) {
				continue
			}
			if v := r.apply(e); !v.IsPass() {
				return p.fired(r, v, number, words)
			}
		}
		return faultnet.Pass
	}
}

// fired logs the verdict of a rule, and returns it: an event that a rule has a verdict on happens so
// at once.
func (p *Proxy) fired(r *rule, v faultnet.Verdict, number string, words []string) faultnet.Verdict {
	p.logging.Lock()
	defer p.logging.Unlock()
	name := strings.Join(words, " ")
	times := r.count(number, name)
	outcome := v.String()
	if drawn, ok := drawnDelay(v, p.draw(fmt.Sprintf("%s, %s %d", r.text, name, times))); ok {
		v, outcome = faultnet.Delay(drawn), fmt.Sprintf("%s (%s)", outcome, drawn)
	}
	if !r.shape || times == 1 { // a link is so all the time
		p.Log.Write(Entry{What: "fired", Event: name, Rule: r.where, Outcome: outcome})
	}
	return v
}

// draw returns the source of random numbers for what has that label: the same in each run with
// the same seed, in whatever order things happen.
func (p *Proxy) draw(label string) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(label))
	return rand.New(rand.NewPCG(p.Seed, h.Sum64()))
}

// drawnDelay draws the delay of a verdict that is random. Package faultnet would draw it by
// the number that a connection has there, which is not the one that it has here.
func drawnDelay(v faultnet.Verdict, from *rand.Rand) (time.Duration, bool) {
	name, params, _ := strings.Cut(v.String(), ":")
	if name != "jitter" && name != "tail" {
		return 0, false
	}
	d := randomDefault
	if first, _, _ := strings.Cut(params, ","); first != "" {
		d, _ = time.ParseDuration(first) // it was checked
	}
	if name == "tail" {
		return time.Duration(min(from.ExpFloat64(), 20) * float64(d)).Round(time.Microsecond), true
	}
	return time.Duration(from.Int64N(int64(d) + 1)).Round(time.Microsecond), true
}

// randomDefault is the delay of jitter and tail without a parameter, as the manual says.
const randomDefault = 10 * time.Millisecond

// dialTargets dials where the rules send an address, and returns the first connection or the
// first error.
func (p *Proxy) dialTargets(ctx context.Context, network, address string) (net.Conn, error) {
	targets := p.rules.Load().target(address)
	if len(targets) == 0 {
		host, _, _ := cutPort(address)
		return nil, &net.OpError{Op: "dial", Net: network, Err: &net.AddrError{Err: "no suitable address found", Addr: host}}
	}
	var first error
	for _, to := range targets {
		c, err := p.DialContext(ctx, network, to)
		if err == nil {
			return c, nil
		}
		if first == nil {
			first = err
		}
	}
	return nil, first
}

// dial dials for the connection of that number. Where no rule is about events the connection has none: it
// is copied as it is.
func (p *Proxy) dial(number int, address string) (net.Conn, error) {
	dial := p.dialTargets
	if len(p.rules.Load().list) > 0 {
		dial = p.ruled
	}
	return dial(faultnet.WithOwner(p.ctx, strconv.Itoa(number)), "tcp", address)
}

// forget forgets what the rules have counted for a number whose connection has ended.
func (p *Proxy) forget(number int) {
	p.logging.Lock()
	defer p.logging.Unlock()
	for _, r := range p.rules.Load().list {
		delete(r.seen, strconv.Itoa(number))
	}
}

// nextNumber returns the number of the next connection or dial.
func (p *Proxy) nextNumber() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.accepted++
	return p.accepted
}

// client is an accepted connection.
type client struct {
	net.Conn
	p      *Proxy
	number int
}

// name returns its name in rules and in the log.
func (c *client) name() string { return "c" + strconv.Itoa(c.number) }

// say logs something about the connection.
func (c *client) say(what, format string, args ...any) {
	c.p.Log.Write(Entry{What: what, Conn: c.name(), Text: fmt.Sprintf(format, args...)})
}

// serve accepts connections until the listener is closed, and has each handled. The number of
// a connection is its place in the order of acceptance, of all listeners together.
func (p *Proxy) serve(l net.Listener, handle func(*client)) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		l.Close()
		return
	}
	p.listeners[l] = struct{}{}
	p.running.Add(1)
	p.mu.Unlock()
	go func() {
		defer p.running.Done()
		for {
			conn, err := l.Accept()
			if err != nil {
				p.mu.Lock()
				delete(p.listeners, l)
				p.mu.Unlock()
				return
			}
			p.accept(conn, handle)
		}
	}()
}

// accept gives a connection its number, and has it handled.
func (p *Proxy) accept(conn net.Conn, handle func(*client)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		conn.Close()
		return
	}
	p.accepted++
	c := &client{Conn: conn, p: p, number: p.accepted}
	p.conns[conn] = struct{}{}
	p.running.Add(1)
	go func() {
		defer p.running.Done()
		handle(c)
		p.forget(c.number)
		p.mu.Lock()
		delete(p.conns, conn)
		p.mu.Unlock()
		conn.Close()
	}()
}

// Close closes the listeners and the connections, and waits until all has ended.
func (p *Proxy) Close() {
	p.open()
	p.mu.Lock()
	p.closed = true
	for l := range p.listeners { // in any order: all are closed
		l.Close()
	}
	for c := range p.conns { // in any order: all are closed
		c.Close()
	}
	p.mu.Unlock()
	p.cancel()
	p.running.Wait()
	p.net.Close()
}

// listen listens on an address of this machine.
func (p *Proxy) listen(address string) (net.Listener, error) {
	p.open()
	if host, _, ok := cutPort(address); ok && !isLoopback(host) {
		return nil, fmt.Errorf("listen %s: %w", address, errNotLoopback)
	}
	return p.Listen("tcp", address)
}

var errNotLoopback = errors.New("not an address of loopback: a proxy is for programs on this machine (use 127.0.0.1, ::1 or localhost)")

// isLoopback reports whether a host is this machine, as seen by itself only.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
