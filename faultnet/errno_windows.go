package faultnet

import (
	"errors"
	"syscall"
)

// isErrno reports whether an error of a system call is that number. Package syscall has numbers of its
// own for those of Unix, which no call returns: Winsock's are others.
func isErrno(err error, want syscall.Errno) bool {
	if errors.Is(err, want) {
		return true
	}
	winsock := map[syscall.Errno]syscall.Errno{
		syscall.ECONNRESET: 10054, syscall.ECONNABORTED: 10053, syscall.ECONNREFUSED: 10061,
		syscall.EHOSTUNREACH: 10065, syscall.ENETUNREACH: 10051, syscall.EMFILE: 10024,
	}
	number, ok := winsock[want]
	return ok && errors.Is(err, number)
}
