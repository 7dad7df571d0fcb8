#!/usr/bin/env bash
# RFC 9110, 7.6.1: an intermediary must remove each header field that a received Connection names, before it
# forwards the message, and Connection itself; it should remove Keep-Alive in any case. A client and a server both send
# "Connection: X-Hop", X-Hop and "Keep-Alive: timeout=9". X-Hop goes through in both directions with
# elazarl/goproxy v1.9.4, http-proxy 1.18.1, http-proxy-3 1.23.3, httpxy 0.5.6, fast-proxy 2.2.0,
# express-http-proxy 2.1.2, proxy-chain 3.0.1, mockttp 4.6.5 and http-mitm-proxy 1.1.0, and Keep-Alive with all of these
# but proxy-chain: so the client counts on 9 s of an idle connection that is not the server's but
# the proxy's, which has its own timeout. @fastify/reply-from 12.6.5 answers 500 to the same request, as undici
# refuses such a Connection. net/http/httputil, vulcand/oxy v2.0.0, AdguardTeam/gomitmproxy v0.2.1 and
# http2-proxy 5.0.53 remove all. Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module finding
go 1.26.0
require (
	github.com/AdguardTeam/gomitmproxy v0.2.1
	github.com/elazarl/goproxy v1.9.4
	github.com/vulcand/oxy/v2 v2.0.0
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
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"

	"github.com/AdguardTeam/gomitmproxy"
	"github.com/elazarl/goproxy"
	"github.com/vulcand/oxy/v2/forward"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

const fields = "Connection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=9\r\n"

// kept names the fields that are left as they were sent.
func kept(h http.Header) string {
	var names []string
	for _, name := range []string{"X-Hop", "Keep-Alive"} {
		if value := h.Get(name); value == "1" || value == "timeout=9" {
			names = append(names, name)
		}
	}
	return "[" + strings.Join(names, " ") + "]"
}

var received = make(chan http.Header, 1)

// serve answers each request on c, and hands its header over.
func serve(c net.Conn) {
	for r := bufio.NewReader(c); ; {
		request, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		received <- request.Header
		io.WriteString(c, "HTTP/1.1 200 OK\r\n"+fields+"Content-Length: 5\r\n\r\nhello")
	}
}

func show(name, address, target string) {
	c := must(net.Dial("tcp", address))
	io.WriteString(c, "GET "+target+" HTTP/1.1\r\nHost: h\r\n"+fields+"\r\n")
	response := must(http.ReadResponse(bufio.NewReader(c), nil))
	must(io.ReadAll(response.Body))
	fmt.Printf("%s: to the server %s, to the client %s\n", name, kept(<-received), kept(response.Header))
}

func address(h http.Handler) string { return httptest.NewServer(h).Listener.Addr().String() }

func main() {
	log.SetOutput(io.Discard)
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	go func() {
		for {
			go serve(must(l.Accept()))
		}
	}()
	target := must(url.Parse("http://" + l.Addr().String()))
	show("no proxy", l.Addr().String(), "/")
	show("httputil", address(httputil.NewSingleHostReverseProxy(target)), "/")
	oxy := forward.New(false)
	show("oxy", address(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.URL = target
		oxy.ServeHTTP(w, r)
	})), "/")
	free := must(net.Listen("tcp", "127.0.0.1:0"))
	free.Close()
	g := gomitmproxy.NewProxy(gomitmproxy.Config{ListenAddr: free.Addr().(*net.TCPAddr)})
	must(0, g.Start())
	show("gomitmproxy", free.Addr().String(), target.String()+"/")
	show("goproxy", address(goproxy.NewProxyHttpServer()), target.String()+"/")
}
GO
cat > main.mjs <<'JS'
import http from 'node:http'
import net from 'node:net'
import replyFrom from '@fastify/reply-from'
import express from 'express'
import expressProxy from 'express-http-proxy'
import fastProxy from 'fast-proxy'
import Fastify from 'fastify'
import { Proxy as MitmProxy } from 'http-mitm-proxy'
import httpProxy from 'http-proxy'
import httpProxy3 from 'http-proxy-3'
import http2Proxy from 'http2-proxy'
import { createProxyServer } from 'httpxy'
import { getLocal } from 'mockttp'
import { Server as ProxyChain } from 'proxy-chain'

const listen = server => new Promise(resolve => server.listen(0, '127.0.0.1', () => resolve(server.address().port)))
const fields = 'Connection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=9\r\n'
const kept = text => '[' + ['X-Hop: 1', 'Keep-Alive: timeout=9'].filter(field => text.toLowerCase().includes(field.toLowerCase()))
  .map(field => field.split(':')[0]).join(' ') + ']'

let received
const port = await listen(net.createServer(socket => {
  socket.on('error', () => {})
  socket.on('data', data => {
    received = data.toString()
    socket.write(`HTTP/1.1 200 OK\r\n${fields}Content-Length: 5\r\n\r\nhello`)
  })
}))
const target = `http://127.0.0.1:${port}`

const show = (name, port, path = '/') => new Promise(resolve => {
  let answer = ''
  const socket = net.connect(port, '127.0.0.1', () => socket.write(`GET ${path} HTTP/1.1\r\nHost: h\r\n${fields}\r\n`))
  socket.on('data', data => {
    answer += data
    if (!answer.includes('\r\n\r\n')) return
    const status = answer.split(' ')[1]
    if (status === '200' && !answer.includes('hello')) return
    console.log(name + ': ' + (status === '200' ? `to the server ${kept(received)}, to the client ${kept(answer)}` : status))
    socket.destroy()
    resolve()
  })
})
const serve = handler => listen(http.createServer(handler))
const old = httpProxy.createProxyServer({ target })
const third = httpProxy3.createProxyServer({ target })
const xy = createProxyServer({ target })
const fast = fastProxy({ base: target })
const chain = new ProxyChain({ port: 0, host: '127.0.0.1' })
await chain.listen()
const app = express()
app.use(expressProxy(target))
const fastify = Fastify()
fastify.register(replyFrom, { base: target })
fastify.get('/', (_, reply) => { reply.from('/') })
await fastify.listen({ port: 0, host: '127.0.0.1' })
const mock = getLocal()
await mock.start()
await mock.forAnyRequest().thenPassThrough()
const mitm = new MitmProxy()
await new Promise(resolve => mitm.listen({ port: 0, host: '127.0.0.1', sslCaDir: 'ca' }, resolve))

await show('http2-proxy', await serve((request, response) => http2Proxy.web(request, response, { hostname: '127.0.0.1', port })))
await show('http-proxy', await serve((request, response) => old.web(request, response)))
await show('http-proxy-3', await serve((request, response) => third.web(request, response)))
await show('httpxy', await serve((request, response) => xy.web(request, response)))
await show('fast-proxy', await serve((request, response) => fast.proxy(request, response, request.url, {})))
await show('express-http-proxy', await serve(app))
await show('proxy-chain', chain.port, `${target}/`)
await show('mockttp', mock.port, `${target}/`)
await show('http-mitm-proxy', mitm.httpPort, `${target}/`)
await show('reply-from', fastify.server.address().port)
process.exit()
JS
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
npm install --no-audit --no-fund --silent http-proxy@1.18.1 http-proxy-3@1.23.3 http2-proxy@5.0.53 fast-proxy@2.2.0 proxy-chain@3.0.1 \
  httpxy@0.5.6 express@5.3.0 express-http-proxy@2.1.2 fastify@5.12.8 @fastify/reply-from@12.6.5 mockttp@4.6.5 http-mitm-proxy@1.1.0 \
  > npm.log 2>&1 || { cat npm.log; exit 1; }
go run . > got
node --no-deprecation main.mjs >> got
cat > want <<'WANT'
no proxy: to the server [X-Hop Keep-Alive], to the client [X-Hop Keep-Alive]
httputil: to the server [], to the client []
oxy: to the server [], to the client []
gomitmproxy: to the server [], to the client []
goproxy: to the server [X-Hop Keep-Alive], to the client [X-Hop Keep-Alive]
http2-proxy: to the server [], to the client []
http-proxy: to the server [X-Hop Keep-Alive], to the client [X-Hop Keep-Alive]
http-proxy-3: to the server [X-Hop Keep-Alive], to the client [X-Hop Keep-Alive]
httpxy: to the server [X-Hop Keep-Alive], to the client [X-Hop Keep-Alive]
fast-proxy: to the server [X-Hop Keep-Alive], to the client [X-Hop Keep-Alive]
express-http-proxy: to the server [X-Hop Keep-Alive], to the client [X-Hop Keep-Alive]
proxy-chain: to the server [X-Hop], to the client [X-Hop]
mockttp: to the server [X-Hop Keep-Alive], to the client [X-Hop Keep-Alive]
http-mitm-proxy: to the server [X-Hop Keep-Alive], to the client [X-Hop Keep-Alive]
reply-from: 500
WANT
diff want got && echo "as stated"
