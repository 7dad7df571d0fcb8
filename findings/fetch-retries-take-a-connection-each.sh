#!/usr/bin/env bash
# undici's documentation, whose fetch is Node's: a response's body must be consumed or cancelled,
# else its connection cannot be used again. fetch-retry 6.0.0 and ky 1.14.3, which repeat a
# fetch for the caller, do neither with an answer that they retry (503 with 100 kB): of five
# calls with three retries each, one after another, every retried one keeps a connection until
# the garbage collector finds it, 16 connections for 20 requests. The caller has no handle on
# them, and neither's documentation has a word of retried answers. ofetch 1.5.1, and a loop that
# reads each body, need no more than 2. Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --no-audit --no-fund --silent fetch-retry@6.0.0 ky@1.14.3 ofetch@1.5.1 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > main.mjs <<'JS'
import http from 'node:http'
import fetchRetry from 'fetch-retry'
import ky from 'ky'
import { ofetch } from 'ofetch'

// run calls call five times with a server that answers 503 three times before each 200, and
// prints how many connections that took.
async function run(name, call) {
  let requests = 0
  let connections = 0
  const server = http.createServer((request, response) => {
    if (++requests % 4) response.statusCode = 503
    response.end(Buffer.alloc(100_000))
  })
  server.keepAliveTimeout = 600_000
  server.on('connection', () => connections++)
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  for (let i = 0; i < 5; i++) await call(`http://127.0.0.1:${server.address().port}/`)
  console.log(`${name}: ${requests} requests, ${connections > 2 ? connections : '1 or 2'} connections`)
}

const retrying = fetchRetry(fetch, { retries: 3, retryDelay: 1, retryOn: [503] })
await run('fetch-retry', async url => (await retrying(url)).arrayBuffer())
await run('ky', async url => (await ky(url, { retry: { limit: 3, delay: () => 1 } })).arrayBuffer())
await run('ofetch', url => ofetch(url, { retry: 3, retryDelay: 1, responseType: 'arrayBuffer' }))
await run('a loop', async url => {
  let response
  do {
    response = await fetch(url)
    await response.arrayBuffer()
  } while (!response.ok)
})
process.exit()
JS
node main.mjs > got
cat > want <<'WANT'
fetch-retry: 20 requests, 16 connections
ky: 20 requests, 16 connections
ofetch: 20 requests, 1 or 2 connections
a loop: 20 requests, 1 or 2 connections
WANT
diff want got && echo "as stated"
