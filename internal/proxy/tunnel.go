package proxy

import (
	"errors"
	"io"
	"net"
	"sync"
)

// tunnel copies between a client and its server, with the toxics of its mapping on the way.
type tunnel struct {
	client *client
	server net.Conn

	up, down *flow // client to server, and server to client
	ending   sync.Once
	done     chan struct{} // closed when both connections are
	mu       sync.Mutex
	halves   int // directions that have ended with a FIN
}

// newTunnel returns a tunnel that does not copy yet. What the client sends is read from reader.
func newTunnel(c *client, reader io.Reader, server net.Conn) *tunnel {
	t := &tunnel{client: c, server: server, done: make(chan struct{})}
	t.up = newFlow(t, "upstream", reader, server)
	t.down = newFlow(t, "downstream", server, c.Conn)
	return t
}

// run copies until both directions have ended, the connection is broken, or the proxy ends.
func (t *tunnel) run() {
	var all sync.WaitGroup
	for _, f := range [...]*flow{t.up, t.down} {
		all.Go(f.read)
		all.Go(f.write)
	}
	select {
	case <-t.done:
	case <-t.client.p.ctx.Done(): // the proxy ends, and what waits in a queue is lost
		t.close()
	}
	t.up.stop()
	t.down.stop()
	all.Wait()
}

// half notes that a direction has ended with a FIN, and closes both connections when both have.
func (t *tunnel) half(to net.Conn) {
	if c, ok := to.(interface{ CloseWrite() error }); ok {
		c.CloseWrite()
	}
	t.mu.Lock()
	t.halves++
	both := t.halves == 2
	t.mu.Unlock()
	if both {
		t.close()
	}
}

// close closes both connections.
func (t *tunnel) close() {
	t.ending.Do(func() {
		t.client.Close()
		t.server.Close()
		close(t.done)
	})
}

// reset resets both connections.
func (t *tunnel) reset() {
	t.ending.Do(func() {
		resetConn(t.client.Conn)
		resetConn(t.server)
		close(t.done)
	})
}

// leave closes the server's connection only: the client goes on with another server.
func (t *tunnel) leave() {
	t.ending.Do(func() {
		t.server.Close()
		close(t.done)
	})
}

// resetConn closes a connection with an RST.
func resetConn(c net.Conn) {
	if l, ok := c.(interface{ SetLinger(int) error }); ok {
		l.SetLinger(0)
	}
	c.Close()
}

// endOf returns how a direction ends whose source could not be read any more.
func endOf(err error) ending {
	switch {
	case err == io.EOF:
		return endFIN
	case errors.Is(err, net.ErrClosed):
		return endClose // by this side
	case err == errOtherServer:
		return endLeave
	}
	return endReset
}
