#!/usr/bin/env bash
# RFC 9110, 15.2: a proxy must forward 1xx responses, unless it asked for them itself. A server
# answers 103 (Early Hints, RFC 8297) and then 200. Eight proxies forward the 200 alone:
# elazarl/goproxy v1.9.4, google/martian v3.3.3, AdguardTeam/gomitmproxy v0.2.1, http-proxy
# 1.18.1, http-proxy-3 1.23.3, http2-proxy 5.0.53, fast-proxy 2.2.0 and proxy-chain 3.0.1. A test
# of early hints, or of a 102 that keeps a slow request alive, sees none behind them.
# net/http/httputil's ReverseProxy and vulcand/oxy v2.0.0, which is one, forward it.
# Exits with 0 if that is so.
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
	github.com/google/martian/v3 v3.3.3
	github.com/vulcand/oxy/v2 v2.0.0
)
MOD
cat > main.go <<'GO'
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/http/httputil"
	"net/textproto"
	"net/url"

	"github.com/AdguardTeam/gomitmproxy"
	"github.com/elazarl/goproxy"
	"github.com/google/martian/v3"
	martianlog "github.com/google/martian/v3/log"
	"github.com/vulcand/oxy/v2/forward"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// get prints what a client sees that asks for target, at a proxy if there is one.
func get(name, proxy, target string) {
	tr := new(http.Transport)
	if proxy != "" {
		tr.Proxy = http.ProxyURL(must(url.Parse(proxy)))
	}
	var interim []int
	req := must(http.NewRequest("GET", target, nil))
	resp := must(tr.RoundTrip(req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		Got1xxResponse: func(code int, _ textproto.MIMEHeader) error {
			interim = append(interim, code)
			return nil
		},
	}))))
	fmt.Printf("%s: %v, then %d %q\n", name, interim, resp.StatusCode, must(io.ReadAll(resp.Body)))
}

func main() {
	log.SetOutput(io.Discard)
	martianlog.SetLevel(martianlog.Silent)
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</style.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		io.WriteString(w, "hello")
	}))
	target := must(url.Parse(origin.URL))
	get("no proxy", "", origin.URL)
	get("httputil", "", httptest.NewServer(httputil.NewSingleHostReverseProxy(target)).URL)

	oxy := forward.New(false)
	get("oxy", "", httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.URL = target
		oxy.ServeHTTP(w, r)
	})).URL)

	get("goproxy", httptest.NewServer(goproxy.NewProxyHttpServer()).URL, origin.URL)

	l := must(net.Listen("tcp", "127.0.0.1:0"))
	go martian.NewProxy().Serve(l)
	get("martian", "http://"+l.Addr().String(), origin.URL)

	l = must(net.Listen("tcp", "127.0.0.1:0"))
	l.Close()
	g := gomitmproxy.NewProxy(gomitmproxy.Config{ListenAddr: l.Addr().(*net.TCPAddr)})
	must(0, g.Start())
	get("gomitmproxy", "http://"+l.Addr().String(), origin.URL)
}
GO
cat > main.mjs <<'JS'
import http from 'node:http'
import httpProxy from 'http-proxy'
import httpProxy3 from 'http-proxy-3'
import http2Proxy from 'http2-proxy'
import fastProxy from 'fast-proxy'
import { Server as ProxyChain } from 'proxy-chain'

const listen = server => new Promise(resolve => server.listen(0, '127.0.0.1', () => resolve(server.address().port)))

// get prints what a client sees that asks a port for a path.
const get = (name, port, path = '/') => new Promise(resolve => {
  const interim = []
  const request = http.get({ host: '127.0.0.1', port, path, agent: false })
  request.on('information', ({ statusCode }) => interim.push(statusCode))
  request.on('response', async response => {
    let body = ''
    for await (const chunk of response) body += chunk
    console.log(`${name}: [${interim}], then ${response.statusCode} "${body}"`)
    resolve()
  })
})

const port = await listen(http.createServer((request, response) => {
  response.writeEarlyHints({ link: '</style.css>; rel=preload' }, () => response.end('hello'))
}))
const target = `http://127.0.0.1:${port}`
const old = httpProxy.createProxyServer({ target })
const new3 = httpProxy3.createProxyServer({ target })
const fast = fastProxy({ base: target })
const chain = new ProxyChain({ port: 0, host: '127.0.0.1' })
await chain.listen()

await get('no proxy, Node', port)
await get('http-proxy', await listen(http.createServer((request, response) => old.web(request, response))))
await get('http-proxy-3', await listen(http.createServer((request, response) => new3.web(request, response))))
await get('http2-proxy', await listen(http.createServer((request, response) => http2Proxy.web(request, response, { hostname: '127.0.0.1', port }))))
await get('fast-proxy', await listen(http.createServer((request, response) => fast.proxy(request, response, request.url, {}))))
await get('proxy-chain', chain.port, `${target}/`)
process.exit()
JS
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
npm install --no-audit --no-fund --silent http-proxy@1.18.1 http-proxy-3@1.23.3 http2-proxy@5.0.53 fast-proxy@2.2.0 proxy-chain@3.0.1 > npm.log 2>&1 || { cat npm.log; exit 1; }
go run . > got
node --no-deprecation main.mjs >> got
cat > want <<'WANT'
no proxy: [103], then 200 "hello"
httputil: [103], then 200 "hello"
oxy: [103], then 200 "hello"
goproxy: [], then 200 "hello"
martian: [], then 200 "hello"
gomitmproxy: [], then 200 "hello"
no proxy, Node: [103], then 200 "hello"
http-proxy: [], then 200 "hello"
http-proxy-3: [], then 200 "hello"
http2-proxy: [], then 200 "hello"
fast-proxy: [], then 200 "hello"
proxy-chain: [], then 200 "hello"
WANT
diff want got && echo "as stated"
