package faultnet

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"
)

// PacketConn is a socket for datagrams. It implements [net.PacketConn] and [net.Conn], as
// [net.UDPConn] does, and answers each call as Linux would. Its calls are no events, and a
// write never blocks: the packets are.
type PacketConn struct {
	net     *Net
	network string         // what was asked for: "udp", "udp4" or "udp6"
	address string         // what was listened on, or sent from
	at      netip.AddrPort // an unspecified address stands for every one
	remote  netip.AddrPort // of a socket that was dialed
	v6      bool           // its addresses have the form of IPv6

	local, peer net.Addr // that of the peer is nil if the socket was not dialed

	reached map[netip.AddrPort]netip.Addr // by sender: the address it sent to last; guarded by Net.mu

	mu            sync.Mutex
	canRead       sync.Cond
	queue         []datagram
	used          int // of the receive buffer
	room          int
	readDeadline  deadline
	writeDeadline deadline
	pending       syscall.Errno // what the next call reports, once
	paused        bool
	closed        bool
}

// datagram is a packet that has arrived.
type datagram struct {
	b    []byte
	from netip.AddrPort
}

// The largest payloads of UDP over IPv4 and over IPv6, and the receive buffer of Linux.
const (
	maxPacket4    = 65507
	maxPacket6    = 65527
	defaultBuffer = 212992
)

// Read reads a packet of any sender. What does not fit in b is lost.
func (c *PacketConn) Read(b []byte) (int, error) {
	if len(b) == 0 && !c.isClosed() {
		return 0, nil // as package net does it: no packet is taken
	}
	n, _, err := c.read(b, "read")
	return n, err
}

// ReadFrom reads a packet and returns the address of its sender, a [*net.UDPAddr]. What does
// not fit in b is lost.
func (c *PacketConn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := c.read(b, "recvfrom")
	if err != nil {
		return 0, nil, err
	}
	return n, c.socketAddr(from), nil
}

func (c *PacketConn) read(b []byte, call string) (int, netip.AddrPort, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		switch {
		case c.closed:
			return 0, netip.AddrPort{}, c.opError("read", c.peer, net.ErrClosed)
		case c.readDeadline.passed(c.net.clock()):
			return 0, netip.AddrPort{}, c.opError("read", c.peer, os.ErrDeadlineExceeded)
		case c.paused:
		case c.pending != 0:
			return 0, netip.AddrPort{}, c.opError("read", c.peer, c.takePending(call))
		case len(c.queue) > 0:
			d := c.queue[0]
			c.queue[0] = datagram{}
			c.queue = c.queue[1:]
			c.used -= memoryOf(len(d.b))
			return copy(b, d.b), d.from, nil
		}
		c.canRead.Wait()
	}
}

// Write sends a packet to the address that was dialed. One that is empty is sent too.
func (c *PacketConn) Write(b []byte) (int, error) {
	err := c.mayWrite(len(b), c.remote.Addr(), "write")
	if err == nil && !c.remote.IsValid() {
		err = os.NewSyscallError("write", syscall.EDESTADDRREQ)
	}
	if err != nil {
		return 0, c.opError("write", c.peer, err)
	}
	c.net.send(c, c.remote, b)
	return len(b), nil
}

// WriteTo sends a packet to an address, a [*net.UDPAddr]. One that is empty is sent too.
func (c *PacketConn) WriteTo(b []byte, addr net.Addr) (int, error) {
	to, err := c.destination(addr)
	if err == nil {
		err = c.mayWrite(len(b), to.Addr(), "sendto")
	}
	switch {
	case err != nil:
	case to.Port() == 0, c.at.Addr().IsLoopback() && !to.Addr().IsLoopback():
		err = os.NewSyscallError("sendto", syscall.EINVAL)
	}
	if err != nil {
		if a, ok := addr.(*net.UDPAddr); ok && a == nil {
			addr = nil
		}
		return 0, c.opError("write", addr, err)
	}
	c.net.send(c, to, b)
	return len(b), nil
}

// destination returns where a packet for addr goes, or the error that package net has for it.
func (c *PacketConn) destination(addr net.Addr) (to netip.AddrPort, err error) {
	a, ok := addr.(*net.UDPAddr)
	switch {
	case !ok:
		return to, syscall.EINVAL
	case c.remote.IsValid():
		return to, net.ErrWriteToConnected
	case a == nil:
		return to, errors.New("missing address")
	case c.v6 || len(a.IP) == 0 || a.IP.To4() != nil:
		return addrKey(reached(orZero(a.IP)), a.Port), nil
	}
	return to, &net.AddrError{Err: "non-IPv4 address", Addr: a.IP.String()}
}

// orZero returns ip, or the address of every host in place of none.
func orZero(ip net.IP) net.IP {
	if len(ip) == 0 {
		return net.IPv4zero
	}
	return ip
}

// mayWrite returns why a packet of that size cannot be sent now.
func (c *PacketConn) mayWrite(size int, to netip.Addr, call string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	most := maxPacket4
	if to.Is6() {
		most = maxPacket6
	}
	switch {
	case c.closed:
		return net.ErrClosed
	case c.writeDeadline.passed(c.net.clock()):
		return os.ErrDeadlineExceeded
	case size > most:
		return os.NewSyscallError(call, syscall.EMSGSIZE)
	case c.pending != 0:
		return c.takePending(call)
	}
	return nil
}

func (c *PacketConn) takePending(call string) error {
	errno := c.pending
	c.pending = 0
	return os.NewSyscallError(call, errno)
}

// Close closes the socket. Calls that are blocked on it return [net.ErrClosed]. What was sent
// arrives; what has arrived and was not read is lost.
func (c *PacketConn) Close() error {
	c.net.unbind(c)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return c.opError("close", c.peer, net.ErrClosed)
	}
	c.closed = true
	c.queue, c.used = nil, 0
	c.readDeadline.stop()
	c.writeDeadline.stop()
	c.canRead.Broadcast()
	return nil
}

// Waiting returns how many packets have arrived and were not read, and the error that the next
// call will report, or nil.
func (c *PacketConn) Waiting() (packets int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pending != 0 {
		err = c.pending
	}
	return len(c.queue), err
}

func (c *PacketConn) isClosed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

// Address returns the "host:port" that was listened on or dialed.
func (c *PacketConn) Address() string { return c.address }

// LocalAddr returns a [*net.UDPAddr].
func (c *PacketConn) LocalAddr() net.Addr { return c.local }

// RemoteAddr returns the address that was dialed, a [*net.UDPAddr], or nil.
func (c *PacketConn) RemoteAddr() net.Addr { return c.peer }

// SetDeadline sets the read and the write deadline.
func (c *PacketConn) SetDeadline(t time.Time) error { return c.setDeadlines(t, true, true) }

// SetReadDeadline sets the instant from which reads fail with [os.ErrDeadlineExceeded], even
// if a packet has arrived. The zero time is none.
func (c *PacketConn) SetReadDeadline(t time.Time) error { return c.setDeadlines(t, true, false) }

// SetWriteDeadline sets the instant from which writes fail with [os.ErrDeadlineExceeded]. The
// zero time is none.
func (c *PacketConn) SetWriteDeadline(t time.Time) error { return c.setDeadlines(t, false, true) }

// Deadlines returns the read and the write deadline; the zero time stands for none.
func (c *PacketConn) Deadlines() (read, write time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		read, write = c.readDeadline.at, c.writeDeadline.at
	}
	return read, write
}

func (c *PacketConn) setDeadlines(t time.Time, read, write bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return c.setError()
	}
	if !t.IsZero() {
		c.net.deadlines.Store(true)
	}
	if read {
		c.readDeadline.move(c.net.clock(), t, &c.canRead)
	}
	if write {
		c.writeDeadline.move(c.net.clock(), t, &c.canRead)
	}
	return nil
}

// SetReadBuffer sets how many bytes the socket holds that were not read. As Linux does, it
// doubles the number, and counts what the kernel needs for each packet.
func (c *PacketConn) SetReadBuffer(bytes int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return c.setError()
	}
	if bytes < 0 {
		bytes = defaultBuffer
	}
	c.room = max(2*min(bytes, defaultBuffer), minReadBuffer)
	return nil
}

// SetWriteBuffer does nothing on an open socket: a packet that was sent has left.
func (c *PacketConn) SetWriteBuffer(int) error {
	if c.isClosed() {
		return c.setError()
	}
	return nil
}

func (c *PacketConn) setError() error {
	return &net.OpError{Op: "set", Net: c.network, Addr: c.local, Err: net.ErrClosed}
}

// opError returns the error that package net gives for a failed call on the socket.
func (c *PacketConn) opError(op string, addr net.Addr, err error) error {
	return &net.OpError{Op: op, Net: c.network, Source: c.local, Addr: addr, Err: err}
}

// memoryOf returns what a packet of that size takes of a receive buffer: Linux 6 has a small
// head or a buffer of a power of two for it, its headers and its own data (skb_shared_info),
// and struct sk_buff.
func memoryOf(size int) int {
	const head, skb = 576, 256
	need := size + 384
	if need <= head {
		return head + skb
	}
	memory := 1024
	for memory < need {
		memory *= 2
	}
	return memory + skb
}

// take puts a packet that has arrived into the receive buffer, and reports whether there was
// room.
func (c *PacketConn) take(d datagram) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.used+memoryOf(len(d.b)) > c.room {
		return false
	}
	c.queue = append(c.queue, d)
	c.used += memoryOf(len(d.b))
	c.canRead.Signal()
	return true
}

// fail has the next call on the socket return errno, if it was dialed to that address: to
// other sockets Linux does not report it.
func (c *PacketConn) fail(errno syscall.Errno, from netip.AddrPort) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.remote != from {
		return
	}
	c.pending = errno
	c.canRead.Signal()
}

// pause keeps what arrives from being read, or ends that.
func (c *PacketConn) pause(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.paused = on
	c.canRead.Broadcast()
}

// socketAddr returns an address in the form that the socket has it, with bytes of its own.
func (c *PacketConn) socketAddr(at netip.AddrPort) *net.UDPAddr {
	ip := at.Addr()
	if c.v6 {
		ip = netip.AddrFrom16(ip.As16())
	}
	return &net.UDPAddr{IP: slices.Clone(net.IP(ip.AsSlice())), Port: int(at.Port())}
}
