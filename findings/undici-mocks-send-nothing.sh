#!/usr/bin/env bash
# undici 7.30.2, whose MockAgent takes the place of an Agent in tests, against an Agent and a
# server. Its documentation of requests: headersTimeout is how long to wait for the header. RFC
# 9110, 9.3.2 and 15.3.5: answers to HEAD, and 204, have no content. The mock returns a 200 that
# comes later than headersTimeout; does not read the request's body (a generator never starts, so
# code that waits for its upload to be taken waits for ever); and gives the answers to HEAD, and
# 204, a body. So the tests of all these pass and production fails. An abort ends the request on
# both. Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --no-audit --no-fund --silent undici@7.30.2 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > main.mjs <<'JS'
import http from 'node:http'
import { Agent, MockAgent, request } from 'undici'

const server = http.createServer((request, response) => {
  request.resume().on('end', () => {
    if (request.url === '/slow') return // never
    if (request.url === '/204') response.statusCode = 204
    response.end('data')
  })
})
await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
const base = `http://127.0.0.1:${server.address().port}`

const mock = new MockAgent()
mock.disableNetConnect()
const pool = mock.get(base)
pool.intercept({ path: '/slow' }).reply(200, 'data').delay(500).persist()
pool.intercept({ path: '/204' }).reply(204, 'data').persist()
for (const method of ['GET', 'HEAD', 'POST']) pool.intercept({ path: '/', method }).reply(200, 'data').persist()

let started = false
async function * upload() {
  started = true
  yield 'hello'
}

const cases = {
  'an answer after headersTimeout': ['/slow', { headersTimeout: 100 }],
  'an abort': ['/slow', { signal: AbortSignal.abort() }],
  'a generator as body': ['/', { method: 'POST', body: upload() }],
  'method HEAD': ['/', { method: 'HEAD' }],
  'status 204': ['/204', {}],
}
for (const [name, [path, options]] of Object.entries(cases)) {
  for (const [kind, dispatcher] of Object.entries({ MockAgent: mock, Agent: new Agent() })) {
    let result
    started = false
    try {
      const response = await request(base + path, { ...options, dispatcher })
      result = `${response.statusCode} ${JSON.stringify(await response.body.text())}`
    } catch (e) {
      result = typeof e.code === 'string' ? e.code : e.name
    }
    if (options.body && typeof options.body !== 'string') result += `, body read: ${started}`
    console.log(`${name}: ${kind} ${result}`)
  }
}
process.exit()
JS
node main.mjs > got
cat > want <<'WANT'
an answer after headersTimeout: MockAgent 200 "data"
an answer after headersTimeout: Agent UND_ERR_HEADERS_TIMEOUT
an abort: MockAgent AbortError
an abort: Agent AbortError
a generator as body: MockAgent 200 "data", body read: false
a generator as body: Agent 200 "data", body read: true
method HEAD: MockAgent 200 "data"
method HEAD: Agent 200 ""
status 204: MockAgent 204 "data"
status 204: Agent 204 ""
WANT
diff want got && echo "as stated"
