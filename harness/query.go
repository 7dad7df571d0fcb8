package harness

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"
)

// ServePackets answers each datagram that comes on "host:port", of a goroutine of its own, with
// what answer makes of it, if that is not nil. Without an answer it sends the same bytes back.
func (t *T) ServePackets(addr string, answer func(b []byte) []byte) {
	t.step("serve-udp", addr)
	t.journal.serve("serve-udp " + addr)
	if answer != nil {
		t.lacks("the answers of %s", addr)
	} else {
		answer = func(b []byte) []byte { return b }
	}
	t.Net.servePackets(addr, answer)
	t.rested()
}

func (n *Net) servePackets(addr string, answer func(b []byte) []byte) {
	c, err := n.net.ListenPacket("udp", addr)
	if err != nil {
		n.t.fatal(KindUsage, err.Error())
	}
	n.servesAgain(addr, func() { n.servePackets(addr, answer) })
	go func() {
		defer c.Close()
		b := make([]byte, 1<<16)
		for {
			k, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			if reply := answer(b[:k:k]); reply != nil {
				c.WriteTo(reply, from)
			}
		}
	}()
}

// A query asks again after queryWait, queryTries times in all, as a client of DNS does.
const (
	queryTries = 3
	queryWait  = time.Second
)

// Ask starts an operation named name, and settles: it sends a datagram to "host:port", again
// after each second without an answer, three times in all. It fails if no answer comes, if one
// is not the text that was sent, as that of [T.ServePackets] is, and with the errors of its socket.
func (t *T) Ask(name, addr, text string) *Op {
	words := []string{"ask", name, addr, text}
	t.step(words...)
	t.mustBeNew(name)
	o, ctx := t.operation(context.Background(), name)
	o.words = words
	return t.launch(o, func() { o.returns(t.Net.ask(ctx, addr, text)) })
}

// ask makes a query.
func (n *Net) ask(ctx context.Context, addr, text string) error {
	c, err := n.net.DialPacket("udp", addr)
	if err != nil {
		return err
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	for try := 0; ; try++ {
		answer, err := ask(c, text)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, os.ErrDeadlineExceeded) && try < queryTries-1:
			continue
		case err == nil && answer != text:
			err = fmt.Errorf("got the answer %q, want %q", answer, text)
		}
		return err
	}
}

// ask sends a datagram, and returns the answer to it.
func ask(c net.Conn, text string) (answer string, err error) {
	if err := c.SetReadDeadline(time.Now().Add(queryWait)); err != nil {
		return "", err
	}
	if _, err := c.Write([]byte(text)); err != nil {
		return "", err
	}
	b := make([]byte, 1<<16)
	k, err := c.Read(b)
	return string(b[:k]), err
}

// ListenPacket is [faultnet.Net.ListenPacket]. A socket of a client, which asks for no port, must
// be closed when the test ends.
func (n *Net) ListenPacket(network, address string) (net.PacketConn, error) {
	return n.net.ListenPacket(network, address)
}

// DialPacket is [faultnet.Net.DialPacket]. The socket must be closed when the test ends.
func (n *Net) DialPacket(network, address string) (net.Conn, error) {
	return n.net.DialPacket(network, address)
}
