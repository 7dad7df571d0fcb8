#!/usr/bin/env bash
# The Fetch standard: an answer to HEAD has no body (4.1); an abort after the header makes the reading of the body fail
# (4, abort a fetch() call); a request body is sent; a Request for GET with a body, or with a stream but no duplex,
# throws a TypeError (5.4). axios 1.21.1: timeout is how long a request may take, signal cancels it. Node's fetch
# and axios, with a server, keep this. With fetch-mock 12.6.0 and msw 2.15.0 in between HEAD has the body of GET; after
# an abort the body is read to the end; a body that is a stream is never read, so that what waits for its
# upload to be taken waits for ever; a stream without duplex is taken, and with msw GET with a body as well. With
# axios-mock-adapter 2.1.0 there is no timeout (its delayResponse is longer than it here), and an abort counts when
# the mock has answered, not before; a body is not read, and HEAD has one. The tests pass, and production fails.
# Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --no-audit --no-fund --silent axios@1.21.1 axios-mock-adapter@2.1.0 fetch-mock@12.6.0 msw@2.15.0 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > main.mjs <<'JS'
import { once } from 'node:events'
import http from 'node:http'
import { Readable } from 'node:stream'
import axios from 'axios'
import MockAdapter from 'axios-mock-adapter'
import fetchMock from 'fetch-mock'
import { http as route, HttpResponse } from 'msw'
import { setupServer } from 'msw/node'

// The server answers "hello" once it has the body, and /slow when it is released.
let release
const server = http.createServer((request, response) => {
  request.resume().on('end', () => request.url === '/slow' ? release.then(() => response.end('hello')) : response.end('hello'))
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const base = `http://127.0.0.1:${server.address().port}`
const settle = async () => { for (let i = 0; i < 50; i++) await new Promise(resolve => setImmediate(resolve)) }

// stream is a body that notes whether it is read.
function stream () {
  const body = Readable.from((async function * () {
    body.wasRead = true
    yield 'data'
  })())
  return body
}

const fetches = {
  HEAD: async get => `"${await (await get({ method: 'HEAD' })).text()}"`,
  'abort before the body is read': async get => {
    const controller = new AbortController()
    const response = await get({ signal: controller.signal })
    controller.abort()
    return await response.text()
  },
  'body of a stream': async get => {
    const body = stream()
    const response = await get({ method: 'POST', body: Readable.toWeb(body), duplex: 'half' })
    await response.text()
    return `${response.status}, read ${!!body.wasRead}`
  },
  'stream without duplex': async get => (await get({ method: 'POST', body: Readable.toWeb(stream()) })).status,
  'GET with a body': async get => (await get({ body: 'data' })).status
}
for (const [name, run] of Object.entries(fetches)) {
  const show = async (client, get) => console.log(`${name}, ${client}: ${await run(get).catch(error => error.name)}`)
  await show('fetch', init => fetch(base, init))
  const mock = fetchMock.createInstance().route('*', { status: 200, body: 'hello' })
  await show('fetch-mock', init => mock.fetchHandler('http://mocked.test/', init))
  const mocks = setupServer(route.all('http://mocked.test/', () => HttpResponse.text('hello')))
  mocks.listen({ onUnhandledRequest: 'bypass' })
  await show('msw', init => fetch('http://mocked.test/', init))
  mocks.close()
}

const calls = {
  HEAD: async client => JSON.stringify((await client.head('/')).data),
  timeout: async client => (await client.get('/slow', { timeout: 50 })).status,
  'abort while it waits': async (client, answer) => {
    const controller = new AbortController()
    let state = 'pending'
    const call = client.get('/slow', { signal: controller.signal }).catch(error => { state = error.code })
    await settle()
    controller.abort()
    await settle()
    const before = state
    answer()
    await call
    return `${before}, and after the answer ${state}`
  },
  'body of a stream': async client => {
    const body = stream()
    const response = await client.post('/', body)
    return `${response.status}, read ${!!body.wasRead}`
  }
}
for (const [name, run] of Object.entries(calls)) {
  const show = async (kind, client) => {
    let answer
    release = new Promise(resolve => { answer = resolve })
    console.log(`${name}, ${kind}: ${await run(client, answer).catch(error => error.code)}`)
    answer()
  }
  await show('axios', axios.create({ baseURL: base }))
  const client = axios.create({ baseURL: base })
  const mock = new MockAdapter(client, { delayResponse: name === 'timeout' ? 1000 : 0 })
  mock.onAny('/').reply(200, 'hello')
  mock.onAny('/slow').reply(async () => {
    if (name !== 'timeout') await release
    return [200, 'hello']
  })
  await show('axios-mock-adapter', client)
}
process.exit()
JS
node --no-warnings main.mjs > got
cat > want <<'WANT'
HEAD, fetch: ""
HEAD, fetch-mock: "hello"
HEAD, msw: "hello"
abort before the body is read, fetch: AbortError
abort before the body is read, fetch-mock: hello
abort before the body is read, msw: hello
body of a stream, fetch: 200, read true
body of a stream, fetch-mock: 200, read false
body of a stream, msw: 200, read false
stream without duplex, fetch: TypeError
stream without duplex, fetch-mock: 200
stream without duplex, msw: 200
GET with a body, fetch: TypeError
GET with a body, fetch-mock: TypeError
GET with a body, msw: 200
HEAD, axios: ""
HEAD, axios-mock-adapter: "hello"
timeout, axios: ECONNABORTED
timeout, axios-mock-adapter: 200
abort while it waits, axios: ERR_CANCELED, and after the answer ERR_CANCELED
abort while it waits, axios-mock-adapter: pending, and after the answer ERR_CANCELED
body of a stream, axios: 200, read true
body of a stream, axios-mock-adapter: 200, read false
WANT
diff want got && echo "as stated"
