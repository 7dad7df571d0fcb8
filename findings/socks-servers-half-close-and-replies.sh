#!/usr/bin/env bash
# RFC 9293, 3.6: a side that has ended its stream still reads the other's. RFC 1928, 6: a reply is
# X'05' for a refused connection, X'07' for a command that is not supported, X'08' for an
# address type that is not. A client sends, ends its side and waits for the answer, through
# four SOCKS 5 servers: with txthinking/socks5 2023-03-25 and simple-socks 3.6.0 the answer is
# lost, as they close both sides at the first end of a stream. txthinking's reply to a refused
# connection is X'04' (host unreachable), to an unknown address type there is none; simple-socks
# answers BIND, and a command that does not exist, with X'00': success. armon/go-socks5
# 2016-09-02 and things-go/go-socks5 v0.0.5 are right on all. Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module finding
go 1.26.0
require (
	github.com/armon/go-socks5 v0.0.0-20160902184237-e75332964ef5
	github.com/things-go/go-socks5 v0.0.5
	github.com/txthinking/socks5 v0.0.0-20230325130024-4230056ae301
)
MOD
cat > main.go <<'GO'
package main

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"net"
	"os/exec"
	"strings"
	"time"

	armon "github.com/armon/go-socks5"
	things "github.com/things-go/go-socks5"
	txthinking "github.com/txthinking/socks5"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func listen() net.Listener { return must(net.Listen("tcp", "127.0.0.1:0")) }

// servers has functions that start one; each returns its address.
var servers = []struct {
	name  string
	start func() string
}{
	{"armon", func() string {
		l := listen()
		go must(armon.New(&armon.Config{Logger: log.New(io.Discard, "", 0)})).Serve(l)
		return l.Addr().String()
	}},
	{"things-go", func() string {
		l := listen()
		go things.NewServer(things.WithLogger(things.NewLogger(log.New(io.Discard, "", 0)))).Serve(l)
		return l.Addr().String()
	}},
	{"txthinking", func() string {
		l := listen()
		address := l.Addr().String()
		l.Close()
		go must(txthinking.NewClassicServer(address, "127.0.0.1", "", "", 0, 0)).ListenAndServe(nil)
		for { // it does not say when it listens
			if c, err := net.Dial("tcp", address); err == nil {
				c.Close()
				return address
			}
			time.Sleep(10 * time.Millisecond)
		}
	}},
	{"simple-socks", func() string {
		cmd := exec.Command("node", "main.mjs")
		out := must(cmd.StdoutPipe())
		must(cmd.StdinPipe()) // it ends when this program does
		must(0, cmd.Start())
		return "127.0.0.1:" + strings.TrimSpace(must(bufio.NewReader(out).ReadString('\n')))
	}},
}

// connect returns a connection to a server that knows no authentication, and its reply.
func connect(server string, command byte, address string, port int) (*net.TCPConn, string) {
	c := must(net.Dial("tcp", server)).(*net.TCPConn)
	io.WriteString(c, "\x05\x01\x00")
	must(io.ReadFull(c, make([]byte, 2)))
	fmt.Fprintf(c, "\x05%c\x00%s%s", command, address, []byte{byte(port >> 8), byte(port)})
	reply := make([]byte, 10)
	if _, err := io.ReadFull(c, reply); err != nil {
		return c, "none"
	}
	return c, fmt.Sprintf("X'%02X'", reply[1])
}

func main() {
	log.SetOutput(io.Discard)
	origin, dead := listen(), listen()
	dead.Close()
	go func() {
		for {
			c := must(origin.Accept())
			go func() {
				fmt.Fprintf(c, "an answer to %q", must(io.ReadAll(c)))
				c.Close()
			}()
		}
	}()
	port := func(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }
	const loopback = "\x01\x7f\x00\x00\x01"
	for _, s := range servers {
		server := s.start()
		c, reply := connect(server, 1, loopback, port(origin))
		io.WriteString(c, "hello")
		c.CloseWrite()
		answer, _ := io.ReadAll(c)
		fmt.Printf("%s: reply %s, after the end of the client's side %q\n", s.name, reply, answer)
		_, refused := connect(server, 1, loopback, port(dead))
		_, bind := connect(server, 2, loopback, port(origin))
		_, command := connect(server, 9, loopback, port(origin))
		_, address := connect(server, 1, "\x09\x7f\x00\x00\x01", port(origin))
		fmt.Printf("%s: refused %s, BIND %s, command 9 %s, address type 9 %s\n", s.name, refused, bind, command, address)
	}
}
GO
cat > main.mjs <<'JS'
import socks from 'simple-socks'

const server = socks.createServer()
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
process.stdin.on('end', () => process.exit()).resume()
JS
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
npm install --no-audit --no-fund --silent simple-socks@3.6.0 > npm.log 2>&1 || { cat npm.log; exit 1; }
go run . > got
cat > want <<'WANT'
armon: reply X'00', after the end of the client's side "an answer to \"hello\""
armon: refused X'05', BIND X'07', command 9 X'07', address type 9 X'08'
things-go: reply X'00', after the end of the client's side "an answer to \"hello\""
things-go: refused X'05', BIND X'07', command 9 X'07', address type 9 X'08'
txthinking: reply X'00', after the end of the client's side ""
txthinking: refused X'04', BIND X'07', command 9 X'07', address type 9 none
simple-socks: reply X'00', after the end of the client's side ""
simple-socks: refused X'05', BIND X'00', command 9 X'00', address type 9 X'08'
WANT
diff want got && echo "as stated"
