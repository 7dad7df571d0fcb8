#!/usr/bin/env bash
# Two pools at their own end. processout/grpc-go-pool v1.2.1, Close: "empties the pool calling
# Close on all its clients", and "waits for all clients to be returned". It waits for none and
# closes none, since it counts with a capacity that is 0 once the pool is closed: the idle
# ClientConn stays open, and Close of the one that is out returns ErrClosed and leaves it open
# too. silenceper/pool v1.0.0: Release closes the idle connection; the one that is out is
# closed neither by Put nor by the pool's Close, which is documented to close one connection,
# and both return nil. With fatih/pool v3.0.0 and jolestar/go-commons-pool v2.1.2 both
# connections are closed in the end. Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module finding
go 1.26.0
require (
	github.com/fatih/pool v3.0.0+incompatible
	github.com/jolestar/go-commons-pool/v2 v2.1.2
	github.com/processout/grpc-go-pool v1.2.1
	github.com/silenceper/pool v1.0.0
	google.golang.org/grpc v1.85.0
)
MOD
cat > main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"net"

	fatih "github.com/fatih/pool"
	commons "github.com/jolestar/go-commons-pool/v2"
	grpcpool "github.com/processout/grpc-go-pool"
	silenceper "github.com/silenceper/pool"
	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials/insecure"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// conn says whether it is closed.
type conn struct {
	net.Conn
	closed bool
}

func (c *conn) Close() error {
	c.closed = true
	return c.Conn.Close()
}

func dial() *conn {
	client, _ := net.Pipe()
	return &conn{Conn: client}
}

func main() {
	// grpc-go-pool
	dialGRPC := func() (*grpc.ClientConn, error) {
		return grpc.NewClient("passthrough:///unused", grpc.WithTransportCredentials(insecure.NewCredentials()))
	}
	ctx := context.Background()
	gp := must(grpcpool.New(dialGRPC, 2, 2, 0))
	out, idle := must(gp.Get(ctx)), must(gp.Get(ctx))
	raw, rawIdle := out.ClientConn, idle.ClientConn
	idle.Close()
	gp.Close()
	open := func(c *grpc.ClientConn) bool { return c.GetState() != connectivity.Shutdown }
	fmt.Printf("grpc-go-pool, Close with one out: returns; then Close of that one: %v; idle one open %v, other one open %v\n",
		out.Close(), open(rawIdle), open(raw))

	// silenceper/pool
	for _, put := range []bool{true, false} {
		p := must(silenceper.NewChannelPool(&silenceper.Config{
			InitialCap: 0, MaxIdle: 2, MaxCap: 2,
			Factory: func() (any, error) { return dial(), nil },
			Close:   func(c any) error { return c.(*conn).Close() },
		}))
		out, idle := must(p.Get()).(*conn), must(p.Get()).(*conn)
		p.Put(idle)
		p.Release()
		back, name := p.Close, "Close"
		if put {
			back, name = p.Put, "Put"
		}
		err := back(out)
		fmt.Printf("silenceper, Release with one out; then %s of that one: %v; idle one open %v, other one open %v\n", name, err, !idle.closed, !out.closed)
	}

	// fatih/pool
	var made []*conn
	fp := must(fatih.NewChannelPool(0, 2, func() (net.Conn, error) {
		made = append(made, dial())
		return made[len(made)-1], nil
	}))
	c1, c2 := must(fp.Get()), must(fp.Get())
	c2.Close()
	fp.Close()
	fmt.Printf("fatih, Close with one out; then Close of that one: %v; idle one open %v, other one open %v\n", c1.Close(), !made[1].closed, !made[0].closed)

	// go-commons-pool
	factory := commons.NewPooledObjectFactory(
		func(context.Context) (any, error) { return dial(), nil },
		func(_ context.Context, o *commons.PooledObject) error { return o.Object.(*conn).Close() }, nil, nil, nil)
	cp := commons.NewObjectPoolWithDefaultConfig(ctx, factory)
	b1, b2 := must(cp.BorrowObject(ctx)).(*conn), must(cp.BorrowObject(ctx)).(*conn)
	if err := cp.ReturnObject(ctx, b2); err != nil {
		panic(err)
	}
	cp.Close(ctx)
	err := cp.ReturnObject(ctx, b1)
	fmt.Printf("go-commons-pool, Close with one out; then ReturnObject of that one: %v; idle one open %v, other one open %v\n", err, !b2.closed, !b1.closed)
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go run . > got
cat > want <<'WANT'
grpc-go-pool, Close with one out: returns; then Close of that one: grpc pool: client pool is closed; idle one open true, other one open true
silenceper, Release with one out; then Put of that one: <nil>; idle one open false, other one open true
silenceper, Release with one out; then Close of that one: <nil>; idle one open false, other one open true
fatih, Close with one out; then Close of that one: <nil>; idle one open false, other one open false
go-commons-pool, Close with one out; then ReturnObject of that one: <nil>; idle one open false, other one open false
WANT
diff want got && echo "as stated"
