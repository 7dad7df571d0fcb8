#!/usr/bin/env bash
# RFC 9110, 10.1.1: a proxy that gets a 100-continue expectation must answer with a final status itself, or forward
# the request to the server; only if it takes that for an HTTP/1.0 one it may answer 100 on its own. A server here
# refuses with 401 once it has the header, so that the client need not send its body. Through elazarl/goproxy v1.9.4,
# http-proxy 1.18.1, http-proxy-3 1.23.3, httpxy 0.5.6, http2-proxy 5.0.53, fast-proxy 2.2.0, mockttp 4.6.5,
# http-mitm-proxy 1.1.0 and proxy-chain 3.0.1 the client gets a 100 first, whatever the server is about to say, and
# sends the whole (with goproxy where the server takes a moment). @fastify/reply-from 12.6.5 and express-http-proxy 2.1.2 answer 100 and then 500 to each request
# with Expect, also where the server takes it (curl sends it with a large upload): undici refuses the header, and the
# latter sets one when Node has sent all, as Node does at once for Expect. net/http/httputil, vulcand/oxy
# v2.0.0 and AdguardTeam/gomitmproxy v0.2.1 pass the 401 on. Exits with 0 if that is so.
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
	"time"

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

var continued = make(chan struct{}, 1) // a client has got a 100

// refuse answers 401 to the header of a request, at /held when the client has a 100 (or waited 10 s
// for it), and reads what else comes.
func refuse(c net.Conn) {
	r := bufio.NewReader(c)
	request, err := http.ReadRequest(r)
	if err != nil {
		return
	}
	if request.URL.Path == "/held" {
		select {
		case <-continued:
		case <-time.After(10 * time.Second):
		}
	}
	io.WriteString(c, "HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 4\r\n\r\nnope")
	io.Copy(io.Discard, r)
	c.Close()
}

// show sends the body when there is a 100.
func show(name, address, target string) {
	c := must(net.Dial("tcp", address))
	io.WriteString(c, "POST "+target+" HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
	r := bufio.NewReader(c)
	var codes []int
	for len(codes) == 0 || codes[len(codes)-1] == 100 {
		if len(codes) == 1 {
			io.WriteString(c, "hello")
			continued <- struct{}{}
		}
		codes = append(codes, must(http.ReadResponse(r, nil)).StatusCode)
	}
	fmt.Printf("%s: %v\n", name, codes)
	c.Close()
}

func address(h http.Handler) string { return httptest.NewServer(h).Listener.Addr().String() }

func main() {
	log.SetOutput(io.Discard)
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	go func() {
		for {
			go refuse(must(l.Accept()))
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
	show("goproxy", address(goproxy.NewProxyHttpServer()), target.String()+"/held")
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

console.error = () => {} // express-http-proxy's
const listen = server => new Promise(resolve => server.listen(0, '127.0.0.1', () => resolve(server.address().port)))

// The server: 401 to a header, or, at /taken, 100 to one that expects it and 200 to its body.
const port = await listen(net.createServer(socket => {
  let text = ''
  socket.on('error', () => {})
  socket.on('data', data => {
    const begins = !text.includes('\r\n\r\n')
    text += data
    if (begins && text.includes('\r\n\r\n')) {
      if (!text.startsWith('POST /taken')) socket.write('HTTP/1.1 401 Unauthorized\r\nContent-Length: 4\r\n\r\nnope')
      else if (/^expect:/im.test(text)) socket.write('HTTP/1.1 100 Continue\r\n\r\n')
    }
    if (text.endsWith('\r\n\r\nhello') || text.endsWith('\r\n5\r\nhello\r\n0\r\n\r\n')) {
      if (text.startsWith('POST /taken')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
      text = '' // for the next request on this connection
    }
  })
}))
const target = `http://127.0.0.1:${port}`

const show = (name, port, path = '/') => new Promise(resolve => {
  let answer = ''
  const header = `POST ${path} HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n`
  const socket = net.connect(port, '127.0.0.1', () => socket.write(header))
  let sent = false
  socket.on('data', data => {
    answer += data
    const codes = [...answer.matchAll(/HTTP\/1.1 (\d+)/g)].map(match => match[1])
    if (codes[0] === '100' && !sent) sent = socket.write('hello')
    if (codes.at(-1) === '100') return
    console.log(`${name}: [${codes.join(' ')}]`)
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
fastify.addContentTypeParser('*', (_, payload, done) => done(null, payload))
fastify.post('/*', (request, reply) => { reply.from(request.url) })
await fastify.listen({ port: 0, host: '127.0.0.1' })
const mock = getLocal()
await mock.start()
await mock.forAnyRequest().thenPassThrough()
const mitm = new MitmProxy()
await new Promise(resolve => mitm.listen({ port: 0, host: '127.0.0.1', sslCaDir: 'ca' }, resolve))

await show('http-proxy', await serve((request, response) => old.web(request, response)))
await show('http-proxy-3', await serve((request, response) => third.web(request, response)))
await show('httpxy', await serve((request, response) => xy.web(request, response)))
await show('http2-proxy', await serve((request, response) => http2Proxy.web(request, response, { hostname: '127.0.0.1', port })))
await show('fast-proxy', await serve((request, response) => fast.proxy(request, response, request.url, {})))
await show('mockttp', mock.port, `${target}/`)
await show('http-mitm-proxy', mitm.httpPort, `${target}/`)
await show('proxy-chain', chain.port, `${target}/`)
await show('reply-from', fastify.server.address().port)
await show('express-http-proxy', await serve(app))
await show('no proxy, taken', port, '/taken')
await show('http-proxy, taken', await serve((request, response) => old.web(request, response)), '/taken')
await show('reply-from, taken', fastify.server.address().port, '/taken')
await show('express-http-proxy, taken', await serve(app), '/taken')
process.exit()
JS
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
npm install --no-audit --no-fund --silent http-proxy@1.18.1 http-proxy-3@1.23.3 http2-proxy@5.0.53 fast-proxy@2.2.0 proxy-chain@3.0.1 \
  httpxy@0.5.6 express@5.3.0 express-http-proxy@2.1.2 fastify@5.12.8 @fastify/reply-from@12.6.5 mockttp@4.6.5 http-mitm-proxy@1.1.0 \
  > npm.log 2>&1 || { cat npm.log; exit 1; }
go run . > got
node --no-deprecation main.mjs >> got
cat > want <<'WANT'
no proxy: [401]
httputil: [401]
oxy: [401]
gomitmproxy: [401]
goproxy: [100 401]
http-proxy: [100 401]
http-proxy-3: [100 401]
httpxy: [100 401]
http2-proxy: [100 401]
fast-proxy: [100 401]
mockttp: [100 401]
http-mitm-proxy: [100 401]
proxy-chain: [100 401]
reply-from: [100 500]
express-http-proxy: [100 500]
no proxy, taken: [100 200]
http-proxy, taken: [100 200]
reply-from, taken: [100 500]
express-http-proxy, taken: [100 500]
WANT
diff want got && echo "as stated"
