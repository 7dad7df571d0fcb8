#!/usr/bin/env bash
# pion/transport v5.1.4, two fake networks for tests. Its documentation of
# UDPConn.SetDeadline (vnet), like net.Conn's: the deadline applies to all future I/O, not
# just the next call. In vnet it ends one Read: a second one, still behind the same
# deadline, waits for a packet (for ever where none comes) and returns it with a nil
# error. On a UDP socket both time out. In dpipe a Write behind its deadline empties the
# queue: the messages of earlier Writes, which returned nil and were not read yet, are
# gone; on the socket the peer reads them. Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module finding
go 1.26.0
require github.com/pion/transport/v5 v5.1.4
MOD
cat > main.go <<'GO'
package main

import (
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/pion/logging"
	"github.com/pion/transport/v5/dpipe"
	"github.com/pion/transport/v5/vnet"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// udp returns two sockets that are connected to each other.
func udp() (a, b net.Conn) {
	one := must(net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}))
	two := must(net.DialUDP("udp4", nil, one.LocalAddr().(*net.UDPAddr)))
	addr := two.LocalAddr().(*net.UDPAddr)
	at := one.LocalAddr().(*net.UDPAddr)
	one.Close()
	return must(net.DialUDP("udp4", at, addr)), two
}

// virtual returns the same two in a virtual network.
func virtual() (a, b net.Conn) {
	r := must(vnet.NewRouter(&vnet.RouterConfig{CIDR: "10.0.0.0/24", LoggerFactory: logging.NewDefaultLoggerFactory()}))
	var nets []*vnet.Net
	for _, ip := range []string{"10.0.0.1", "10.0.0.2"} {
		n := must(vnet.NewNet(&vnet.NetConfig{StaticIPs: []string{ip}}))
		check(r.AddNet(n))
		nets = append(nets, n)
	}
	check(r.Start())
	one, two := &net.UDPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 1000}, &net.UDPAddr{IP: net.IPv4(10, 0, 0, 2), Port: 1000}
	return must(nets[0].DialUDP("udp4", one, two)), must(nets[1].DialUDP("udp4", two, one))
}

func timedOut(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

func main() {
	for _, x := range []struct {
		name string
		pair func() (a, b net.Conn)
	}{{"udp", udp}, {"vnet", virtual}} {
		a, b := x.pair()
		check(a.SetReadDeadline(time.Unix(1, 0)))
		buf := make([]byte, 9)
		_, first := a.Read(buf)
		must(b.Write([]byte("packet")))
		n, second := a.Read(buf)
		fmt.Printf("%s: the first Read timed out %v, the second %v with %q\n", x.name, timedOut(first), timedOut(second), buf[:n])
	}
	for _, x := range []struct {
		name string
		pair func() (a, b net.Conn)
	}{{"udp", udp}, {"dpipe", dpipe.Pipe}} {
		a, b := x.pair()
		must(a.Write([]byte("packet")))
		check(a.SetWriteDeadline(time.Unix(1, 0)))
		_, err := a.Write([]byte("late"))
		check(b.SetReadDeadline(time.Now().Add(time.Second)))
		buf := make([]byte, 9)
		n, rerr := b.Read(buf)
		fmt.Printf("%s: the second Write failed %v; the peer reads %q, nil %v\n", x.name, err != nil, buf[:n], rerr == nil)
	}
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go run . > got
cat > want <<'WANT'
udp: the first Read timed out true, the second true with ""
vnet: the first Read timed out true, the second false with "packet"
udp: the second Write failed true; the peer reads "packet", nil true
dpipe: the second Write failed true; the peer reads "", nil false
WANT
diff want got && echo "as stated"
