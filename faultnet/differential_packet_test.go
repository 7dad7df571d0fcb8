//go:build linux

package faultnet_test

import (
	"cmp"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/halfopen/halfopen/faultnet"
)

// The proof that faultnet's sockets for datagrams behave as those of Linux: as TestDifferential
// does, it runs each case on faultnet and on the kernel's loopback, and compares what each
// call returned, and for each open socket whether there is something to read, and an error.

func TestPacketDifferential(t *testing.T) {
	seen := make(map[string]bool)
	listed := 0
	for _, c := range packetCases {
		if seen[c.claim] || seen[c.script] {
			t.Errorf("twice in the list: %s (%s)", c.claim, c.script)
		}
		seen[c.claim], seen[c.script] = true, true
		if c.differs != "" {
			listed++
		}
		t.Run(c.claim, func(t *testing.T) {
			steps := parsePacketScript(t, c.script)
			ours := playPackets(t, steps)
			theirs := packetsOnKernel(t, ours)
			same := slices.EqualFunc(ours, theirs, func(a, b entry) bool { return a.String() == b.String() })
			switch {
			case c.differs != "" && same:
				t.Errorf("listed as a difference (%s), and there is none", c.differs)
			case c.differs == "" && !same:
				reportDifference(t, c, ours, theirs)
			}
		})
	}
	if n := len(packetCases); n < 70 || listed > 3 {
		t.Errorf("got %d cases with %d listed differences, want at least 70 and at most 3", n, listed)
	}
}

// packetSocket lists the methods that both kinds of socket have.
type packetSocket interface {
	net.Conn
	net.PacketConn
	SetReadBuffer(int) error
	SetWriteBuffer(int) error
}

// packetNetwork lists what a script needs of a network.
type packetNetwork interface {
	ListenPacket(network, address string) (net.PacketConn, error)
	DialPacket(network, address string) (net.Conn, error)
}

// kernelPackets is loopback UDP.
type kernelPackets struct{}

func (kernelPackets) ListenPacket(network, address string) (net.PacketConn, error) {
	return net.ListenPacket(network, address)
}

func (kernelPackets) DialPacket(network, address string) (net.Conn, error) {
	return net.Dial(network, address)
}

// packetRun holds the state of a script that is being run: the sockets by name.
//
// A name that has no socket yet gets one by "listen [NETWORK,]ADDRESS" or "dial
// [NETWORK,]ADDRESS"; in an address the name of a socket stands for its port. A socket has the
// verbs read, readfrom, write, writeto ("writeto WHO TEXT"; a number of bytes in place of the
// text), close, deadline, readdeadline, writedeadline, readbuffer, writebuffer, addresses,
// flood ("flood WHO COUNT SIZE") and count (reads all that has arrived; "count N").
type packetRun struct {
	t       *testing.T
	network packetNetwork
	sockets map[string]packetSocket
	closed  map[string]bool
	ports   map[string]string // by name
}

func parsePacketScript(t *testing.T, script string) (steps []step) {
	t.Helper()
	for text := range strings.SplitSeq(script, ";") {
		w := strings.Fields(text)
		switch {
		case len(w) == 1 && w[0] == "pass":
			steps = append(steps, step{verb: "pass"})
		case len(w) >= 2:
			steps = append(steps, step{who: w[0], verb: w[1], arg: strings.Join(w[2:], " ")})
		default:
			t.Fatalf("bad step %q in %q", text, script)
		}
	}
	if steps[0].verb != "listen" && steps[0].verb != "dial" {
		steps = append([]step{{"s", "listen", ""}, {"c", "dial", "127.0.0.1:s"}}, steps...)
	}
	return steps
}

func newPacketRun(t *testing.T, n packetNetwork) *packetRun {
	return &packetRun{t: t, network: n, sockets: make(map[string]packetSocket), closed: make(map[string]bool), ports: make(map[string]string)}
}

// start makes the call, in a goroutine of its own.
func (p *packetRun) start(st step) *call {
	c := &call{step: st, done: make(chan struct{})}
	do := p.open(c)
	if do == nil {
		do = p.socketCall(st)
	}
	go func() {
		c.result = do()
		close(c.done)
	}()
	return c
}

// open returns what opens a socket, or nil for any other step.
func (p *packetRun) open(c *call) func() string {
	network, address, given := strings.Cut(c.step.arg, ",")
	if !given {
		network, address = "udp", cmp.Or(c.step.arg, "127.0.0.1:0")
	}
	if host, name, ok := strings.Cut(address, ":"); ok && p.ports[name] != "" {
		address = host + ":" + p.ports[name]
	}
	keep := func(conn net.Conn) {
		who := c.step.who
		p.sockets[who] = conn.(packetSocket)
		_, port, _ := net.SplitHostPort(conn.LocalAddr().String())
		p.ports[who] = port
		delete(p.closed, who)
	}
	switch c.step.verb {
	case "listen":
		return func() string {
			conn, err := p.network.ListenPacket(network, address)
			if err == nil {
				c.made = func() { keep(conn.(packetSocket)) }
			}
			return describe(err)
		}
	case "dial":
		return func() string {
			conn, err := p.network.DialPacket(network, address)
			if err == nil {
				c.made = func() { keep(conn) }
			}
			return describe(err)
		}
	}
	return nil
}

func (p *packetRun) socketCall(st step) func() string {
	c := p.sockets[st.who]
	if c == nil {
		p.t.Fatalf("%s: there is no %s yet", st, st.who)
	}
	words := strings.Fields(st.arg)
	switch st.verb {
	case "close":
		p.closed[st.who] = true
		return func() string { return describe(c.Close()) }
	case "read":
		b := make([]byte, stepNumber(st.arg))
		return func() string {
			n, err := c.Read(b)
			return fmt.Sprintf("%d %.9q %s", n, b[:n], describe(err))
		}
	case "readfrom":
		b := make([]byte, stepNumber(st.arg))
		return func() string {
			n, from, err := c.ReadFrom(b)
			return fmt.Sprintf("%d %.9q from %v (%d) %s", n, b[:n], from, addressLength(from), describe(err))
		}
	case "write":
		return func() string {
			n, err := c.Write(packetText(st.arg))
			return fmt.Sprint(n, " ", describe(err))
		}
	case "writeto":
		to, b := p.destination(words[0]), packetText(words[1])
		return func() string {
			n, err := c.WriteTo(b, to)
			return fmt.Sprint(n, " ", describe(err))
		}
	case "flood":
		to, count, b := p.destination(words[0]), stepNumber(words[1]), packetText(words[2])
		return func() string {
			for range count {
				if _, err := c.WriteTo(b, to); err != nil {
					return describe(err)
				}
			}
			return "done"
		}
	case "count":
		return func() string { return countPackets(c, stepNumber(st.arg)) }
	case "addresses":
		return func() string {
			return fmt.Sprint(c.LocalAddr(), " ", c.RemoteAddr(), " ", addressLength(c.LocalAddr()), " ", addressLength(c.RemoteAddr()))
		}
	}
	do := map[string]func() error{
		"deadline":      func() error { return c.SetDeadline(instant(st.arg)) },
		"readdeadline":  func() error { return c.SetReadDeadline(instant(st.arg)) },
		"writedeadline": func() error { return c.SetWriteDeadline(instant(st.arg)) },
		"readbuffer":    func() error { return c.SetReadBuffer(stepNumber(st.arg)) },
		"writebuffer":   func() error { return c.SetWriteBuffer(stepNumber(st.arg)) },
	}[st.verb]
	if do == nil {
		p.t.Fatalf("no such step: %s", st)
	}
	return func() string { return describe(do()) }
}

// packetText returns the bytes that a step sends: a text, or so many.
func packetText(arg string) []byte {
	if n := stepNumber(arg); n >= 0 {
		b := make([]byte, n)
		fill(b)
		return b
	}
	return []byte(arg)
}

// destination returns the address of a socket, by its name or "HOST:NAME", or one of another
// kind.
func (p *packetRun) destination(name string) net.Addr {
	switch name {
	case "nil":
		return (*net.UDPAddr)(nil)
	case "tcp":
		return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9}
	case "zero":
		return &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}
	case "v6":
		return &net.UDPAddr{IP: net.IPv6loopback, Port: 9}
	case "outside":
		return &net.UDPAddr{IP: net.IPv4(198, 18, 0, 1), Port: 9}
	}
	host, who, ok := strings.Cut(name, "@")
	if !ok {
		host, who = "127.0.0.1", name
	}
	port, err := strconv.Atoi(p.ports[who])
	if err != nil {
		p.t.Fatalf("no address %q", name)
	}
	ip := net.ParseIP(host)
	if host == "none" {
		ip = nil
	}
	return &net.UDPAddr{IP: ip, Port: port}
}

// countPackets reads all that has arrived, and says "some" if that is a part: how many packets
// fit into a buffer depends on the kernel.
func countPackets(c packetSocket, of int) string {
	got := 0
	if f, ok := c.(*faultnet.PacketConn); ok {
		got, _ = f.Waiting()
		for range got {
			f.Read(make([]byte, 1))
		}
	} else if raw, err := c.(syscall.Conn).SyscallConn(); err == nil {
		raw.Read(func(fd uintptr) bool {
			for {
				if _, _, err := syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_DONTWAIT); err != nil {
					return true
				}
				got++
			}
		})
	}
	switch got {
	case 0, of:
		return fmt.Sprint(got)
	}
	return "some"
}

// collect moves the calls that returned into the transcript, and what they made into the run.
func (p *packetRun) collect(e *entry, calls []*call, later []int) {
	for i, c := range calls {
		if c == nil || slices.Contains(later, i) || !c.poll() {
			continue
		}
		calls[i] = nil
		if c.made != nil {
			c.made()
		}
		result := c.result
		for _, who := range slices.Sorted(maps.Keys(p.ports)) {
			result = strings.ReplaceAll(result, ":"+p.ports[who], ":"+who)
		}
		e.returns = append(e.returns, c.step.String()+": "+result)
		e.done = append(e.done, i)
	}
}

func (p *packetRun) looks(look func(packetSocket) string) map[string]string {
	return looksOf(p.sockets, p.closed, look)
}

func (p *packetRun) cleanup() {
	for _, c := range p.sockets {
		c.Close()
	}
}

// playPackets runs the steps on faultnet.
func playPackets(t *testing.T, steps []step) (entries []entry) {
	synctest.Test(t, func(t *testing.T) {
		n := new(faultnet.Net)
		p := newPacketRun(t, n)
		var calls []*call
		for _, st := range steps {
			if st.verb == "pass" {
				time.Sleep(time.Second) // virtual: deadlines that are soon pass
				calls = append(calls, nil)
			} else {
				calls = append(calls, p.start(st))
			}
			synctest.Wait()
			e := entry{step: st}
			p.collect(&e, calls, nil)
			e.looks = p.looks(func(c packetSocket) string {
				packets, err := c.(*faultnet.PacketConn).Waiting()
				return describeSocket(packets > 0, err != nil)
			})
			entries = append(entries, e)
		}
		p.cleanup()
		n.Close()
	})
	return entries
}

func describeSocket(readable, failed bool) string {
	return fmt.Sprintf("readable %t, error %t", readable, failed)
}
