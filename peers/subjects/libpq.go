package subjects

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/lib/pq"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/suites"
)

// LibPQ makes a [sql.DB] over the driver lib/pq.
func LibPQ(t *harness.T, s suites.ClientSettings) (suites.Client, error) {
	if s.TLS != nil {
		return nil, errors.New("the TLS configurations of lib/pq are package-level, or files")
	}
	host, port, _ := strings.Cut(s.Addr, ":")
	timeout := s.Timeout
	if s.Fallback != "" {
		second, secondPort, _ := strings.Cut(s.Fallback, ":")
		host, port = host+","+second, port+","+secondPort
		timeout /= 2 // it is that of each server
	}
	c, err := pq.NewConnector(fmt.Sprintf("postgres://someone@%s/db?sslmode=disable&port=%s&connect_timeout=%d", host, port, timeout/time.Second))
	if err != nil {
		return nil, err
	}
	c.Dialer(pqDialer{t})
	return sqlClientOf(c, selectText, s, s.Timeout)
}

// pqDialer dials the network of a test for lib/pq.
type pqDialer struct{ t *harness.T }

func (d pqDialer) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	return d.t.Net.DialContext(ctx, network, addr)
}

func (d pqDialer) Dial(network, addr string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, addr)
}

func (d pqDialer) DialTimeout(network, addr string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return d.DialContext(ctx, network, addr)
}

var libpqVersion = suites.Versions{Module: "github.com/lib/pq", From: "v1.12.3"}

// Files and lines are those of lib/pq.
var libpqQuirks = concat(
	quirk(suites.Quirk{
		Reason: "a query whose context has ended asks the server, on a connection of its own, to cancel it (conn.watchCancel, conn_go18.go:119), and waits for what the server says, without a limit " +
			"(conn.recvMessage, conn.go:1059): a server that is silent, or a network that is gone, keeps the query, its place and its connection",
		Issue: "lib/pq#620", Breaks: "database/sql/driver, QueryerContext: QueryContext must honor the context timeout and return when the context is canceled", Versions: libpqVersion,
	}, "cancel-awaiting-answer", "cancel-deadline-awaiting-answer", "cancel-with-deadline", "broken-silence", "talk-own-answer"),
	quirk(suites.Quirk{
		Reason: "the context ends a dial, and not the handshake after it: conn.startup (conn.go:1212) has none, and ends only with connect_timeout",
		Breaks: "nothing: database/sql/driver, Connector: the provided context.Context is for dialing purposes only", Versions: libpqVersion,
	}, "cancel-handshake"),
)
