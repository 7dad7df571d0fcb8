package subjects

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/suites"
)

// Mongo makes a [mongo.Client] that knows a load balancer: so it has no monitors, whose
// heartbeats would never end.
func Mongo(t *harness.T, s suites.ClientSettings) (suites.Client, error) {
	if s.MaxIdle > 0 || s.MaxLifetime > 0 || s.Fallback != "" {
		return nil, errors.New("mongo-driver has no limit of idle connections, and none of their age; behind a load balancer it knows one server")
	}
	o := options.Client().SetHosts([]string{s.Addr}).SetDialer(mongoDialer{t}).SetLoadBalanced(true).SetRetryReads(false).SetRetryWrites(false).
		SetMaxPoolSize(uint64(s.MaxConns)).SetMinPoolSize(uint64(s.MinIdle)).SetMaxConnIdleTime(s.IdleTimeout).
		SetConnectTimeout(orElse(s.Timeout, 48*time.Hour)).SetServerSelectionTimeout(48 * time.Hour)
	if s.TLS != nil {
		o.SetTLSConfig(s.TLS)
	}
	if s.Timeout > 0 {
		o.SetTimeout(s.Timeout)
	}
	c, err := mongo.Connect(o)
	if err != nil {
		return nil, err
	}
	return suites.NewClient(func(ctx context.Context, say string) (string, error) {
		var heard struct{ Say string }
		err := c.Database("db").RunCommand(ctx, bson.D{{Key: "echo", Value: say}}).Decode(&heard)
		return heard.Say, err
	}, func() error { return c.Disconnect(context.Background()) }), nil
}

// mongoDialer dials the network of a test for mongo-driver.
type mongoDialer struct{ t *harness.T }

func (d mongoDialer) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	return d.t.Net.DialContext(ctx, network, addr)
}

// Mongos runs a server on the network that says that it is behind a load balancer, and answers
// the command echo with its argument.
func Mongos(t *harness.T, addr string) {
	hello := bson.D{{Key: "ok", Value: 1}, {Key: "isWritablePrimary", Value: true}, {Key: "msg", Value: "isdbgrid"}, {Key: "helloOk", Value: true},
		{Key: "maxWireVersion", Value: 25}, {Key: "minWireVersion", Value: 0}, {Key: "maxBsonObjectSize", Value: 16777216},
		{Key: "maxMessageSizeBytes", Value: 48000000}, {Key: "maxWriteBatchSize", Value: 100000}, {Key: "connectionId", Value: 1},
		{Key: "serviceId", Value: bson.ObjectID{1}}, {Key: "logicalSessionTimeoutMinutes", Value: 30}}
	suites.ServeConns(t, addr, func(c net.Conn) {
		for id := uint32(1); ; id++ {
			request, opcode, doc, err := readMongo(c)
			if err != nil {
				return
			}
			answer := hello
			if say, err := doc.LookupErr("echo"); err == nil {
				answer = bson.D{{Key: "ok", Value: 1}, {Key: "say", Value: say.StringValue()}}
			}
			body, err := bson.Marshal(answer)
			if err != nil {
				return
			}
			// OP_MSG has flags and a kind before the document, OP_REPLY flags, a cursor, where it begins, and one document.
			head, replies := []byte{0, 0, 0, 0, 0}, uint32(opMsg)
			if opcode != opMsg {
				head, replies = append(make([]byte, 16), 1, 0, 0, 0), 1
			}
			var m []byte
			for _, n := range []uint32{uint32(16 + len(head) + len(body)), id, request, replies} {
				m = binary.LittleEndian.AppendUint32(m, n)
			}
			if _, err := c.Write(append(append(m, head...), body...)); err != nil {
				return
			}
		}
	})
}

const opMsg = 2013

// readMongo reads a message, OP_MSG or OP_QUERY, and returns its number, its kind, and its document.
func readMongo(r io.Reader) (id, opcode uint32, doc bson.Raw, err error) {
	var head [16]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, 0, nil, err
	}
	id, opcode = binary.LittleEndian.Uint32(head[4:]), binary.LittleEndian.Uint32(head[12:])
	b := make([]byte, binary.LittleEndian.Uint32(head[:])-16)
	if _, err := io.ReadFull(r, b); err != nil {
		return 0, 0, nil, err
	}
	at := 5
	if opcode != opMsg { // flags, a name, and two numbers stand before the document
		for at = 4; b[at] != 0; at++ {
		}
		at += 9
	}
	return id, opcode, bson.Raw(b[at:]), nil
}

var mongoQuirks []suites.Quirk
