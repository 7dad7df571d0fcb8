#!/usr/bin/env bash
# The PROXY protocol's text, 2.1: of an UNKNOWN line all between the word and the CRLF may be left out,
# and what is there must be ignored, with the real connection's parameters in use; the line ends with
# CR LF. 2.2: LOCAL has the receiver use the real endpoints and discard the addresses; the length
# covers all that follows, TLVs too, which a receiver may skip. findhit-proxywrap 0.3.13 gives a
# connection that is UNKNOWN the remoteAddress undefined and the port NaN, or the addresses that the
# line has; where the CR comes in one piece and the LF in the next it takes the header as ended at the
# CR, and the LF is the application's first byte. proxy-protocol-js 4.0.6 refuses the short UNKNOWN
# line, and returns TLVs as the start of the connection's data. @balena/proxy-protocol-parser 1.0.2
# has CRLF and the data as the addresses of a short UNKNOWN line, and returns the addresses of a LOCAL
# header as those of the client (its health checks come from clients, then). TCP4 lines are right in all.
# Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --no-audit --no-fund --silent findhit-proxywrap@0.3.13 proxy-protocol-js@4.0.6 @balena/proxy-protocol-parser@1.0.2 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > main.js <<'JS'
const { Duplex } = require('node:stream')
const net = require('node:net')
const proxywrap = require('findhit-proxywrap')
const { V1ProxyProtocol, V2ProxyProtocol } = require('proxy-protocol-js')
const balena = require('@balena/proxy-protocol-parser')

// accepted returns what a server behind the wrapper sees of a connection that brings these pieces.
// The connection is a stream of ours, so that each piece is read before the next one comes.
async function accepted(...pieces) {
  const connection = new Duplex({ read() {}, write: (chunk, encoding, done) => done() })
  connection.remoteAddress = '192.0.2.9'
  connection.remotePort = 999
  const server = proxywrap.proxy(net).createServer()
  const seen = new Promise((resolve) => {
    server.on('proxiedConnection', (socket) => {
      let data = ''
      socket.on('data', (chunk) => { data += chunk })
      socket.on('end', () => resolve(`${socket.remoteAddress} port ${socket.remotePort}, data ${JSON.stringify(data)}`))
    })
  })
  server.emit('connection', connection)
  for (const piece of pieces) {
    connection.push(piece)
    for (let i = 0; i < 5; i++) await new Promise(setImmediate)
  }
  connection.push(null)
  return seen
}

function js(parser, input) {
  try {
    const p = parser.parse(input)
    const from = p.source ?? p.proxyAddress
    return `from ${from.ipAddress ?? from.sourceAddress.address.join('.')}, data ${JSON.stringify(p.data.toString())}`
  } catch (e) {
    return `error: ${e.message}`
  }
}

function binary(command, tlvs) {
  const addresses = [203, 0, 113, 1, 203, 0, 113, 2, 0, 80, 1, 187]
  const signature = Buffer.from('0d0a0d0a000d0a515549540a', 'hex')
  return Buffer.concat([signature, Buffer.from([command, 0x11, 0, addresses.length + tlvs.length, ...addresses, ...tlvs]), Buffer.from('hello')])
}

const TCP = 'PROXY TCP4 203.0.113.1 203.0.113.2 80 443\r\nhello'
const SHORT = 'PROXY UNKNOWN\r\nhello'
const LONG = 'PROXY UNKNOWN 203.0.113.1 203.0.113.2 80 443\r\nhello'
const ALPN = [1, 0, 2, 0x68, 0x32]

async function main() {
  const at = TCP.indexOf('\n')
  console.log('proxywrap, TCP4:', await accepted(TCP))
  console.log('proxywrap, TCP4, parted in the address:', await accepted(TCP.slice(0, 20), TCP.slice(20)))
  console.log('proxywrap, TCP4, parted between CR and LF:', await accepted(TCP.slice(0, at), TCP.slice(at)))
  console.log('proxywrap, UNKNOWN:', await accepted(SHORT))
  console.log('proxywrap, UNKNOWN with addresses:', await accepted(LONG))
  console.log('js, TCP4:', js(V1ProxyProtocol, TCP))
  console.log('js, UNKNOWN with addresses:', js(V1ProxyProtocol, LONG))
  console.log('js, UNKNOWN:', js(V1ProxyProtocol, SHORT))
  console.log('js, version 2:', js(V2ProxyProtocol, binary(0x21, [])))
  console.log('js, version 2 with a TLV:', js(V2ProxyProtocol, binary(0x21, ALPN)))
  for (const [name, header] of Object.entries({ TCP4: TCP, UNKNOWN: SHORT, 'version 2': binary(0x21, []), 'version 2, LOCAL': binary(0x20, []) })) {
    const { remoteAddress, localAddress } = balena.decode(Buffer.from(header))
    console.log(`balena, ${name}: from ${JSON.stringify(remoteAddress)} to ${JSON.stringify(localAddress)}`)
  }
}
main()
JS
node --no-deprecation main.js > got
cat > want <<'WANT'
proxywrap, TCP4: 203.0.113.1 port 80, data "hello"
proxywrap, TCP4, parted in the address: 203.0.113.1 port 80, data "hello"
proxywrap, TCP4, parted between CR and LF: 203.0.113.1 port 80, data "\nhello"
proxywrap, UNKNOWN: undefined port NaN, data "hello"
proxywrap, UNKNOWN with addresses: 203.0.113.1 port 80, data "hello"
js, TCP4: from 203.0.113.1, data "hello"
js, UNKNOWN with addresses: from 203.0.113.1, data "hello"
js, UNKNOWN: error: given data isn't suitable for V1 PROXY protocols definition
js, version 2: from 203.0.113.1, data "hello"
js, version 2 with a TLV: from 203.0.113.1, data "\u0001\u0000\u0002h2hello"
balena, TCP4: from "203.0.113.1" to "203.0.113.2"
balena, UNKNOWN: from "\r\n" to "hello"
balena, version 2: from "203.0.113.1" to "203.0.113.2"
balena, version 2, LOCAL: from "203.0.113.1" to "203.0.113.2"
WANT
diff want got && echo "as stated"
