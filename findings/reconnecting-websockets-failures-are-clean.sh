#!/usr/bin/env bash
# The WebSockets standard (WHATWG): a connection that fails fires error and then close, the latter with
# code 1006 and wasClean false; close() on one that is still connecting fails it, so that it fires
# both, and its readyState is CLOSING (2) and in the end CLOSED (3). reconnecting-websocket 4.4.0 and its
# successor partysocket 1.3.0, "WebSocket API compatible", over the WebSocket of ws 8.23.0: a server that
# is not there, or that answers 503, is a close with code 1000 and wasClean true, before the error (their
# own _disconnect makes that event up), so code that shows an outage, or counts them, unless the
# close was clean does nothing. After close() in the connecting state neither of the two fires
# anything, ever, so code that waits for close waits on; reconnecting-websocket remains CONNECTING (0).
# Each run goes on until nothing is left that could fire. ws by itself keeps the standard.
# Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --no-audit --no-fund --silent --ignore-scripts reconnecting-websocket@4.4.0 partysocket@1.3.0 ws@8.23.0 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > main.mjs <<'JS'
import http from 'node:http'
import net from 'node:net'
import { createRequire } from 'node:module'
import { WebSocket as PartySocket } from 'partysocket'
import WebSocket from 'ws'

const ReconnectingWebSocket = createRequire(import.meta.url)('reconnecting-websocket')
const [, , library, situation] = process.argv
const options = { WebSocket, maxRetries: 0 }
const connect = {
  ws: (url) => new WebSocket(url),
  'reconnecting-websocket': (url) => new ReconnectingWebSocket(url, [], options),
  partysocket: (url) => new PartySocket(url, [], options),
}[library]

const server = situation === 'answered 503'
  ? http.createServer().on('upgrade', (request, socket) => {
    server.close()
    socket.end('HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
  })
  : net.createServer()
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const url = `ws://127.0.0.1:${server.address().port}`
if (situation !== 'answered 503') await new Promise((resolve) => server.close(resolve)) // nothing listens there now

const events = []
const socket = connect(url)
socket.addEventListener('error', () => events.push('error'))
socket.addEventListener('close', (event) => events.push(`close ${event.code} clean ${event.wasClean}`))
if (situation === 'closed while connecting') socket.close()
process.on('exit', () => console.log(`${library}, ${situation}: ${events.join(', ') || 'no event'}; readyState ${socket.readyState}`))
JS
for situation in 'refused' 'answered 503' 'closed while connecting'; do
	for library in ws reconnecting-websocket partysocket; do
		timeout 60 node main.mjs $library "$situation"
	done
done > got
cat > want <<'WANT'
ws, refused: error, close 1006 clean false; readyState 3
reconnecting-websocket, refused: close 1000 clean true, error; readyState 3
partysocket, refused: close 1000 clean true, error; readyState 3
ws, answered 503: error, close 1006 clean false; readyState 3
reconnecting-websocket, answered 503: close 1000 clean true, error; readyState 3
partysocket, answered 503: close 1000 clean true, error; readyState 3
ws, closed while connecting: error, close 1006 clean false; readyState 3
reconnecting-websocket, closed while connecting: no event; readyState 0
partysocket, closed while connecting: no event; readyState 3
WANT
diff want got && echo "as stated"
