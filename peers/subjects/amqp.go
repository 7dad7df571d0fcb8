package subjects

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/suites"
)

// AMQP makes an [amqp.Connection], which all operations share: each opens a channel, asks for
// a queue of its name, and closes the channel. The calls have no context.
func AMQP(t *harness.T, s suites.ClientSettings) (suites.Client, error) {
	scheme := "amqp://"
	if s.TLS != nil {
		scheme = "amqps://"
	}
	if s != (suites.ClientSettings{Addr: s.Addr, TLS: s.TLS}) {
		return nil, errors.New("all channels share one connection, and no call has a time limit")
	}
	return newKept(s, func(ctx context.Context) (*amqp.Connection, error) {
		return amqp.DialConfig(scheme+s.Addr+"/", amqp.Config{TLSClientConfig: s.TLS, Dial: func(network, addr string) (net.Conn, error) { return t.Net.DialContext(ctx, network, addr) }})
	}, func(_ context.Context, c *amqp.Connection, say string) (string, error) {
		ch, err := c.Channel()
		if err != nil {
			return "", err
		}
		defer ch.Close()
		q, err := ch.QueueDeclarePassive(say, false, false, false, false, nil)
		return q.Name, err
	}, (*amqp.Connection).Close)
}

// Rabbit runs a server on the network that has every queue.
func Rabbit(t *harness.T, addr string) {
	suites.ServeConns(t, addr, func(c net.Conn) {
		if _, err := io.ReadFull(c, make([]byte, len("AMQP\x00\x00\x09\x01"))); err != nil {
			return
		}
		// Connection.Start: version 0.9, no properties, mechanisms, locales.
		if sendMethod(c, 0, 10, 10, "\x00\x09\x00\x00\x00\x00"+"\x00\x00\x00\x05PLAIN"+"\x00\x00\x00\x05en_US") != nil {
			return
		}
		for {
			channel, method, args, err := readMethod(c)
			if err != nil {
				return
			}
			switch method {
			case 10<<16 | 11: // Connection.StartOk; Tune: channels, frames, no heartbeat
				err = sendMethod(c, 0, 10, 30, "\x07\xff\x00\x02\x00\x00\x00\x00")
			case 10<<16 | 40: // Connection.Open
				err = sendMethod(c, 0, 10, 41, "\x00")
			case 20<<16 | 10: // Channel.Open
				err = sendMethod(c, channel, 20, 11, "\x00\x00\x00\x00")
			case 50<<16 | 10: // Queue.Declare; DeclareOk: its name, no messages, no consumers
				err = sendMethod(c, channel, 50, 11, args[2:3+int(args[2])]+"\x00\x00\x00\x00\x00\x00\x00\x00")
			case 20<<16 | 40: // Channel.Close
				err = sendMethod(c, channel, 20, 41, "")
			case 10<<16 | 50: // Connection.Close
				err = sendMethod(c, 0, 10, 51, "")
			}
			if err != nil {
				return
			}
		}
	})
}

// sendMethod sends a frame with a method.
func sendMethod(w io.Writer, channel, class, method uint16, args string) error {
	b := binary.BigEndian.AppendUint16([]byte{1}, channel)
	b = binary.BigEndian.AppendUint32(b, uint32(4+len(args)))
	b = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(b, class), method)
	_, err := w.Write(append(append(b, args...), 0xce))
	return err
}

// readMethod reads a frame with a method, whose class stands in the upper half of its number. The
// number of another frame is 0.
func readMethod(r io.Reader) (channel uint16, method uint32, args string, err error) {
	var head [7]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, 0, "", err
	}
	b := make([]byte, binary.BigEndian.Uint32(head[3:])+1)
	if _, err := io.ReadFull(r, b); err != nil {
		return 0, 0, "", err
	}
	if head[0] != 1 {
		return 0, 0, "", nil // a heartbeat
	}
	return binary.BigEndian.Uint16(head[1:]), binary.BigEndian.Uint32(b), string(b[4 : len(b)-1]), nil
}

// Files and lines are those of amqp091-go. Its heartbeats begin with the first frame after the
// handshake: TestAMQPHeartbeats.
var amqpQuirks = quirk(suites.Quirk{
	Reason: "a call has no context: Channel.call (channel.go:339) waits until the server has answered or the connection has ended",
	Breaks: "nothing that amqp091-go promises for QueueDeclarePassive", Versions: suites.Versions{Module: "github.com/rabbitmq/amqp091-go", From: "v1.16.0"},
}, "cancel-awaiting-answer", "cancel-with-deadline")
