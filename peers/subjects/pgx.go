package subjects

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/suites"
)

// Pgx makes a [pgxpool.Pool].
func Pgx(t *harness.T, s suites.ClientSettings) (suites.Client, error) {
	if s.MaxIdle > 0 {
		return nil, errors.New("pgxpool has no limit of idle connections, only one of all connections")
	}
	c, err := pgxpool.ParseConfig("postgres://someone@" + bothServers(s) + "/db?default_query_exec_mode=simple_protocol&" + sslModes[s.TLS != nil])
	if err != nil {
		return nil, err
	}
	if s.TLS != nil {
		c.ConnConfig.TLSConfig.RootCAs = s.TLS.RootCAs
	}
	c.ConnConfig.DialFunc = t.Net.DialContext
	c.ConnConfig.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil }
	c.ConnConfig.ConnectTimeout = orElse(s.Timeout, c.ConnConfig.ConnectTimeout)
	c.HealthCheckPeriod = orElse(max(s.IdleTimeout, s.MaxLifetime)/20, c.HealthCheckPeriod) // the check closes idle connections
	c.MaxConns, c.MaxConnIdleTime, c.MaxConnLifetime = int32(orElse(s.MaxConns, 10)), orElse(s.IdleTimeout, c.MaxConnIdleTime), orElse(s.MaxLifetime, 48*time.Hour)
	c.MinIdleConns = int32(s.MinIdle)
	p, err := pgxpool.NewWithConfig(context.Background(), c)
	return pgxClient{p, s.Timeout}, err
}

// bothServers returns the addresses of the servers as a URL for PostgreSQL has them.
func bothServers(s suites.ClientSettings) string {
	if s.Fallback != "" {
		return s.Addr + "," + s.Fallback
	}
	return s.Addr
}

// sslModes has what says in a URL for PostgreSQL whether TLS is spoken, from the first byte.
var sslModes = map[bool]string{false: "sslmode=disable", true: "sslmode=verify-full&sslnegotiation=direct"}

// cancelRequest reports whether a connection is one that asks a server of PostgreSQL to cancel
// a query: its first message has this code (PostgreSQL: Message Formats, CancelRequest).
func cancelRequest(_ string, first []byte) bool {
	return len(first) >= 8 && binary.BigEndian.Uint32(first[4:]) == 80877102
}

type pgxClient struct {
	*pgxpool.Pool
	timeout time.Duration
}

func (c pgxClient) Do(ctx context.Context, say string) (heard string, err error) {
	if c.timeout > 0 { // pgx has no other timeout than that of the context
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.timeout)
		defer cancel()
	}
	return heard, c.QueryRow(ctx, "select $1", say).Scan(&heard)
}

func (c pgxClient) Close() error {
	c.Pool.Close()
	return nil
}

// Postgres runs a server on the network that accepts every user, and answers
// select '...' with the text between the quotes.
func Postgres(t *harness.T, addr string) {
	suites.ServeConns(t, addr, func(c net.Conn) {
		b := pgproto3.NewBackend(c, c)
		if m, err := b.ReceiveStartupMessage(); err != nil {
			return
		} else if _, ok := m.(*pgproto3.StartupMessage); !ok {
			return // a CancelRequest has no answer
		}
		b.Send(&pgproto3.AuthenticationOk{})
		b.Send(&pgproto3.ParameterStatus{Name: "standard_conforming_strings", Value: "on"})
		b.Send(&pgproto3.ParameterStatus{Name: "client_encoding", Value: "UTF8"})
		b.Send(&pgproto3.BackendKeyData{ProcessID: 1, SecretKey: []byte{1, 2, 3, 4}})
		for {
			b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
			if b.Flush() != nil {
				return
			}
			m, err := b.Receive()
			if err != nil {
				return
			}
			q, ok := m.(*pgproto3.Query)
			if !ok {
				return // the client leaves
			}
			if _, text, ok := strings.Cut(q.String, "'"); ok {
				text, _, _ = strings.Cut(text, "'")
				b.Send(&pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{{Name: []byte("heard"), DataTypeOID: 25, DataTypeSize: -1, TypeModifier: -1}}})
				b.Send(&pgproto3.DataRow{Values: [][]byte{[]byte(text)}})
				b.Send(&pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")})
			} else {
				b.Send(&pgproto3.EmptyQueryResponse{})
			}
		}
	})
}
