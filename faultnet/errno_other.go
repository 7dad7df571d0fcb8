//go:build !windows

package faultnet

import (
	"errors"
	"syscall"
)

// isErrno reports whether an error of a system call is that number.
func isErrno(err error, want syscall.Errno) bool { return errors.Is(err, want) }
