package subjects

import (
	"context"
	"errors"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/grpc/status"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/suites"
)

// GRPC makes a [grpc.ClientConn], which has one connection for all calls.
func GRPC(t *harness.T, s suites.ClientSettings) (suites.Client, error) {
	if s.MaxConns > 0 || s.MaxIdle > 0 {
		return nil, errors.New("grpc has one connection to a server, which all calls share")
	}
	creds := insecure.NewCredentials()
	if s.TLS != nil {
		creds = credentials.NewTLS(s.TLS)
	}
	servers := manual.NewBuilderWithScheme("servers")
	servers.InitialState(resolver.State{Addresses: []resolver.Address{{Addr: s.Addr}}})
	if s.Fallback != "" {
		servers.InitialState(resolver.State{Addresses: []resolver.Address{{Addr: s.Addr}, {Addr: s.Fallback}}})
	}
	dial := func(ctx context.Context, addr string) (net.Conn, error) { return t.Net.DialContext(ctx, "tcp", addr) }
	c, err := grpc.NewClient("servers:///"+s.Addr, grpc.WithResolvers(servers), grpc.WithContextDialer(dial),
		grpc.WithTransportCredentials(creds), grpc.WithIdleTimeout(s.IdleTimeout),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.DefaultConfig, MinConnectTimeout: 12 * time.Hour}),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(text{})))
	return &grpcClient{c, s.Timeout}, err
}

type grpcClient struct {
	*grpc.ClientConn
	timeout time.Duration
}

func (c *grpcClient) Do(ctx context.Context, say string) (heard string, err error) {
	if c.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.timeout)
		defer cancel()
	}
	if err = c.Invoke(ctx, "/echo/Say", &say, &heard); status.Code(err) == codes.Canceled {
		err = context.Canceled // a status does not wrap it
	}
	return heard, err
}

// EchoRPC runs a gRPC server on the network that answers with the text of the request.
func EchoRPC(t *harness.T, addr string) {
	l, err := suites.Listen(t, addr)
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer(grpc.ConnectionTimeout(48*time.Hour), grpc.ForceServerCodec(text{}), grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
		var say string
		if err := stream.RecvMsg(&say); err != nil {
			return err
		}
		return stream.SendMsg(&say)
	}))
	go s.Serve(l)
	t.Cleanup(s.Stop)
}

// text is a codec for strings.
type text struct{}

func (text) Name() string                  { return "text" }
func (text) Marshal(v any) ([]byte, error) { return []byte(*v.(*string)), nil }

func (text) Unmarshal(b []byte, v any) error {
	*v.(*string) = string(b)
	return nil
}
