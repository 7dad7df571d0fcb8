#!/usr/bin/env bash
# RFC 9110, 9.2.2: a client may repeat a PUT on its own as the intended effect of several is that of one. A server
# answers a PUT whose body is a stream with 503 and then with 200. Five retry layers of npm send the stream once more, which
# the first try has read to its end, so that the second PUT has an empty body, and return its 200: the resource is
# empty now, and nothing says so: axios-retry 4.5.0 and retry-axios 4.0.3 (axios 1.21.1), fetch-retry 6.0.0 and
# @vercel/fetch-retry 5.1.3 over node-fetch 2.7.0, and @adobe/node-fetch-retry 2.2.0. Their READMEs have no word about
# streams or bodies (for fetch-retry a similar loss is known, with a Request object: its open issue 99). ky 1.14.3 sends the
# stream whole each time; got 14.6.6, undici 7.30.2 (RetryAgent) and ofetch 1.5.1 fail with an error.
# Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --no-audit --no-fund --silent axios@1.21.1 axios-retry@4.5.0 retry-axios@4.0.3 fetch-retry@6.0.0 node-fetch@2.7.0 \
  @vercel/fetch-retry@5.1.3 @adobe/node-fetch-retry@2.2.0 ky@1.14.3 got@14.6.6 undici@7.30.2 ofetch@1.5.1 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > main.mjs <<'JS'
import { once } from 'node:events'
import http from 'node:http'
import { Readable } from 'node:stream'
import adobe from '@adobe/node-fetch-retry'
import vercel from '@vercel/fetch-retry'
import axios from 'axios'
import axiosRetry from 'axios-retry'
import fetchRetry from 'fetch-retry'
import got from 'got'
import ky from 'ky'
import nodeFetch from 'node-fetch'
import { ofetch } from 'ofetch'
import * as retryAxios from 'retry-axios'
import { Agent, RetryAgent, request } from 'undici'

console.log = console.error = () => {} // @adobe/node-fetch-retry tells of its retries there
let bodies
const server = http.createServer(async (request, response) => {
  let body = ''
  for await (const chunk of request) body += chunk
  bodies.push(body)
  response.writeHead(bodies.length === 1 ? 503 : 200).end()
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const url = `http://127.0.0.1:${server.address().port}/`

const stream = () => Readable.from([Buffer.from('he'), Buffer.from('llo')])
const web = () => ({ method: 'PUT', body: Readable.toWeb(stream()), duplex: 'half' })
const clients = {
  'axios-retry' () {
    const client = axios.create()
    axiosRetry(client, { retries: 1 })
    return client.put(url, stream())
  },
  'retry-axios' () {
    const client = axios.create()
    retryAxios.attach(client)
    return client.put(url, stream(), { raxConfig: { retry: 1, retryDelay: 1, backoffType: 'static' } })
  },
  'fetch-retry over node-fetch': () => fetchRetry(nodeFetch, { retries: 1, retryDelay: 1, retryOn: [503] })(url, { method: 'PUT', body: stream() }),
  '@vercel/fetch-retry over node-fetch': () => vercel(nodeFetch)(url, { method: 'PUT', body: stream(), retry: { retries: 1, minTimeout: 1 } }),
  '@adobe/node-fetch-retry': () => adobe(url, { method: 'PUT', body: stream(), retryOptions: { retryInitialDelay: 1 } }),
  ky: () => ky(url, { ...web(), retry: { limit: 1, delay: () => 1 } }),
  got: () => got.put(url, { body: stream(), retry: { limit: 1, backoffLimit: 1 } }),
  undici: () => request(url, { method: 'PUT', body: stream(), dispatcher: new RetryAgent(new Agent(), { minTimeout: 1, maxRetries: 1 }) }),
  ofetch: () => ofetch.raw(url, { ...web(), retry: 1, retryDelay: 1 })
}
for (const [name, put] of Object.entries(clients)) {
  bodies = []
  const result = await put().then(response => response.status ?? response.statusCode, () => 'an error')
  process.stdout.write(`${name}: ${JSON.stringify(bodies)}, ${result}\n`)
}
process.exit()
JS
node --no-warnings main.mjs > got
cat > want <<'WANT'
axios-retry: ["hello",""], 200
retry-axios: ["hello",""], 200
fetch-retry over node-fetch: ["hello",""], 200
@vercel/fetch-retry over node-fetch: ["hello",""], 200
@adobe/node-fetch-retry: ["hello",""], 200
ky: ["hello","hello"], 200
got: ["hello"], an error
undici: ["hello"], an error
ofetch: ["hello"], an error
WANT
diff want got && echo "as stated"
