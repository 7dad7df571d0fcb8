#!/usr/bin/env bash
# RFC 6455, 7.1.5: a Close frame without a status counts as 1005; 5.5.1: an answer to Close typically echoes its status;
# 7.4.2: codes up to 2999 come by registration, and IANA has 1012 (service restart) and 1014 (bad gateway). The WebSockets
# standard (WHATWG): a close whose handshake was done is clean, whatever its code. A server closes, the
# client answers, the connection ends. w3cwebsocket of websocket 1.0.35 ("W3C WebSocket API") calls each of these
# unclean whose code is not 1000, takes a Close without a status for 1006 (the connection broke), and answers 1000
# to all of them, so the server has the news that all went well with 1002, 1009 and 1012. faye-websocket 0.11.4
# ("Standards-compliant") takes 1012 and 1014 for a protocol error of the server, reports 1002 and answers it, and says
# 1000 for no status (that its event has no wasClean is documented). ws 8.23.0 and undici 7.30.2 are right on all.
# Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --no-audit --no-fund --silent faye-websocket@0.11.4 undici@7.30.2 websocket@1.0.35 ws@8.23.0 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > main.mjs <<'JS'
import crypto from 'node:crypto'
import net from 'node:net'
import faye from 'faye-websocket'
import { WebSocket as Undici } from 'undici'
import websocket from 'websocket'
import WS from 'ws'

const clients = { ws: WS, undici: Undici, w3cwebsocket: websocket.w3cwebsocket, 'faye-websocket': faye.Client }

const statusOf = payload => payload.length < 2 ? 'no status' : payload.readUInt16BE(0)

// The server sends a Close frame with that code after its handshake (0: without one), and ends the
// connection when the client's Close frame is there, whose status is the answer.
let code, answered
const server = net.createServer(socket => {
  let text = Buffer.alloc(0)
  let open = false
  socket.on('error', () => {})
  socket.on('data', data => {
    text = Buffer.concat([text, data])
    if (!open) {
      const end = text.indexOf('\r\n\r\n')
      if (end < 0) return
      const key = /sec-websocket-key: *(\S+)/i.exec(text.toString('latin1'))[1]
      const accept = crypto.createHash('sha1').update(key + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64')
      socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`)
      text = text.subarray(end + 4)
      open = true
      socket.write(code ? Buffer.from([0x88, 2, code >> 8, code & 255]) : Buffer.from([0x88, 0]))
    }
    if (text.length < 6 || text.length < 6 + (text[1] & 127)) return
    const key = text.subarray(2, 6)
    answered(statusOf(Buffer.from(text.subarray(6, 6 + (text[1] & 127)).map((byte, i) => byte ^ key[i % 4]))))
    socket.end()
  })
})
await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))

for (code of [1000, 0, 1002, 1009, 1012, 1014, 4000]) {
  for (const [name, Client] of Object.entries(clients)) {
    const answer = new Promise(resolve => { answered = resolve })
    const event = await new Promise(resolve => {
      const client = new Client(`ws://127.0.0.1:${server.address().port}/`)
      client.onerror = () => {}
      client.onclose = resolve
    })
    console.log(`${code || 'no status'}, ${name}: ${event.code}, clean ${event.wasClean}; answer ${await answer}`)
  }
}
process.exit()
JS
node --no-warnings main.mjs > got
cat > want <<'WANT'
1000, ws: 1000, clean true; answer 1000
1000, undici: 1000, clean true; answer 1000
1000, w3cwebsocket: 1000, clean true; answer 1000
1000, faye-websocket: 1000, clean undefined; answer 1000
no status, ws: 1005, clean true; answer no status
no status, undici: 1005, clean true; answer no status
no status, w3cwebsocket: 1006, clean false; answer 1000
no status, faye-websocket: 1000, clean undefined; answer 1000
1002, ws: 1002, clean true; answer 1002
1002, undici: 1002, clean true; answer 1002
1002, w3cwebsocket: 1002, clean false; answer 1000
1002, faye-websocket: 1002, clean undefined; answer 1002
1009, ws: 1009, clean true; answer 1009
1009, undici: 1009, clean true; answer 1009
1009, w3cwebsocket: 1009, clean false; answer 1000
1009, faye-websocket: 1009, clean undefined; answer 1009
1012, ws: 1012, clean true; answer 1012
1012, undici: 1012, clean true; answer 1012
1012, w3cwebsocket: 1012, clean false; answer 1000
1012, faye-websocket: 1002, clean undefined; answer 1002
1014, ws: 1014, clean true; answer 1014
1014, undici: 1014, clean true; answer 1014
1014, w3cwebsocket: 1014, clean false; answer 1000
1014, faye-websocket: 1002, clean undefined; answer 1002
4000, ws: 4000, clean true; answer 4000
4000, undici: 4000, clean true; answer 4000
4000, w3cwebsocket: 4000, clean false; answer 1000
4000, faye-websocket: 4000, clean undefined; answer 4000
WANT
diff want got && echo "as stated"
