#!/usr/bin/env bash
# The WebSockets standard (WHATWG): send copies its data; after close nothing is sent, and what
# the peer sends after its Close frame does not exist (RFC 6455, 5.5.1); a connection that
# cannot be made ends with a close event of code 1006 that is not clean; bufferedAmount is a
# number. mock-socket 9.3.1, which takes the place of WebSocket in tests: the other side sees
# what was sent after close, in both directions; two messages from one buffer, filled anew
# between them, both arrive as it is at the end; a connection to no server ends with code
# 1000, clean, so that code that connects again unless "clean" never does in a test; and
# bufferedAmount is undefined, so a wait for it to drain ends at once. The WebSocket of undici
# 7.30.2 with a server of ws 8.23.0 keeps the standard. Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --no-audit --no-fund --silent mock-socket@9.3.1 undici@7.30.2 ws@8.23.0 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > main.mjs <<'JS'
import net from 'node:net'
import { WebSocket as Mock, Server } from 'mock-socket'
import { WebSocket as Real } from 'undici'
import { WebSocketServer } from 'ws'

// Timers of one process fire in the order in which they are due; the mock's are due in 4 ms.
const later = () => new Promise(resolve => setTimeout(resolve, 50))

let last = 0
const kinds = {
  'mock-socket': {
    WebSocket: Mock,
    async serve(connected) {
      const url = `ws://host:${++last}`
      new Server(url).on('connection', connected)
      return url
    },
    async nobody() { return 'ws://host:999' },
  },
  'undici and ws': {
    WebSocket: Real,
    async serve(connected) {
      const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
      await new Promise(resolve => server.on('listening', resolve))
      server.on('connection', connected)
      return `ws://127.0.0.1:${server.address().port}`
    },
    async nobody() {
      const server = net.createServer().listen(0, '127.0.0.1')
      await new Promise(resolve => server.on('listening', resolve))
      const { port } = server.address()
      await new Promise(resolve => server.close(resolve))
      return `ws://127.0.0.1:${port}`
    },
  },
}

console.error = () => {} // the mock tells of a failed connection here as well
for (const [name, kind] of Object.entries(kinds)) {
  const print = (...args) => console.log(`${name}:`, ...args)

  let got = []
  let ended
  let end = new Promise(resolve => { ended = resolve })
  let w = new kind.WebSocket(await kind.serve(c => {
    c.on('message', m => got.push(String(m)))
    c.on('close', ended)
  }))
  w.onopen = () => { print('bufferedAmount is', typeof w.bufferedAmount); w.send('before'); w.close(); w.send('after') }
  await end
  await later()
  print('the client sends, closes, sends; the server gets', got)

  got = []
  w = new kind.WebSocket(await kind.serve(c => { c.send('before'); c.close(); c.send('after') }))
  w.onmessage = e => got.push(e.data)
  await new Promise(resolve => { w.onclose = resolve })
  await later()
  print('the server sends, closes, sends; the client gets', got)

  got = []
  await new Promise(async resolve => {
    w = new kind.WebSocket(await kind.serve(c => c.on('message', m => {
      got.push(new Uint8Array(m)[0])
      if (got.length === 2) resolve()
    })))
    w.onopen = () => {
      const a = new Uint8Array([1])
      w.send(a)
      a[0] = 2
      w.send(a)
      a[0] = 3
    }
  })
  print('1 and 2 are sent from one buffer; the server gets', got)

  w = new kind.WebSocket(await kind.nobody())
  const { code, wasClean } = await new Promise(resolve => { w.onclose = resolve })
  print('no server: close event with code', code, 'clean', wasClean)
}
process.exit()
JS
node main.mjs > got
cat > want <<'WANT'
mock-socket: bufferedAmount is undefined
mock-socket: the client sends, closes, sends; the server gets [ 'before', 'after' ]
mock-socket: the server sends, closes, sends; the client gets [ 'before', 'after' ]
mock-socket: 1 and 2 are sent from one buffer; the server gets [ 3, 3 ]
mock-socket: no server: close event with code 1000 clean true
undici and ws: bufferedAmount is number
undici and ws: the client sends, closes, sends; the server gets [ 'before' ]
undici and ws: the server sends, closes, sends; the client gets [ 'before' ]
undici and ws: 1 and 2 are sent from one buffer; the server gets [ 1, 2 ]
undici and ws: no server: close event with code 1006 clean false
WANT
diff want got && echo "as stated"
