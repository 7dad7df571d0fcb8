#!/usr/bin/env bash
# RFC 9112, 8: a response whose connection ends before its Content-Length, or before its last chunk, is
# incomplete, and who receives one must record it as incomplete; a proxy does so towards its own client by
# closing. A server sends "abc" of 10 bytes, or one chunk, and its connection ends, or is reset. mockttp 4.6.5
# and http-mitm-proxy 1.1.0 then write the text of their own error behind the "abc" and end
# the response in order ("abcError: aborted"): a client reads 10 bytes of it, or all up to a last chunk, and takes
# it for whole; with the former, the rest is still on a connection that is kept, where the next answer begins.
# http-proxy-middleware 3.0.11 and fast-proxy 2.2.0 do so after a reset. What is tested behind these for
# its handling of a broken download (a retry, a partial file) sees a success with wrong
# content. proxy-chain 3.0.1, httpxy 0.5.6 and @fastify/reply-from 12.6.5 pass the end on. The server waits
# until the client has the "abc", so no time is in it. Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --no-audit --no-fund --silent --ignore-scripts mockttp@4.6.5 http-mitm-proxy@1.1.0 http-proxy-middleware@3.0.11 fast-proxy@2.2.0 proxy-chain@3.0.1 httpxy@0.5.6 @fastify/reply-from@12.6.5 fastify@5.12.8 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > main.mjs <<'JS'
import http from 'node:http'
import net from 'node:net'
import replyFrom from '@fastify/reply-from'
import fastProxy from 'fast-proxy'
import Fastify from 'fastify'
import { Proxy as MitmProxy } from 'http-mitm-proxy'
import { createProxyMiddleware } from 'http-proxy-middleware'
import { createProxyServer } from 'httpxy'
import * as mockttp from 'mockttp'
import { Server as ProxyChain } from 'proxy-chain'

const listen = server => new Promise(resolve => server.listen(0, '127.0.0.1', () => resolve(server.address().port)))

// The server begins an answer; endOf ends its connection.
let endOf
const head = { length: 'Content-Length: 10\r\n\r\nabc', chunked: 'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n' }
const server = net.createServer(socket => {
  socket.on('error', () => {})
  socket.once('data', request => {
    const [, body, end] = /(length|chunked)-(end|reset)/.exec(request)
    socket.write(`HTTP/1.1 200 OK\r\n${head[body]}`)
    endOf = () => end === 'end' ? socket.end() : socket.resetAndDestroy()
  })
})
const target = `http://127.0.0.1:${await listen(server)}`

// get prints what a client has in the end that asks a port for a path.
const get = (name, port, path) => new Promise(resolve => {
  http.get({ host: '127.0.0.1', port, path, agent: false, headers: { host: new URL(target).host } }, response => {
    let body = ''
    response.on('data', data => {
      if (!body) endOf()
      body += data
    })
    response.on('error', () => {})
    response.on('close', () => {
      console.log(`${name}, ${path.replace(target, '').slice(1)}: ${response.complete ? `whole${body === 'abc' ? '' : ', "abc" and more'}` : 'incomplete'}`)
      resolve()
    })
  }).on('error', () => {}) // of the reset, which the response has too
})

const proxies = {
  'no proxy': [server.address().port, ''],
  async mockttp() {
    const proxy = mockttp.getLocal()
    await proxy.start()
    await proxy.forAnyRequest().thenPassThrough()
    return [proxy.port, target]
  },
  async 'http-mitm-proxy'() {
    const proxy = new MitmProxy()
    await new Promise(resolve => proxy.listen({ host: '127.0.0.1', port: 0, sslCaDir: 'authority' }, resolve))
    return [proxy.httpPort, target]
  },
  async 'http-proxy-middleware'() {
    const proxy = createProxyMiddleware({ target })
    return [await listen(http.createServer((request, response) => proxy(request, response, () => {}))), '']
  },
  async 'fast-proxy'() {
    const { proxy } = fastProxy({ base: target })
    return [await listen(http.createServer((request, response) => proxy(request, response, request.url, {}))), '']
  },
  async 'proxy-chain'() {
    const proxy = new ProxyChain({ host: '127.0.0.1', port: 0 })
    await proxy.listen()
    return [proxy.port, target]
  },
  async httpxy() {
    const proxy = createProxyServer({ target })
    return [await listen(http.createServer((request, response) => proxy.web(request, response).catch(() => {}))), '']
  },
  async 'reply-from'() {
    const proxy = Fastify()
    await proxy.register(replyFrom, { base: target })
    proxy.get('/*', (request, reply) => reply.from(request.url))
    await proxy.listen({ host: '127.0.0.1', port: 0 })
    return [proxy.server.address().port, '']
  },
}
// After a cut at the end of the stream these two leave their client waiting: only the reset is asked of them.
const resetOnly = ['http-proxy-middleware', 'fast-proxy']
console.error = () => {} // some of them tell of each error
for (const [name, make] of Object.entries(proxies)) {
  const [port, prefix] = Array.isArray(make) ? make : await make()
  for (const path of ['length-end', 'chunked-end', 'length-reset', 'chunked-reset']) {
    if (resetOnly.includes(name) && path.endsWith('-end')) continue
    await get(name, port, `${prefix}/${path}`)
  }
}
process.exit()
JS
timeout 120 node main.mjs > got
cat > want <<'WANT'
no proxy, length-end: incomplete
no proxy, chunked-end: incomplete
no proxy, length-reset: incomplete
no proxy, chunked-reset: incomplete
mockttp, length-end: whole, "abc" and more
mockttp, chunked-end: whole, "abc" and more
mockttp, length-reset: whole, "abc" and more
mockttp, chunked-reset: whole, "abc" and more
http-mitm-proxy, length-end: whole, "abc" and more
http-mitm-proxy, chunked-end: whole, "abc" and more
http-mitm-proxy, length-reset: whole, "abc" and more
http-mitm-proxy, chunked-reset: whole, "abc" and more
http-proxy-middleware, length-reset: whole, "abc" and more
http-proxy-middleware, chunked-reset: whole, "abc" and more
fast-proxy, length-reset: whole, "abc" and more
fast-proxy, chunked-reset: whole, "abc" and more
proxy-chain, length-end: incomplete
proxy-chain, chunked-end: incomplete
proxy-chain, length-reset: incomplete
proxy-chain, chunked-reset: incomplete
httpxy, length-end: incomplete
httpxy, chunked-end: incomplete
httpxy, length-reset: incomplete
httpxy, chunked-reset: incomplete
reply-from, length-end: incomplete
reply-from, chunked-end: incomplete
reply-from, length-reset: incomplete
reply-from, chunked-reset: incomplete
WANT
diff want got && echo "as stated"
