package subjects

import (
	"bufio"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"
	"time"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/suites"
)

// SQL makes a [sql.DB] over a driver that sends a line for each query.
func SQL(t *harness.T, s suites.ClientSettings) (suites.Client, error) {
	if s.Fallback != "" || s.TLS != nil {
		return nil, errors.New("that is the driver's, which is the adapter's own here")
	}
	// The driver has a time limit of its own.
	return sqlClientOf(&lineConnector{t, s}, func(say string) string { return say }, s, 0)
}

// sqlClientOf makes a [sql.DB] over a driver. The context of each query ends after the timeout, if there is one.
func sqlClientOf(c driver.Connector, query func(say string) string, s suites.ClientSettings, timeout time.Duration) (suites.Client, error) {
	if s.MinIdle > 0 {
		return nil, errors.New("database/sql opens no connections ahead")
	}
	db := sql.OpenDB(c)
	db.SetMaxOpenConns(s.MaxConns)
	db.SetMaxIdleConns(orElse(s.MaxIdle, 10))
	db.SetConnMaxIdleTime(s.IdleTimeout)
	db.SetConnMaxLifetime(s.MaxLifetime)
	return suites.NewClient(func(ctx context.Context, say string) (heard string, err error) {
		if timeout > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, timeout)
			defer cancel()
		}
		return heard, db.QueryRowContext(ctx, query(say)).Scan(&heard)
	}, db.Close), nil
}

// orElse returns v, or other if v is zero.
func orElse[V comparable](v, other V) V {
	if v == *new(V) {
		return other
	}
	return v
}

// lineConnector is a driver for [suites.EchoLines].
type lineConnector struct {
	t *harness.T
	s suites.ClientSettings
}

func (c *lineConnector) Driver() driver.Driver { return nil }

func (c *lineConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.t.Net.DialContext(ctx, "tcp", c.s.Addr)
	if err != nil {
		return nil, err
	}
	return &lineConn{Conn: conn, timeout: c.s.Timeout, r: bufio.NewReader(conn)}, nil
}

// lineConn is a connection of the driver. After an error it is not valid any more.
type lineConn struct {
	net.Conn
	timeout time.Duration
	r       *bufio.Reader
	broken  bool
}

var errNotThere = errors.New("the driver only has QueryContext")

func (c *lineConn) Prepare(string) (driver.Stmt, error) { return nil, errNotThere }
func (c *lineConn) Begin() (driver.Tx, error)           { return nil, errNotThere }
func (c *lineConn) IsValid() bool                       { return !c.broken }

func (c *lineConn) QueryContext(ctx context.Context, query string, _ []driver.NamedValue) (driver.Rows, error) {
	if c.timeout > 0 {
		c.SetDeadline(time.Now().Add(c.timeout))
		defer c.SetDeadline(time.Time{})
	}
	stop := context.AfterFunc(ctx, func() { c.SetDeadline(time.Unix(1, 0)) })
	_, err := io.WriteString(c.Conn, query+"\n")
	var line string
	if err == nil {
		line, err = c.r.ReadString('\n')
	}
	if !stop() {
		err = ctx.Err()
	}
	c.broken = err != nil
	if err != nil {
		return nil, err
	}
	return &oneRow{strings.TrimSuffix(line, "\n")}, nil
}

// oneRow is a result with one row of one value.
type oneRow struct{ value string }

func (r *oneRow) Columns() []string { return []string{"heard"} }
func (r *oneRow) Close() error      { return nil }

func (r *oneRow) Next(dest []driver.Value) error {
	if r.value == "" {
		return io.EOF
	}
	dest[0], r.value = r.value, ""
	return nil
}

func selectText(say string) string { return "select '" + say + "'" }
