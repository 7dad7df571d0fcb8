#!/usr/bin/env bash
# HAR 1.2, request: url is the absolute URL, queryString its parameters once more, parsed; cookies are those of the
# Cookie header; headers, queryString and params are lists, in which a name may come twice. What HAR writers (browsers
# too) make of "POST /?a=1&a=2", with the cookie c=1, two X-A fields and the form b=1&b=2, read by three that send a
# request again or write code for it. fetch-har 12.0.4 sends each parameter and the cookie twice, and of the form the last
# b only. httpsnippet 3.0.10: its curl has the last X-A only, and the cookie twice; its code for fetch has a form with the
# last b only, and two cookie headers. har-to-k6 0.14.16 has a third a, and as the form one b that is "1,2". har-validator 5.1.5
# takes the file as valid. So a load test, or a replay, of a recorded run asks for something else, and no word says so.
# Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --no-audit --no-fund --silent fetch-har@12.0.4 har-to-k6@0.14.16 har-validator@5.1.5 httpsnippet@3.0.10 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > main.mjs <<'JS'
import { once } from 'node:events'
import http from 'node:http'
import fetchHAR from 'fetch-har'
import k6 from 'har-to-k6'
import validator from 'har-validator'
import snippet from 'httpsnippet'

const server = http.createServer(async (request, response) => {
  let body = ''
  for await (const chunk of request) body += chunk
  console.log(`fetch-har: ${request.method} ${request.url}, Cookie ${request.headers.cookie}, X-A ${request.headers['x-a']}, form ${body}`)
  response.end()
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')

const list = text => text.split('&').map(pair => ({ name: pair[0], value: pair[2] }))
const request = {
  method: 'POST',
  url: `http://127.0.0.1:${server.address().port}/?a=1&a=2`,
  httpVersion: 'HTTP/1.1',
  headers: [
    { name: 'Content-Type', value: 'application/x-www-form-urlencoded' },
    { name: 'Cookie', value: 'c=1' }, { name: 'X-A', value: '1' }, { name: 'X-A', value: '2' }],
  cookies: list('c=1'),
  queryString: list('a=1&a=2'),
  postData: { mimeType: 'application/x-www-form-urlencoded', params: list('b=1&b=2') },
  headersSize: -1,
  bodySize: 7
}
const entry = {
  startedDateTime: new Date(0).toISOString(),
  time: 1,
  request,
  response: {
    status: 200, statusText: 'OK', httpVersion: 'HTTP/1.1', headers: [], cookies: [], redirectURL: '', headersSize: -1, bodySize: 0,
    content: { size: 0, mimeType: 'text/plain' }
  },
  cache: {},
  timings: { send: 0, wait: 1, receive: 0 }
}
const har = { log: { version: '1.2', creator: { name: 'finding', version: '1' }, entries: [entry] } }
const lines = (name, code, pattern) => {
  const found = code.split('\n').filter(line => pattern.test(line))
  console.log(found.map(line => `${name}: ${line.trim().replace(/127.0.0.1:\d+/, 'h')}`).join('\n'))
}

console.log('har-validator:', await validator.har(structuredClone(har)).then(() => 'valid', error => error.message))
await (fetchHAR.default ?? fetchHAR)(structuredClone(har))
const code = new snippet.HTTPSnippet(structuredClone(request))
lines('httpsnippet, curl', code.convert('shell', 'curl'), /X-A|ookie|data/)
lines('httpsnippet, fetch', code.convert('node', 'fetch'), /X-A|ookie|'b'/)
lines('har-to-k6', (await k6.liHARToK6Script(structuredClone(har))).main, /http.post|X-A|Cookie/)
process.exit()
JS
node --no-warnings main.mjs > got
cat > want <<'WANT'
har-validator: valid
fetch-har: POST /?a=1&a=2&a=1&a=2, Cookie c=1; c=1, X-A 1, 2, form b=2
httpsnippet, curl: --header 'Cookie: c=1' \
httpsnippet, curl: --header 'X-A: 2' \
httpsnippet, curl: --cookie c=1 \
httpsnippet, curl: --data b=1 \
httpsnippet, curl: --data b=2
httpsnippet, fetch: encodedParams.set('b', '1');
httpsnippet, fetch: encodedParams.set('b', '2');
httpsnippet, fetch: Cookie: 'c=1',
httpsnippet, fetch: 'X-A': '2',
httpsnippet, fetch: cookie: 'c=1'
har-to-k6: response = http.post('http://h/?a=1&a=2&a=2', 'b=1%2C2', {
har-to-k6: Cookie: 'c=1',
har-to-k6: 'X-A': '1,2',
WANT
diff want got && echo "as stated"
