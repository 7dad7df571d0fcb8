package pool

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

// Cause says why a connection was closed. Every connection has exactly one: the
// first reason that there was.
type Cause uint8

// The causes, from the peer's doing to our own.
const (
	// NotClosed is the cause of a connection that is open.
	NotClosed Cause = iota
	// ServerFIN: the server closed its end while the connection was idle, or
	// where a response should have begun.
	ServerFIN
	// ReadFailed: a read returned an error other than FIN, such as RST.
	ReadFailed
	// WriteFailed: the request could not be written.
	WriteFailed
	// BadResponse: what the server sent is not a response, or is cut short.
	BadResponse
	// Unsolicited: the server sent bytes that no request had asked for, so
	// that what comes next cannot be trusted (golang/go#68653).
	Unsolicited
	// Finished: the request or the response said that it was the last.
	Finished
	// NoKeepAlive: the transport keeps no connections.
	NoKeepAlive
	// RequestUnsent: the response was over before the request was written.
	RequestUnsent
	// BodyUnread: the caller closed the response's body before its end.
	BodyUnread
	// Canceled: the request was called off.
	Canceled
	// HeaderTimeout: ResponseHeaderTimeout passed.
	HeaderTimeout
	// IdleTimeout: IdleConnTimeout passed.
	IdleTimeout
	// IdleLimit: MaxIdleConns was exceeded and this one was used least recently.
	IdleLimit
	// HostIdleLimit: MaxIdleConnsPerHost was reached.
	HostIdleLimit
	// ClosedIdle: CloseIdleConnections was called.
	ClosedIdle
	// HandedOver: the protocol was switched, or ALPN chose one that
	// TLSNextProto takes; the code that took the connection closes it.
	HandedOver
	// Spare: another HTTP/2 connection was there first and serves the host.
	Spare
	// HTTP2Closed: golang.org/x/net/http2 closed it, or the server was going
	// away.
	HTTP2Closed

	causes // how many there are
)

var causeNames = [causes]string{
	"not closed", "server FIN", "read failed", "write failed", "bad response",
	"unsolicited bytes", "finished", "no keep-alive", "request not sent in full",
	"body not read to its end", "request canceled", "response header timeout",
	"idle timeout", "idle limit", "idle limit of the host", "CloseIdleConnections",
	"handed over", "spare", "HTTP/2 connection closed",
}

// String returns the cause in words.
func (c Cause) String() string {
	if c < causes {
		return causeNames[c]
	}
	return fmt.Sprintf("Cause(%d)", uint8(c))
}

// MarshalText returns the cause in words, for logs and for the keys of a [Closed] in
// JSON.
func (c Cause) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// CloseError is the error of a request whose connection was closed under it.
type CloseError struct {
	Cause  Cause  // why the connection was closed
	Conn   uint64 // as in the ledger
	Reused bool   // whether the connection had served a request before
	Err    error
}

// Error returns the cause and, where there is one, the error behind it.
func (e *CloseError) Error() string {
	age := "a new"
	if e.Reused {
		age = "a reused"
	}
	return fmt.Sprintf("pool: %s connection was closed (%s): %v", age, e.Cause, e.Err)
}

// Unwrap returns the error that the network or the parser reported.
func (e *CloseError) Unwrap() error { return e.Err }

// Timeout reports whether the error behind it is a timeout.
func (e *CloseError) Timeout() bool {
	var t interface{ Timeout() bool }
	return errors.As(e.Err, &t) && t.Timeout()
}

// timeoutError is a [net.Error] that is also a context.DeadlineExceeded.
type timeoutError string

func (e timeoutError) Error() string        { return string(e) }
func (e timeoutError) Timeout() bool        { return true }
func (e timeoutError) Temporary() bool      { return true }
func (e timeoutError) Is(target error) bool { return target == context.DeadlineExceeded }

// The texts are those of net/http behind "pool: ", as far as it has one: programs look
// for its words.
const (
	errHeaderTimeout    timeoutError = "pool: timeout awaiting response headers"
	errHandshakeTimeout timeoutError = "pool: TLS handshake timeout"
	errProxyTimeout     timeoutError = "pool: no answer from the proxy within a minute: context deadline exceeded"
)

var (
	errCanceled     = errors.New("pool: request canceled")
	errClosedIdle   = errors.New("pool: CloseIdleConnections called")
	errIdleTimeout  = errors.New("pool: idle connection timeout")
	errNotKept      = errors.New("pool: connection is not kept")
	errUnsolicited  = errors.New("pool: bytes came that no request had asked for")
	errHandedOver   = errors.New("pool: connection was handed over")
	errCannotRewind = errors.New("pool: cannot rewind body after connection loss: define Request.GetBody")
	errBodyWithheld = errors.New("pool: request body withheld: the final response came first")
	errBodyStopped  = errors.New("pool: request body no longer wanted")
	errReadClosed   = fmt.Errorf("pool: read on closed response body: %w", http.ErrBodyReadAfterClose)
	errReadTwice    = errors.New("pool: concurrent read on response body")

	// errCanceledInLine is that of a request that has no connection yet.
	errCanceledInLine = fmt.Errorf("%w while waiting for connection", errCanceled)
)

// An idleEndError is the end of a connection at which no request had begun.
type idleEndError struct{ err error }

func (e idleEndError) Error() string { return "server closed idle connection" }
func (e idleEndError) Unwrap() error { return e.err }

// brokenError returns err with the words in which net/http describes a connection that
// broke in the middle of a request or a response.
func brokenError(err error) error {
	return fmt.Errorf("HTTP/1.x transport connection broken: %w", err)
}

// putIdleErrors lists the errors that PutIdleConn gets for connections that are not kept.
var putIdleErrors = map[Cause]error{
	ClosedIdle:    errors.New("putIdleConn: CloseIdleConnections was called"),
	HostIdleLimit: errors.New("putIdleConn: too many idle connections for host"),
	ReadFailed:    errors.New("putIdleConn: connection is in bad state"),
}
