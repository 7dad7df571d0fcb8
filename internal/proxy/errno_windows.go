package proxy

import (
	"errors"
	"syscall"
)

// Windows itself gives these numbers. Those of package syscall, which rules give,
// are Go's own there.
// https://learn.microsoft.com/en-us/windows/win32/winsock/windows-sockets-error-codes-2
const (
	winsockNetUnreachable  = syscall.Errno(10051)
	winsockTimedOut        = syscall.Errno(10060)
	winsockRefused         = syscall.Errno(10061)
	winsockHostUnreachable = syscall.Errno(10065)
)

// isErrno reports whether an error is that number, of the kernel or of a rule.
func isErrno(err error, errno syscall.Errno) bool {
	own := errno
	switch errno {
	case syscall.ENETUNREACH:
		own = winsockNetUnreachable
	case syscall.ETIMEDOUT:
		own = winsockTimedOut
	case syscall.ECONNREFUSED:
		own = winsockRefused
	case syscall.EHOSTUNREACH:
		own = winsockHostUnreachable
	}
	return errors.Is(err, errno) || errors.Is(err, own)
}
