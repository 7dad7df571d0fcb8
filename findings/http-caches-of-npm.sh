#!/usr/bin/env bash
# RFC 9111: without an explicit lifetime only what is heuristically cacheable may be served again, which 503 is not
# (4.2.2); a 206 must not answer a request for the whole (3.3); a successful answer to an unsafe method must
# invalidate what is stored of its target (4.4); the Age that an answer came with counts (4.2.3). got 14.6.6 with its
# cache ("RFC compliant caching"), which is cacheable-request 13.0.19, makes the policy of a new answer without its
# status (dist/index.js sets response.status for revalidations only), and http-cache-semantics 4.3.0 takes that for
# 200: an error page that has a Last-Modified is served from the cache, for a tenth of that date's age, while the
# server is well again, also to got's own retries, none of which reaches it; a part is served as the whole. After a POST
# it invalidates nothing, nor does axios-cache-interceptor 1.12.3 (whose caller can name what to drop). make-fetch-happen
# 15.0.6 ("full HTTP caching rules") drops the Age, so an answer that came 700 s old is fresh for the
# 600 s of its max-age. undici 7.30.2 is right on all. Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --no-audit --no-fund --silent axios@1.21.1 axios-cache-interceptor@1.12.3 got@14.6.6 cacheable-request@13.0.19 \
  http-cache-semantics@4.3.0 make-fetch-happen@15.0.6 undici@7.30.2 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > main.mjs <<'JS'
import http from 'node:http'
import axios from 'axios'
import { setupCache } from 'axios-cache-interceptor'
import got from 'got'
import fetchHappens from 'make-fetch-happen'
import { Agent, interceptors, request } from 'undici'

const lasting = { 'Cache-Control': 'max-age=600' }
// Of each: method, the server's answer (that a cache may replace), and a header of the request.
const exchanges = {
  'an error with a Last-Modified': [
    ['GET', 503, { 'Last-Modified': 'Thu, 01 Jan 2015 00:00:00 GMT' }, 'error'],
    ['GET', 200, {}, 'page']],
  'a part and then the whole': [
    ['GET', 206, { ...lasting, 'Content-Range': 'bytes 0-2/10' }, '012', { Range: 'bytes=0-2' }],
    ['GET', 200, lasting, '0123456789']],
  'a POST between two GETs': [['GET', 200, lasting, 'old'], ['POST', 200, {}, 'done'], ['GET', 200, lasting, 'new']],
  'an answer that comes 700 s old': [['GET', 200, { ...lasting, Age: '700' }, 'old'], ['GET', 200, lasting, 'new']]
}
let exchange
const server = http.createServer((_, response) => response.writeHead(exchange[1], exchange[2]).end(exchange[3]))
await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))

// Functions that make a client with an empty cache: a function of URL, method and header.
const clients = {
  got () {
    const client = got.extend({ cache: new Map(), retry: { limit: 0 }, throwHttpErrors: false })
    return async (url, method, headers) => {
      const r = await client(url, { method, headers })
      return `${r.statusCode} ${r.body}`
    }
  },
  'axios-cache-interceptor' () {
    const client = setupCache(axios.create({ validateStatus: () => true, responseType: 'text' }))
    return async (url, method, headers) => {
      const r = await client({ url, method, headers })
      return `${r.status} ${r.data}`
    }
  },
  'make-fetch-happen' () {
    const client = fetchHappens.defaults({ cachePath: 'cache', retry: false })
    return async (url, method, headers) => {
      const r = await client(url, { method, headers })
      return `${r.status} ${await r.text()}`
    }
  },
  undici () {
    const dispatcher = new Agent().compose(interceptors.cache())
    return async (url, method, headers) => {
      const r = await request(url, { method, headers, dispatcher })
      return `${r.statusCode} ${await r.body.text()}`
    }
  }
}
for (const [i, [name, steps]] of Object.entries(exchanges).entries()) {
  for (const [client, make] of Object.entries(clients)) {
    const ask = make()
    const answers = []
    for (exchange of steps) {
      answers.push(await ask(`http://127.0.0.1:${server.address().port}/${i}`, exchange[0], exchange[4] ?? {}))
      await new Promise(resolve => setImmediate(resolve)) // got stores an answer just after it hands it out
    }
    console.log(`${name}, ${client}: ${answers.join(', ')}`)
  }
}

// got's retries: the server fails once.
for (const cache of [undefined, new Map()]) {
  let requests = 0
  const flaky = http.createServer((_, response) => {
    if (requests++) response.end('page')
    else response.writeHead(503, { 'Last-Modified': 'Thu, 01 Jan 2015 00:00:00 GMT' }).end('error')
  })
  await new Promise(resolve => flaky.listen(0, '127.0.0.1', resolve))
  const retry = { limit: 2, calculateDelay: ({ computedValue }) => computedValue && 1 }
  const { response: last, ...r } = await got(`http://127.0.0.1:${flaky.address().port}/`, { cache, retry }).catch(error => error)
  const { statusCode, retryCount } = last ?? r
  console.log(`got's retries, ${cache ? 'with' : 'without'} a cache: ${statusCode}, ${retryCount} retries, ${requests} requests`)
}
process.exit()
JS
node main.mjs > got
cat > want <<'WANT'
an error with a Last-Modified, got: 503 error, 503 error
an error with a Last-Modified, axios-cache-interceptor: 503 error, 200 page
an error with a Last-Modified, make-fetch-happen: 503 error, 200 page
an error with a Last-Modified, undici: 503 error, 200 page
a part and then the whole, got: 206 012, 206 012
a part and then the whole, axios-cache-interceptor: 206 012, 200 0123456789
a part and then the whole, make-fetch-happen: 206 012, 200 0123456789
a part and then the whole, undici: 206 012, 200 0123456789
a POST between two GETs, got: 200 old, 200 done, 200 old
a POST between two GETs, axios-cache-interceptor: 200 old, 200 done, 200 old
a POST between two GETs, make-fetch-happen: 200 old, 200 done, 200 new
a POST between two GETs, undici: 200 old, 200 done, 200 new
an answer that comes 700 s old, got: 200 old, 200 new
an answer that comes 700 s old, axios-cache-interceptor: 200 old, 200 new
an answer that comes 700 s old, make-fetch-happen: 200 old, 200 old
an answer that comes 700 s old, undici: 200 old, 200 new
got's retries, without a cache: 200, 1 retries, 2 requests
got's retries, with a cache: 503, 2 retries, 1 requests
WANT
diff want got && echo "as stated"
