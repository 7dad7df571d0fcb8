package subjects

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/apache/cassandra-gocql-driver/v2"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/suites"
)

// Cassandra makes a [gocql.Session] with one connection for all queries, beside the one that it
// always has for itself, to control the cluster. Its hosts are addresses, for it would look names up in the real DNS.
func Cassandra(t *harness.T, s suites.ClientSettings) (suites.Client, error) {
	if s != (suites.ClientSettings{Addr: s.Addr, Fallback: s.Fallback, TLS: s.TLS, Timeout: s.Timeout}) {
		return nil, errors.New("gocql has as many connections to a server as NumConns says, and all queries share them")
	}
	timeout := orElse(s.Timeout, 48*time.Hour)
	d := cassandraDialer{t, map[string]string{"127.0.0.1": s.Addr}, timeout}
	c := gocql.NewCluster("127.0.0.1")
	if s.Fallback != "" {
		c.Hosts, d.addrs["127.0.0.2"] = append(c.Hosts, "127.0.0.2"), s.Fallback
	}
	if s.TLS != nil {
		c.SslOpts = &gocql.SslOptions{Config: s.TLS, EnableHostVerification: true}
	}
	c.ProtoVersion, c.NumConns, c.DisableInitialHostLookup, c.Metadata.CacheMode = 4, 1, true, gocql.Disabled
	c.Events.DisableNodeStatusEvents, c.Events.DisableTopologyEvents, c.Events.DisableSchemaEvents = true, true, true
	c.Timeout, c.WriteCoalesceWaitTime, c.Dialer = timeout, 0, d
	return lazily(c.CreateSession, func(ctx context.Context, c *gocql.Session, say string) (heard string, err error) {
		return heard, c.Query("echo '"+say+"'").ScanContext(ctx, &heard) // no word for which it prepares a statement
	}, func(c *gocql.Session) error { c.Close(); return nil }), nil
}

// cassandraDialer dials the servers of a test for gocql, by the IP addresses that it has for them.
type cassandraDialer struct {
	t       *harness.T
	addrs   map[string]string
	timeout time.Duration // ConnectTimeout is of gocql's own dialer
}

func (d cassandraDialer) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	ip, _, _ := net.SplitHostPort(addr)
	return d.t.Net.DialContext(ctx, network, d.addrs[ip])
}

// Ring runs a server on the network that is a cluster of one node: it answers echo '...' with the
// text between the quotes, and any other query with a row about itself.
func Ring(t *harness.T, addr string) {
	id := fmt.Sprintf("00000000-0000-4000-8000-%012x", addr[:6]) // of this server
	suites.ServeConns(t, addr, func(c net.Conn) {
		for {
			var head [9]byte // version, flags, stream, opcode, length
			if _, err := io.ReadFull(c, head[:]); err != nil {
				return
			}
			body := make([]byte, binary.BigEndian.Uint32(head[5:]))
			if _, err := io.ReadFull(c, body); err != nil {
				return
			}
			opcode, answer := byte(0x02), "" // READY
			switch head[4] {
			case 0x05: // OPTIONS; SUPPORTED has none
				opcode, answer = 0x06, "\x00\x00"
			case 0x07: // QUERY; RESULT
				opcode, answer = 0x08, cassandraRow("host_id", id, "data_center", "dc", "rack", "r", "release_version", "4.1.0")
				if _, text, ok := strings.Cut(string(body), "echo '"); ok {
					text, _, _ = strings.Cut(text, "'")
					answer = cassandraRow("heard", text)
				}
			}
			frame := binary.BigEndian.AppendUint32([]byte{0x84, 0, head[2], head[3], opcode}, uint32(len(answer)))
			if _, err := c.Write(append(frame, answer...)); err != nil {
				return
			}
		}
	})
}

// cassandraRow returns the body of a result with one row, of columns of text: a name and a value each.
func cassandraRow(columns ...string) string {
	short := func(n int) string { return string([]byte{byte(n >> 8), byte(n)}) }
	long := func(n int) string { return short(0) + short(n) }
	b := long(2) + long(1) + long(len(columns)/2) + short(0) + short(0) // rows; one table for all, whose keyspace and name are empty
	values := long(1)
	for i := 0; i < len(columns); i += 2 {
		b += short(len(columns[i])) + columns[i] + short(0x0d)
		values += long(len(columns[i+1])) + columns[i+1]
	}
	return b + values
}

var cassandraQuirks []suites.Quirk
