//go:build !windows

package proxy

import (
	"errors"
	"syscall"
)

// isErrno reports whether an error is that number, of the kernel or of a rule.
func isErrno(err error, errno syscall.Errno) bool { return errors.Is(err, errno) }
