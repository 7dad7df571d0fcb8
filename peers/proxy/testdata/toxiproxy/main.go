// Main serves the HTTP API of toxiproxy's server on a free port of loopback, and prints its
// address. It is a module of its own: only the comparison needs what the server needs.
package main

import (
	"fmt"
	"net"
	"net/http"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
)

func main() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(l.Addr())
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop())
	panic(http.Serve(l, server.Routes()))
}
