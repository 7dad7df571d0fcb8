//go:build linux

package faultnet_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// kernel is loopback TCP, with an eye on the sockets. One epoll instance gets
// every change of every end, so that settle can wait for a state of theirs
// without asking again and again.
type kernel struct {
	t       *testing.T
	fds     []int // to be closed at the end
	epoll   int
	watched map[tcpEnd]bool
}

func newKernel(t *testing.T) *kernel {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	return &kernel{t: t, fds: []int{fd}, epoll: fd, watched: make(map[tcpEnd]bool)}
}

func (k *kernel) close() {
	for _, fd := range k.fds {
		syscall.Close(fd)
	}
}

// unused binds a port and does not listen: no other program gets it meanwhile.
func (k *kernel) unused() string {
	fd, address := k.bind()
	k.fds = append(k.fds, fd)
	return address
}

// deaf listens with the shortest of queues and fills it. A dial
// now gets no answer.
func (k *kernel) deaf() string {
	fd, address := k.bind()
	k.fds = append(k.fds, fd)
	if err := syscall.Listen(fd, 0); err != nil {
		k.t.Fatal("listen: ", err)
	}
	c, err := net.Dial("tcp", address)
	if err != nil {
		k.t.Fatal(err)
	}
	k.t.Cleanup(func() { c.Close() })
	// The queue is full when there is something to accept.
	e := syscall.EpollEvent{Events: syscall.EPOLLIN}
	if err := syscall.EpollCtl(k.epoll, syscall.EPOLL_CTL_ADD, fd, &e); err != nil {
		k.t.Fatal("epoll_ctl: ", err)
	}
	defer syscall.EpollCtl(k.epoll, syscall.EPOLL_CTL_DEL, fd, nil)
	k.await(patience)
	return address
}

func (k *kernel) bind() (fd int, address string) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		k.t.Fatal("socket: ", err)
	}
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		k.t.Fatal("bind: ", err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		k.t.Fatal("getsockname: ", err)
	}
	return fd, fmt.Sprintf("127.0.0.1:%d", name.(*syscall.SockaddrInet4).Port)
}

func (k *kernel) Listen(network, address string) (net.Listener, error) {
	return net.Listen(network, address)
}

func (k *kernel) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, network, address)
}

// settle waits until the ends look as wanted, or there is no hope. It leaves
// what it saw last in looks.
func (k *kernel) settle(p *scriptRun, wanted, looks map[string]string) {
	for who := range looks {
		k.watch(p.ends[who])
	}
	deadline := time.Now().Add(patience)
	for {
		// An acknowledgement can be 40 ms late, and a FIN counts as sent when
		// it is acknowledged: this hurries it.
		for who := range looks {
			k.control(p.ends[who], func(fd int) {
				syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_QUICKACK, 1)
			})
		}
		for who := range looks {
			looks[who] = k.look(p.ends[who])
		}
		left := time.Until(deadline)
		if maps.Equal(looks, wanted) || left <= 0 {
			return
		}
		k.await(left)
	}
}

// await sleeps until something has changed. A signal may end it early.
func (k *kernel) await(atMost time.Duration) {
	var events [8]syscall.EpollEvent
	_, err := syscall.EpollWait(k.epoll, events[:], int(atMost.Milliseconds())+1)
	if err != nil && !errors.Is(err, syscall.EINTR) {
		k.t.Fatal("epoll_wait: ", err)
	}
}

// watch makes every change of c wake settle up: edges only, of all kinds.
func (k *kernel) watch(c tcpEnd) {
	if k.watched[c] {
		return
	}
	k.watched[c] = true
	const edges = 1 << 31
	k.control(c, func(fd int) {
		e := syscall.EpollEvent{Fd: int32(fd),
			Events: syscall.EPOLLIN | syscall.EPOLLOUT | syscall.EPOLLRDHUP | edges}
		if err := syscall.EpollCtl(k.epoll, syscall.EPOLL_CTL_ADD, fd, &e); err != nil {
			k.t.Fatal("epoll_ctl: ", err)
		}
		// As early as it gets. Kernels before 6.15 do not know the option and
		// are 40 ms slower wherever there are unread bytes before a FIN.
		const delackMaxMicroseconds = 46
		syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, delackMaxMicroseconds, 10_000)
	})
}

func (k *kernel) control(c tcpEnd, do func(fd int)) {
	raw, err := c.(syscall.Conn).SyscallConn()
	if err == nil {
		err = raw.Control(func(fd uintptr) { do(int(fd)) })
	}
	if err != nil {
		k.t.Fatal(err)
	}
}

// The numbers that tcp_info has for the states.
var tcpStates = map[int]string{
	1: "ESTABLISHED", 2: "SYN_SENT", 3: "SYN_RECV", 4: "FIN_WAIT1", 5: "FIN_WAIT2",
	6: "TIME_WAIT", 7: "CLOSED", 8: "CLOSE_WAIT", 9: "LAST_ACK", 10: "LISTEN", 11: "CLOSING",
}

// look describes the state and the unread bytes of an end.
func (k *kernel) look(c tcpEnd) string {
	var state, unread int
	k.control(c, func(fd int) {
		// The state is the first byte of struct tcp_info.
		info, err := syscall.GetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_INFO)
		if err != nil {
			k.t.Fatal("getsockopt TCP_INFO: ", err)
		}
		state = info & 0xff
		var n int32
		_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), syscall.TIOCINQ, uintptr(unsafe.Pointer(&n)))
		if errno != 0 {
			k.t.Fatal("ioctl SIOCINQ: ", errno)
		}
		unread = int(n)
	})
	name := tcpStates[state]
	if name == "" {
		name = fmt.Sprint("state ", state)
	}
	return describeLook(name, unread)
}
