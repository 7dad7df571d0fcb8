#!/usr/bin/env bash
# imroc/req v3.58.0, SetDial: "only valid for HTTP1 and HTTP2, which specifies the dial function for creating
# unencrypted TCP connections", of https requests too, unless SetDialTLS is set. Its HTTP/2 half dials by itself
# (internal/http2/transport.go, zeroDialer.DialContext) and does not know that function: with EnableForceHTTP2 it
# is never called, nor with EnableH2C, and without these the first connection is dialled with it and each later one,
# after the first has ended, is not. What a program puts there (an address pinned, a private network, a
# limit, a fault of a test, a count of connections) is passed over, in the last case only after a while. SetDialTLS
# is called. net/http calls its DialContext for each connection. For proxies the
# same is known (its open pull request 541). Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module finding
go 1.26.0
require github.com/imroc/req/v3 v3.58.0
MOD
cat > main.go <<'GO'
package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"

	"github.com/imroc/req/v3"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

type dial = func(context.Context, string, string) (net.Conn, error)

var insecure = &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2", "http/1.1"}}

// run sends a request, has the server end its connections, and sends another one; it prints how many of the
// connections that the server accepted the hook has dialled.
func run(name string, encrypted bool, client func(count func(dial) dial) func(url string) string) {
	var accepted, dialled int
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) }))
	s.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		accepted++ // in the goroutine that accepts, before the request is answered
		return ctx
	}
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetHTTP1(true)
	if s.EnableHTTP2 = encrypted; encrypted {
		s.Config.Protocols.SetHTTP2(true)
		s.StartTLS()
	} else {
		s.Config.Protocols.SetUnencryptedHTTP2(true)
		s.Start()
	}
	defer s.Close()
	get := client(func(d dial) dial {
		return func(ctx context.Context, network, address string) (net.Conn, error) {
			dialled++
			return d(ctx, network, address)
		}
	})
	first := get(s.URL)
	s.CloseClientConnections()
	second := get(s.URL)
	fmt.Printf("%s: %s and %s, connections %d, dialled by the hook %d\n", name, first, second, accepted, dialled)
}

// reqWith returns a client of req, set up by set with a hook.
func reqWith(set func(c *req.Client, tcp, tls dial)) func(func(dial) dial) func(string) string {
	return func(count func(dial) dial) func(string) string {
		c := req.C().EnableInsecureSkipVerify()
		set(c, count(new(net.Dialer).DialContext), count((&tls.Dialer{Config: insecure}).DialContext))
		return func(url string) string {
			return must(again(func() (string, error) {
				resp, err := c.R().Get(url)
				return resp.String(), err
			}))
		}
	}
}

// again asks until there is an answer: the end of a connection may be seen by the request that is sent on it.
func again(ask func() (string, error)) (answer string, err error) {
	for range 10 {
		if answer, err = ask(); err == nil {
			break
		}
	}
	return answer, err
}

func main() {
	run("net/http", true, func(count func(dial) dial) func(string) string {
		tr := &http.Transport{DialContext: count(new(net.Dialer).DialContext), TLSClientConfig: insecure, ForceAttemptHTTP2: true}
		return func(url string) string {
			return must(again(func() (string, error) {
				resp, err := (&http.Client{Transport: tr}).Get(url)
				if err != nil {
					return "", err
				}
				defer resp.Body.Close()
				body, err := io.ReadAll(resp.Body)
				return string(body), err
			}))
		}
	})
	run("SetDial", true, reqWith(func(c *req.Client, tcp, _ dial) { c.SetDial(tcp) }))
	run("SetDial, EnableForceHTTP2", true, reqWith(func(c *req.Client, tcp, _ dial) { c.SetDial(tcp).EnableForceHTTP2() }))
	run("SetDial, EnableForceHTTP1", true, reqWith(func(c *req.Client, tcp, _ dial) { c.SetDial(tcp).EnableForceHTTP1() }))
	run("SetDialTLS", true, reqWith(func(c *req.Client, _, tls dial) { c.SetDialTLS(tls) }))
	run("SetDialTLS, EnableForceHTTP2", true, reqWith(func(c *req.Client, _, tls dial) { c.SetDialTLS(tls).EnableForceHTTP2() }))
	run("SetDial, EnableH2C", false, reqWith(func(c *req.Client, tcp, _ dial) { c.SetDial(tcp).EnableForceHTTP2().EnableH2C() }))
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go run . > got 2> log || { cat log; exit 1; }
cat > want <<'WANT'
net/http: HTTP/2.0 and HTTP/2.0, connections 2, dialled by the hook 2
SetDial: HTTP/2.0 and HTTP/2.0, connections 2, dialled by the hook 1
SetDial, EnableForceHTTP2: HTTP/2.0 and HTTP/2.0, connections 2, dialled by the hook 0
SetDial, EnableForceHTTP1: HTTP/1.1 and HTTP/1.1, connections 2, dialled by the hook 2
SetDialTLS: HTTP/2.0 and HTTP/2.0, connections 2, dialled by the hook 2
SetDialTLS, EnableForceHTTP2: HTTP/2.0 and HTTP/2.0, connections 2, dialled by the hook 2
SetDial, EnableH2C: HTTP/2.0 and HTTP/2.0, connections 2, dialled by the hook 0
WANT
diff want got && echo "as stated"
