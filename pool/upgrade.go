package pool

// 101 Switching Protocols: the connection belongs to the caller, as the body of
// the response. The pool forgets it when it is closed.

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// readWriteCloser is the body of a response that switched the protocol: the
// connection itself, after what had been read ahead.
type readWriteCloser struct {
	pc *persistConn
	br *bufio.Reader // nil once it is empty
	io.ReadWriteCloser
	once sync.Once
}

func (b *readWriteCloser) Read(p []byte) (int, error) {
	if b.br == nil {
		return b.ReadWriteCloser.Read(p)
	}
	n, err := b.br.Read(p[:min(len(p), b.br.Buffered())])
	if b.br.Buffered() == 0 {
		b.br = nil
	}
	return n, err
}

// CloseWrite sends FIN, if the connection can.
func (b *readWriteCloser) CloseWrite() error {
	if c, ok := b.ReadWriteCloser.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return fmt.Errorf("pool: CloseWrite: %w", http.ErrNotSupported)
}

func (b *readWriteCloser) Close() error {
	err := b.ReadWriteCloser.Close()
	b.once.Do(func() { b.pc.t.removeUpgraded(b.pc) })
	return err
}

func (pc *persistConn) handedOver() io.ReadWriteCloser {
	b := &readWriteCloser{pc: pc, ReadWriteCloser: pc.conn}
	if pc.br.Buffered() > 0 {
		b.br = pc.br
	}
	return b
}
