package faultnet

import (
	"context"
	"errors"
	"net"
	"os"
	"syscall"
)

// opError returns the error that package net gives for a failed call on the end c:
// the call, the network and both addresses around the cause.
func (c *Conn) opError(op string, err error) error {
	return &net.OpError{Op: op, Net: c.network, Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: err}
}

// sysError returns the opError around a system call that returned errno.
func (c *Conn) sysError(op string, errno syscall.Errno) error {
	return c.opError(op, os.NewSyscallError(op, errno))
}

// dialError returns the error of a dial to addr. An address that never
// resolved is nil, as it is in package net.
func dialError(network string, addr net.Addr, err error) error {
	return &net.OpError{Op: "dial", Net: network, Addr: addr, Err: err}
}

// connectError returns the error of a dial whose connect call returned errno.
func connectError(network string, addr net.Addr, errno syscall.Errno) error {
	return dialError(network, addr, os.NewSyscallError("connect", errno))
}

// contextError turns the end of a context into what package net makes of it:
// a dial that was cancelled says "operation was canceled", one that ran out
// of time says "i/o timeout", and both still match the context's own errors.
func contextError(err error) error {
	switch {
	case errors.Is(err, context.Canceled):
		return errCanceled
	case errors.Is(err, context.DeadlineExceeded):
		return errDialTimeout
	}
	return err
}

type ctxError struct {
	text    string
	is      error
	timeout bool
}

func (e *ctxError) Error() string        { return e.text }
func (e *ctxError) Is(target error) bool { return target == e.is }
func (e *ctxError) Timeout() bool        { return e.timeout }
func (e *ctxError) Temporary() bool      { return e.timeout }

var (
	errCanceled    = &ctxError{text: "operation was canceled", is: context.Canceled}
	errDialTimeout = &ctxError{text: "i/o timeout", is: context.DeadlineExceeded, timeout: true}
)
