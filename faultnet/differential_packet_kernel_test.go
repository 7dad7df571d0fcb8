//go:build linux

package faultnet_test

import (
	"maps"
	"slices"
	"syscall"
	"testing"
	"time"
)

// packetsOnKernel runs the steps over loopback. At each one it waits for what ours has there.
func packetsOnKernel(t *testing.T, ours []entry) (entries []entry) {
	k := newKernel(t)
	defer k.close()
	p := newPacketRun(t, kernelPackets{})
	defer p.cleanup()
	calls := make([]*call, len(ours))
	timed := timedCalls(ours)
	for i := range ours {
		e := entry{step: ours[i].step}
		if e.step.verb != "pass" {
			calls[i] = p.start(e.step)
		}
		for j, call := range calls {
			if call != nil && slices.Contains(ours[i].done, j) {
				call.wait()
			}
		}
		if e.step.verb == "pass" {
			timed = nil
		}
		p.collect(&e, calls, timed)
		e.looks = p.looks(func(packetSocket) string { return "" })
		k.settlePackets(p, ours[i].looks, e.looks)
		entries = append(entries, e)
		if ours[i].String() != e.String() {
			break // what follows would be waited for in vain
		}
	}
	return entries
}

// settlePackets waits until the sockets look as wanted, or there is no hope.
func (k *kernel) settlePackets(p *packetRun, wanted, looks map[string]string) {
	deadline := time.Now().Add(patience)
	for {
		for who := range looks {
			looks[who] = k.lookAtSocket(p.sockets[who])
		}
		left := time.Until(deadline)
		if maps.Equal(looks, wanted) || left <= 0 {
			return
		}
		k.await(left)
	}
}

// lookAtSocket asks the kernel whether there is a packet to read, and an error. It has the
// changes of the socket wake settlePackets up.
func (k *kernel) lookAtSocket(c packetSocket) string {
	raw, err := c.(syscall.Conn).SyscallConn()
	if err != nil {
		k.t.Fatal(err)
	}
	var events uint32
	err = raw.Control(func(fd uintptr) {
		const edges = 1 << 31
		e := syscall.EpollEvent{Fd: int32(fd), Events: syscall.EPOLLIN | edges}
		if err := syscall.EpollCtl(k.epoll, syscall.EPOLL_CTL_ADD, int(fd), &e); err != nil && err != syscall.EEXIST {
			k.t.Fatal("epoll_ctl: ", err)
		}
		now, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
		if err != nil {
			k.t.Fatal("epoll_create1: ", err)
		}
		defer syscall.Close(now)
		e.Events = syscall.EPOLLIN
		if err := syscall.EpollCtl(now, syscall.EPOLL_CTL_ADD, int(fd), &e); err != nil {
			k.t.Fatal("epoll_ctl: ", err)
		}
		var ready [1]syscall.EpollEvent
		if n, _ := syscall.EpollWait(now, ready[:], 0); n == 1 {
			events = ready[0].Events
		}
	})
	if err != nil {
		k.t.Fatal(err)
	}
	return describeSocket(events&syscall.EPOLLIN != 0, events&syscall.EPOLLERR != 0)
}
