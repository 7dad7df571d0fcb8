#!/usr/bin/env bash
# HAR 1.2: send, wait and receive are how long these took, and an entry's time is the sum of its
# timings; bodySize is the size of the body in bytes; a header has a name and a value; url is
# that of the request. axios-har-tracker 0.8.0 writes, for an answer of 10 bytes that takes 200 ms
# and a request with a parameter: 10 ms each, whatever happened, beside a time of 200 and more; a
# bodySize of 12, as it counts the quotes of its own JSON; a response's time of the machine's
# uptime; the method "get", which is another one than GET (RFC 9110, 9.1) for what sends the
# requests of a HAR again; a header without a value, which was not sent; and a URL with two
# "?", which is not the one that axios 1.21.1 asked for. Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --no-audit --no-fund --silent axios@1.21.1 axios-har-tracker@0.8.0 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > main.mjs <<'JS'
import http from 'node:http'
import axios from 'axios'
import { AxiosHarTracker } from 'axios-har-tracker'

let seen
const server = http.createServer((request, response) => {
  seen = request
  setTimeout(() => response.end('0123456789'), 200) // real, as are HAR's times
})
await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
const client = axios.create({ baseURL: `http://127.0.0.1:${server.address().port}` })
const tracker = new AxiosHarTracker(client)
const start = performance.now()
await client.get('/path?a=1', { params: { b: 2 } })
const took = performance.now() - start

const [entry] = tracker.getGeneratedHar().log.entries
const { send, wait, receive } = entry.timings
console.log('timings', send, wait, receive, 'and a time of 200 ms or so:', entry.time > 150)
console.log('the response has a time of its own, and it is longer than the whole:', entry.response.time > 100 * took)
console.log('bodySize', entry.response.bodySize)
console.log('method sent', seen.method, 'method written', entry.request.method)
console.log('target sent', seen.url, 'target written', entry.request.url.replace(/^http:..[^/]*/, ''))
console.log('headers without a value', entry.request.headers.filter(h => h.value === undefined).map(h => h.name),
  'sent', seen.headers['content-type'])
process.exit()
JS
node main.mjs > got
cat > want <<'WANT'
timings 10 10 10 and a time of 200 ms or so: true
the response has a time of its own, and it is longer than the whole: true
bodySize 12
method sent GET method written get
target sent /path?a=1&b=2 target written /path?a=1?b=2
headers without a value [ 'Content-Type' ] sent undefined
WANT
diff want got && echo "as stated"
