#!/usr/bin/env bash
# Node's documentation: request.destroy() makes the socket be destroyed and emits close; before a socket is assigned,
# "error" (ECONNRESET) and close come too; agent.destroy() destroys the sockets that the agent has in use. A request
# is destroyed while its proxy has the CONNECT (SOCKS: the request) and has not answered yet, and its agent as well
# (tunnel's and tunnel-agent's have no destroy): with https-proxy-agent 9.1.0, proxy-agent 8.0.3, socks-proxy-agent
# 10.1.0, hpagent 1.2.0, tunnel 0.0.6 and tunnel-agent 0.6.0 nothing happens, no event and no end of the connection,
# until the proxy answers; only then error and close come, and the TLS handshake of a request that is long gone. The socket
# of the proxy belongs to the agents' own code, which knows of neither call, so a client whose timeout or
# AbortSignal ends its tries has a connection more at a slow proxy after each, and what waits for the
# request's close waits for the proxy. Without a proxy the same connection ends at once. Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --no-audit --no-fund --silent https-proxy-agent@9.1.0 proxy-agent@8.0.3 socks-proxy-agent@10.1.0 hpagent@1.2.0 \
  tunnel@0.0.6 tunnel-agent@0.6.0 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > main.mjs <<'JS'
import { once } from 'node:events'
import https from 'node:https'
import net from 'node:net'
import hpagent from 'hpagent'
import { HttpsProxyAgent } from 'https-proxy-agent'
import { ProxyAgent } from 'proxy-agent'
import { SocksProxyAgent } from 'socks-proxy-agent'
import tunnel from 'tunnel'
import tunnelAgent from 'tunnel-agent'

const listen = async server => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server.address().port
}
// trip is a few round trips on a connection of its own: what was to happen at once has happened after it.
const echo = net.connect(await listen(net.createServer(socket => socket.pipe(socket))), '127.0.0.1')
const trip = async () => {
  for (let i = 0; i < 5; i++) {
    echo.write('x')
    await once(echo, 'data')
    await new Promise(resolve => setImmediate(resolve))
  }
}

let connection // takes each connection that the server or proxy accepts
const port = await listen(net.createServer(socket => connection(socket)))
const HELLO = 0x16 // the first byte of a TLS handshake

// show destroys a request once the other side has asked for (the pending step), and then lets that be answered.
async function show (name, agent, options, isPending, answer) {
  const events = []
  let request
  await new Promise(resolve => {
    connection = socket => {
      socket.on('error', () => {})
      socket.on('close', () => events.push('connection ends') && resolve())
      socket.on('data', async data => {
        if (data[0] === HELLO && answer) return events.push('handshake') && socket.destroy()
        if (!isPending(data)) return socket.write(Buffer.from([5, 0])) // SOCKS: no authentication
        request.destroy()
        agent.destroy?.()
        await trip()
        if (!answer || socket.destroyed) return
        events.push('the proxy answers')
        socket.write(answer)
      })
    }
    request = https.get({ host: '127.0.0.2', port, agent, ...options })
    request.on('error', error => events.push(error.code))
    request.on('close', () => events.push('close'))
  })
  await trip()
  const answered = events.indexOf('the proxy answers') + 1
  const after = events.slice(answered).filter(event => event !== 'connection ends' || !answer)
  console.log(`${name}: ${[...events.slice(0, answered), ...after.sort()].join(', ')}`)
}

const proxy = `http://127.0.0.1:${port}`
const connect = [{ port: 443 }, data => data.toString().startsWith('CONNECT'), 'HTTP/1.1 200 OK\r\n\r\n']
const socks = [{ port: 443 }, data => data[0] === 5 && data.length > 4, Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0])]
await show('no proxy', new https.Agent(), { host: '127.0.0.1' }, data => data[0] === HELLO)
await show('https-proxy-agent', new HttpsProxyAgent(proxy), ...connect)
await show('proxy-agent', new ProxyAgent({ getProxyForUrl: () => proxy }), ...connect)
await show('hpagent', new hpagent.HttpsProxyAgent({ proxy }), ...connect)
await show('tunnel', tunnel.httpsOverHttp({ proxy: { host: '127.0.0.1', port } }), ...connect)
await show('tunnel-agent', tunnelAgent.httpsOverHttp({ proxy: { host: '127.0.0.1', port } }), ...connect)
await show('socks-proxy-agent', new SocksProxyAgent(`socks5://127.0.0.1:${port}`), ...socks)
process.exit()
JS
timeout 60 node --no-deprecation main.mjs > got
cat > want <<'WANT'
no proxy: ECONNRESET, close, connection ends
https-proxy-agent: the proxy answers, ECONNRESET, close, handshake
proxy-agent: the proxy answers, ECONNRESET, close, handshake
hpagent: the proxy answers, ECONNRESET, close, handshake
tunnel: the proxy answers, ECONNRESET, close, handshake
tunnel-agent: the proxy answers, ECONNRESET, close, handshake
socks-proxy-agent: the proxy answers, ECONNRESET, close, handshake
WANT
diff want got && echo "as stated"
