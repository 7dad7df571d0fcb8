package waits

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"io"
)

func beginsTx(ctx context.Context, db *sql.DB) (*sql.Tx, error)   { return db.BeginTx(ctx, nil) }
func asksRows(ctx context.Context, db *sql.DB) (*sql.Rows, error) { return db.QueryContext(ctx, "") }

func waitsForSQL(ctx context.Context, db *sql.DB) { db.PingContext(ctx) }

// driverOf is a database whose answers have one row after the other, without an end.
type driverOf struct{}

func (driverOf) Connect(context.Context) (driver.Conn, error) { return driverOf{}, nil }
func (driverOf) Driver() driver.Driver                        { return nil }
func (driverOf) Prepare(string) (driver.Stmt, error)          { return driverOf{}, nil }
func (driverOf) Begin() (driver.Tx, error)                    { return driverOf{}, nil }
func (driverOf) Commit() error                                { return nil }
func (driverOf) Rollback() error                              { return nil }
func (driverOf) Close() error                                 { return nil }
func (driverOf) NumInput() int                                { return 0 }
func (driverOf) Columns() []string                            { return []string{"n"} }
func (driverOf) Next([]driver.Value) error                    { return nil }
func (driverOf) Exec([]driver.Value) (driver.Result, error)   { return nil, io.EOF }
func (driverOf) Query([]driver.Value) (driver.Rows, error)    { return driverOf{}, nil }
