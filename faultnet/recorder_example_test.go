package faultnet_test

import (
	"context"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/halfopen/halfopen/clock"
	"github.com/halfopen/halfopen/faultnet"
)

// A transport whose connections are recorded. The network and the clock of this example are made up,
// so that it prints the same each time: a service gives WrapDialer its own dialer, or nil, and no clock.
func ExampleRecorder() {
	n := new(faultnet.Net)
	l, _ := n.Listen("tcp", "127.0.0.1:80")
	srv := &http.Server{Handler: http.NotFoundHandler()}
	go srv.Serve(l)

	rec := faultnet.Recorder{Clock: clock.NewVirtual(time.Date(2026, time.January, 1, 12, 0, 0, 0, time.UTC)), Payload: 15}
	dial := rec.WrapDialer(n.DialContext)
	c, _ := dial(context.Background(), "tcp", "127.0.0.1:80")
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	io.ReadAll(io.LimitReader(c, 22))
	c.Close()
	srv.Close()
	rec.WriteTo(os.Stdout)

	// Output:
	// halfopen trace 1
	// began 2026-01-01T12:00:00Z
	// 0.000000 d1 dial tcp 127.0.0.1:80
	// 0.000000 d1 open c1 127.0.0.1:32768 127.0.0.1:80
	// 0.000000 c1 speaks http/1
	// 0.000000 c1 write 46 "GET / HTTP/1.1\r"
	// 0.000000 c1 read 22 "HTTP/1.1 404 No"
	// 0.000000 c1 close
	// 0.000000 end
}
