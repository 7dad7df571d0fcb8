//go:build linux

package faultnet_test

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
)

// step is one call of a script, as in "c write hello": who, verb, argument.
//
// An end has the verbs read, readfull, drain, write, close, closeread,
// closewrite, linger, addresses, lengths, overwrite, those of optionCall, deadline, readdeadline and writedeadline. A
// name that has no end yet gets one by dial or accept; cancel cancels its
// dial. The listener is called l and has the verbs listen, close, deadline, lengths and overwrite;
// instead of listening it can leave its address unused, or be deaf. "pass" lets
// deadlines that are soon pass.
type step struct{ who, verb, arg string }

func (st step) String() string {
	return strings.TrimSpace(st.who + " " + st.verb + " " + st.arg)
}

// parseScript splits a script. One that begins with a call on an end gets
// that connection opened first.
func parseScript(t testing.TB, script string) (steps []step) {
	t.Helper()
	for text := range strings.SplitSeq(script, ";") {
		w := strings.Fields(text)
		switch {
		case len(w) == 1 && w[0] == "pass":
			steps = append(steps, step{verb: "pass"})
		case len(w) == 2 || len(w) == 3:
			steps = append(steps, step{who: w[0], verb: w[1], arg: strings.Join(w[2:], "")})
		default:
			t.Fatalf("bad step %q in %q", text, script)
		}
	}
	if steps[0].who != "l" && steps[0].verb != "dial" {
		steps = append([]step{{"l", "listen", ""}, {"c", "dial", ""}, {"s", "accept", ""}}, steps...)
	}
	return steps
}

// network lists what a script needs of a network: faultnet's or the kernel's.
type network interface {
	Listen(network, address string) (net.Listener, error)
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
	unused() (address string) // where no program listens
	deaf() (address string)   // where no dial gets an answer
}

// tcpEnd lists the methods that both kinds of connection have.
type tcpEnd interface {
	net.Conn
	CloseRead() error
	CloseWrite() error
	SetLinger(int) error
	SetNoDelay(bool) error
	SetKeepAlive(bool) error
	SetKeepAlivePeriod(time.Duration) error
	SetKeepAliveConfig(net.KeepAliveConfig) error
	SetReadBuffer(int) error
	SetWriteBuffer(int) error
	io.ReaderFrom
	io.WriterTo
}

// scriptRun holds the state of a script that is being run.
type scriptRun struct {
	t       *testing.T
	network network

	listener net.Listener
	address  string
	ends     map[string]tcpEnd
	closed   map[string]bool
	cancels  map[string]context.CancelFunc
	roles    map[string]string // from an address to the name of its end
}

func newScriptRun(t *testing.T, n network) *scriptRun {
	return &scriptRun{t: t, network: n, ends: make(map[string]tcpEnd), closed: make(map[string]bool),
		cancels: make(map[string]context.CancelFunc), roles: make(map[string]string)}
}

// call is one call in a goroutine of its own.
type call struct {
	step   step
	result string
	made   func() // takes what the call made into the play
	done   chan struct{}
}

func (c *call) poll() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// wait gives up when the call is blocked for good.
func (c *call) wait() {
	select {
	case <-c.done:
	case <-time.After(patience):
	}
}

// start makes the call, in a goroutine of its own.
func (p *scriptRun) start(st step) *call {
	c := &call{step: st, done: make(chan struct{})}
	var do func() string
	switch {
	case st.verb == "dial":
		do = p.dial(c)
	case st.verb == "accept":
		do = p.accept(c)
	case st.verb == "cancel":
		p.cancels[st.who]()
		do = func() string { return "done" }
	case st.who == "l":
		do = p.listenerCall(st)
	default:
		do = p.endCall(st)
	}
	go func() {
		c.result = do()
		close(c.done)
	}()
	return c
}

// collect moves the calls that returned into the transcript, and what they
// made into the play. It leaves those of later for later.
func (p *scriptRun) collect(e *entry, calls []*call, later []int) {
	for i, c := range calls {
		if c == nil || slices.Contains(later, i) || !c.poll() {
			continue
		}
		calls[i] = nil
		if c.made != nil {
			c.made()
		}
		result := c.result
		for address, role := range p.roles {
			result = strings.ReplaceAll(result, address, role)
		}
		if i := strings.LastIndexByte(p.address, ':'); i >= 0 {
			result = strings.ReplaceAll(result, p.address[i:], ":PORT")
		}
		e.returns = append(e.returns, c.step.String()+": "+result)
		e.done = append(e.done, i)
	}
}

// looks describes each open end.
func (p *scriptRun) looks(look func(tcpEnd) string) map[string]string {
	return looksOf(p.ends, p.closed, look)
}

// looksOf describes those that are not closed.
func looksOf[C any](all map[string]C, closed map[string]bool, look func(C) string) map[string]string {
	looks := make(map[string]string)
	for who, c := range all {
		if !closed[who] {
			looks[who] = look(c)
		}
	}
	return looks
}

// cleanup closes everything, which ends the calls that are still blocked.
func (p *scriptRun) cleanup() {
	for _, cancel := range p.cancels {
		cancel()
	}
	if p.listener != nil {
		p.listener.Close()
	}
	for _, c := range p.ends {
		c.SetLinger(0)
		c.Close()
	}
}

func (p *scriptRun) dial(c *call) func() string {
	ctx, cancel := context.WithCancel(context.Background())
	who := c.step.who
	p.cancels[who] = cancel
	n, address := p.where(c.step.arg)
	switch c.step.arg {
	case "cancelled":
		cancel()
	case "expired":
		ctx, cancel = context.WithDeadline(ctx, time.Now().Add(-time.Second))
		p.cancels[who] = cancel
	}
	return func() string {
		conn, err := p.network.DialContext(ctx, n, address)
		c.made = p.keep(who, conn)
		return describe(err)
	}
}

// where returns the network and the address that an argument names.
func (p *scriptRun) where(arg string) (network, address string) {
	switch {
	case arg == "", arg == "cancelled", arg == "expired":
		return "tcp", p.address
	case strings.HasPrefix(arg, "127."), strings.HasPrefix(arg, "0.0.0.0"):
		network, address = "tcp", arg
	default:
		network, address, _ = strings.Cut(arg, ",")
		address = cmp.Or(address, p.address)
	}
	if i := strings.LastIndexByte(p.address, ':'); i >= 0 {
		address = strings.ReplaceAll(address, ":PORT", p.address[i:])
	}
	return network, address
}

func (p *scriptRun) accept(c *call) func() string {
	who, l := c.step.who, p.listener
	return func() string {
		conn, err := l.Accept()
		c.made = p.keep(who, conn)
		return describe(err)
	}
}

// keep gives conn a name.
func (p *scriptRun) keep(who string, conn net.Conn) func() {
	if conn == nil {
		return nil
	}
	return func() {
		p.ends[who] = conn.(tcpEnd)
		if conn.LocalAddr().String() != p.address {
			p.roles[conn.LocalAddr().String()] = who
		}
	}
}

func (p *scriptRun) listenerCall(st step) func() string {
	switch st.verb {
	case "unused":
		p.address = p.network.unused()
		p.roles[p.address] = "l"
		return func() string { return "done" }
	case "deaf":
		p.address = p.network.deaf()
		p.roles[p.address] = "l"
		return func() string { return "done" }
	case "listen":
		n, address := p.where(st.arg)
		if address == "" {
			address = "127.0.0.1:0"
		}
		l, err := p.network.Listen(n, address)
		if err == nil && p.listener == nil {
			p.listener, p.address = l, l.Addr().String()
			p.roles[p.address] = "l"
		}
		return func() string { return describe(err) }
	case "deadline":
		d := p.listener.(interface{ SetDeadline(time.Time) error })
		return func() string { return describe(d.SetDeadline(instant(st.arg))) }
	case "close":
		return func() string { return describe(p.listener.Close()) }
	case "lengths":
		return func() string { return fmt.Sprint(addressLength(p.listener.Addr())) }
	case "overwrite":
		return func() string {
			a := p.listener.Addr().(*net.TCPAddr)
			a.IP[len(a.IP)-1], a.Port = 99, 1
			return fmt.Sprint(p.listener.Addr())
		}
	}
	p.t.Fatalf("no such step: %s", st)
	return nil
}

func (p *scriptRun) endCall(st step) func() string {
	c := p.ends[st.who]
	if c == nil {
		p.t.Fatalf("%s: there is no %s yet", st, st.who)
	}
	switch st.verb {
	case "close":
		p.closed[st.who] = true
		return func() string { return describe(c.Close()) }
	case "read":
		return func() string { return readOnce(c, stepNumber(st.arg)) }
	case "lengths":
		return func() string { return fmt.Sprint(addressLength(c.LocalAddr()), " ", addressLength(c.RemoteAddr())) }
	case "overwrite":
		return func() string {
			for _, a := range []net.Addr{c.LocalAddr(), c.RemoteAddr()} {
				a := a.(*net.TCPAddr)
				a.IP[len(a.IP)-1], a.Port = 99, 1
			}
			return "done"
		}
	case "addresses":
		return func() string { return fmt.Sprint(c.LocalAddr(), " ", c.RemoteAddr()) }
	case "readfull":
		return func() string { return readAll(c, stepNumber(st.arg)) }
	case "drain":
		return func() string { return readAll(c, 1<<30) }
	case "write":
		b := []byte(st.arg)
		if n := stepNumber(st.arg); n >= 0 {
			b = make([]byte, n)
			fill(b)
		}
		return func() string { return write(c, b) }
	}
	if do := p.optionCall(c, st); do != nil {
		return do
	}
	do := map[string]func() error{
		"closeread":     c.CloseRead,
		"closewrite":    c.CloseWrite,
		"linger":        func() error { return c.SetLinger(stepNumber(st.arg)) },
		"deadline":      func() error { return c.SetDeadline(instant(st.arg)) },
		"readdeadline":  func() error { return c.SetReadDeadline(instant(st.arg)) },
		"writedeadline": func() error { return c.SetWriteDeadline(instant(st.arg)) },
	}[st.verb]
	if do == nil {
		p.t.Fatalf("no such step: %s", st)
	}
	return func() string { return describe(do()) }
}
