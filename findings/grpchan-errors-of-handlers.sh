#!/usr/bin/env bash
# grpc's documentation of a handler: an error that it returns should be one of status or of a context, else the client
# gets code Unknown. fullstorydev/grpchan v1.1.2, inprocgrpc: its calls "fully behave like a normal RPC call, including
# context deadlines and cancellations". Over grpc v1.85.0 the context errors of a handler (of a call that it made) are
# Canceled and DeadlineExceeded at the client, which is what clients retry on; a unary call of inprocgrpc returns the
# handler's own error, with code Unknown, and it is a context error to errors.Is, as if the client's had ended. A stream
# whose handler returns io.EOF (of its own Recv, say) has failed over grpc, with Unknown, and has ended well here: the
# client's Recv returns io.EOF itself, so that a cut-off list is a whole one. No response and no error is an
# empty message over grpc, and Internal here. Over httpgrpc of the same module context errors are Unknown too, and an
# unknown method is NotFound, where grpc says Unimplemented. Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module finding
go 1.26.0
require (
	github.com/fullstorydev/grpchan v1.1.2
	google.golang.org/grpc v1.85.0
)
MOD
cat > main.go <<'GO'
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"

	"github.com/fullstorydev/grpchan/httpgrpc"
	"github.com/fullstorydev/grpchan/inprocgrpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// server returns the error that a request names.
type server struct {
	grpc_health_v1.UnimplementedHealthServer
}

var failures = map[string]error{
	"context.Canceled":         context.Canceled,
	"context.DeadlineExceeded": context.DeadlineExceeded,
	"io.EOF":                   io.EOF,
	"nothing":                  nil,
}

func (server) Check(_ context.Context, r *grpc_health_v1.HealthCheckRequest) (*grpc_health_v1.HealthCheckResponse, error) {
	return nil, failures[r.Service]
}

func (server) Watch(r *grpc_health_v1.HealthCheckRequest, s grpc_health_v1.Health_WatchServer) error {
	if err := s.Send(new(grpc_health_v1.HealthCheckResponse)); err != nil {
		return err
	}
	return failures[r.Service]
}

func show(name string, conn grpc.ClientConnInterface) {
	ctx := context.Background()
	client := grpc_health_v1.NewHealthClient(conn)
	for _, failure := range []string{"context.Canceled", "context.DeadlineExceeded", "io.EOF", "nothing"} {
		_, err := client.Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: failure})
		fmt.Printf("%s, %s: %v, a context error %v; ", name, failure, status.Code(err),
			errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded))
		stream := must(client.Watch(ctx, &grpc_health_v1.HealthCheckRequest{Service: failure}))
		must(stream.Recv())
		if _, err = stream.Recv(); err == io.EOF {
			fmt.Println("the stream ends well")
		} else {
			fmt.Println("the stream fails:", status.Code(err))
		}
	}
	err := conn.Invoke(ctx, "/grpc.health.v1.Health/Other", new(grpc_health_v1.HealthCheckRequest), new(grpc_health_v1.HealthCheckResponse))
	fmt.Printf("%s, unknown method: %v\n", name, status.Code(err))
}

func main() {
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	g := grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(g, server{})
	go g.Serve(l)
	show("grpc", must(grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))))

	channel := new(inprocgrpc.Channel)
	grpc_health_v1.RegisterHealthServer(channel, server{})
	show("inprocgrpc", channel)

	h := httpgrpc.NewServer()
	grpc_health_v1.RegisterHealthServer(h, server{})
	base := must(url.Parse(httptest.NewServer(h).URL))
	show("httpgrpc", &httpgrpc.Channel{Transport: http.DefaultTransport, BaseURL: base})
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go run . > got
cat > want <<'WANT'
grpc, context.Canceled: Canceled, a context error false; the stream fails: Canceled
grpc, context.DeadlineExceeded: DeadlineExceeded, a context error false; the stream fails: DeadlineExceeded
grpc, io.EOF: Unknown, a context error false; the stream fails: Unknown
grpc, nothing: OK, a context error false; the stream ends well
grpc, unknown method: Unimplemented
inprocgrpc, context.Canceled: Unknown, a context error true; the stream fails: Canceled
inprocgrpc, context.DeadlineExceeded: Unknown, a context error true; the stream fails: DeadlineExceeded
inprocgrpc, io.EOF: Unknown, a context error false; the stream ends well
inprocgrpc, nothing: Internal, a context error false; the stream ends well
inprocgrpc, unknown method: Unimplemented
httpgrpc, context.Canceled: Unknown, a context error false; the stream fails: Unknown
httpgrpc, context.DeadlineExceeded: Unknown, a context error false; the stream fails: Unknown
httpgrpc, io.EOF: Unknown, a context error false; the stream fails: Unknown
httpgrpc, nothing: OK, a context error false; the stream ends well
httpgrpc, unknown method: NotFound
WANT
diff want got && echo "as stated"
