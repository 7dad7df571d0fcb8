//go:build linux

package faultnet_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// stepNumber reads an argument that is a number, with K and M for 2^10 and 2^20. It
// returns -1 for any other.
func stepNumber(arg string) int {
	digits, unit := arg, 1
	if k, ok := strings.CutSuffix(arg, "K"); ok {
		digits, unit = k, 1<<10
	} else if m, ok := strings.CutSuffix(arg, "M"); ok {
		digits, unit = m, 1<<20
	}
	n, err := strconv.Atoi(digits)
	if err != nil {
		return -1
	}
	return n * unit
}

// instant returns the deadline that an argument names. One that is soon passes in a
// case that waits for it, one that is later does not.
func instant(arg string) time.Time {
	switch arg {
	case "past":
		return time.Now().Add(-time.Second)
	case "epoch":
		return time.Unix(0, 0)
	case "now":
		return time.Now()
	case "soon":
		return time.Now().Add(5 * time.Millisecond)
	case "later":
		return time.Now().Add(time.Hour)
	}
	return time.Time{}
}

// fill makes a large write that shows whether bytes were lost or turned round.
// Each large write brings the same.
func fill(b []byte) {
	for i := range b {
		b[i] = pattern(i)
	}
}

func pattern(i int) byte { return byte(i) ^ byte(i>>8)*3 ^ byte(i>>16)*5 }

func readOnce(c tcpEnd, size int) string {
	b := make([]byte, size)
	n, err := c.Read(b)
	return fmt.Sprintf("%d %q %s", n, b[:n], describe(err))
}

// readAll reads until it has size bytes or an error, and reports whether
// the bytes are those of a large write.
func readAll(c tcpEnd, size int) string {
	b := make([]byte, 64<<10)
	total, intact := 0, "intact"
	var err error
	for total < size && err == nil {
		var n int
		n, err = c.Read(b[:min(len(b), size-total)])
		for i := range n {
			if b[i] != pattern(total+i) {
				intact = fmt.Sprintf("wrong from byte %d", total+i)
			}
		}
		total += n
	}
	return fmt.Sprintf("%s %s %s", amount(total, size), intact, describe(err))
}

func write(c tcpEnd, b []byte) string {
	n, err := c.Write(b)
	return amount(n, len(b)) + " " + describe(err)
}

// amount returns n, or "part" where n depends on the sizes of buffers.
func amount(n, of int) string {
	if n >= 1<<12 && n < of {
		return "part"
	}
	return strconv.Itoa(n)
}

// addressLength returns how many bytes the IP address of a has, or 0.
func addressLength(a net.Addr) int {
	switch a := a.(type) {
	case *net.TCPAddr:
		return len(a.IP)
	case *net.UDPAddr:
		return len(a.IP)
	}
	return 0
}

// describe writes down all that a program can ask of an error.
func describe(err error) string {
	if err == nil {
		return "nil"
	}
	if err == io.EOF {
		return "EOF"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%q", err)
	if op, ok := err.(*net.OpError); ok {
		fmt.Fprintf(&b, " op=%s net=%s source=%v addr=%v lengths=%d,%d",
			op.Op, op.Net, op.Source, op.Addr, addressLength(op.Source), addressLength(op.Addr))
	}
	var sys *os.SyscallError
	if errors.As(err, &sys) {
		fmt.Fprintf(&b, " syscall=%s", sys.Syscall)
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		fmt.Fprintf(&b, " errno=%d", int(errno))
	}
	for _, known := range []error{io.EOF, net.ErrClosed, os.ErrDeadlineExceeded, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, known) {
			fmt.Fprintf(&b, " is=%q", known)
		}
	}
	var addr *net.AddrError
	var dns *net.DNSError
	var unknown net.UnknownNetworkError
	fmt.Fprintf(&b, " kinds=%t,%t,%t", errors.As(err, &addr), errors.As(err, &dns), errors.As(err, &unknown))
	if ne, ok := err.(net.Error); ok {
		//lint:ignore SA1019 it is compared, and not relied on
		fmt.Fprintf(&b, " timeout=%t temporary=%t", ne.Timeout(), ne.Temporary())
	}
	return b.String()
}
