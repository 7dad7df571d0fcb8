package proxy

import (
	"net"
)

// cutPort splits "host:port".
func cutPort(address string) (host, port string, ok bool) {
	host, port, err := net.SplitHostPort(address)
	return host, port, err == nil
}

// joinPort returns host with the port, unless it has one of its own.
func joinPort(host, port string) string {
	if _, _, ok := cutPort(host); ok {
		return host
	}
	return net.JoinHostPort(host, port)
}
