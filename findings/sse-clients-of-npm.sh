#!/usr/bin/env bash
# Server-sent events (WHATWG HTML, 9.2): a line ends with CR LF, LF or CR; an event without an id has the last id that
# the stream gave; a block with no data field is no event, one whose data is empty is; an id with a NULL is ignored; an
# event that the end of the stream cuts off is discarded. eventsource 4.1.1 ("WhatWG/W3C-compatible") gives an event
# without an id the id "", so code that stores lastEventId with each event, to go on there later, loses its place;
# and where lines end with CR it holds an event back until the next one begins, and never has the last. The
# "fully compliant" extended-eventsource 2.1.0 hands out blocks without data as events (retry alone too) and takes
# the id with a NULL. The "spec-compliant" parse-sse 0.1.0 drops empty data, and hands out the event that was cut
# off. These two make two events of one where its CR and LF come in two pieces, as the network may have it. Each reads
# the same Response, whose pieces are made here, so no server and no time is in it. Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --no-audit --no-fund --silent eventsource@4.1.1 extended-eventsource@2.1.0 parse-sse@0.1.0 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > main.mjs <<'JS'
import { EventSource } from 'eventsource'
import { EventSource as Extended } from 'extended-eventsource'
import { parseServerSentEvents } from 'parse-sse'

const print = line => process.stdout.write(line + '\n')
console.log = console.warn = console.error = () => {} // extended-eventsource tells of each end there

const streams = {
  'lines that end with CR': ['data: a\rdata: b\r\r'],
  'CR and LF in two pieces': ['data: a\r', '\ndata: b\r\n\r\n'],
  'an id and then none': ['id: 1\ndata: a\n\ndata: b\n\n'],
  'blocks without data': ['event: ping\n\nretry: 5\n\ndata: a\n\n'],
  'empty data': ['data:\n\ndata: a\n\n'],
  'an id with NULL': ['id: 1\0\ndata: a\n\n'],
  'cut off': ['data: a\n\ndata: b\n'],
}

function response (pieces) {
  const body = new ReadableStream({
    start (controller) {
      for (const piece of pieces) controller.enqueue(new TextEncoder().encode(piece))
      controller.close()
    }
  })
  return new Response(body, { headers: { 'Content-Type': 'text/event-stream' } })
}

const line = event => `${event.type} ${JSON.stringify(event.data)} id ${JSON.stringify(event.lastEventId)}`

// until returns the events of a source up to the error that tells of the end of the stream.
const until = source => new Promise(resolve => {
  const got = []
  for (const type of ['message', 'ping']) source.addEventListener(type, event => got.push(line(event)))
  source.onerror = () => { source.close(); resolve(got) }
})

const clients = {
  eventsource: pieces => until(new EventSource('http://x/', { fetch: async () => response(pieces) })),
  'extended-eventsource': pieces => {
    globalThis.fetch = async () => response(pieces)
    return until(new Extended('http://x/'))
  },
  'parse-sse': async pieces => {
    const got = []
    for await (const event of parseServerSentEvents(response(pieces))) got.push(line(event))
    return got
  }
}

for (const [name, pieces] of Object.entries(streams)) {
  for (const [client, read] of Object.entries(clients)) print(`${name}, ${client}: ${(await read(pieces)).join('; ') || 'none'}`)
}
process.exit()
JS
node main.mjs > got
cat > want <<'WANT'
lines that end with CR, eventsource: none
lines that end with CR, extended-eventsource: message "a\nb" id ""
lines that end with CR, parse-sse: message "a\nb" id ""
CR and LF in two pieces, eventsource: message "a\nb" id ""
CR and LF in two pieces, extended-eventsource: message "a" id ""; message "b" id ""
CR and LF in two pieces, parse-sse: message "a" id ""; message "b" id ""
an id and then none, eventsource: message "a" id "1"; message "b" id ""
an id and then none, extended-eventsource: message "a" id "1"; message "b" id "1"
an id and then none, parse-sse: message "a" id "1"; message "b" id "1"
blocks without data, eventsource: message "a" id ""
blocks without data, extended-eventsource: ping "" id ""; message "" id ""; message "a" id ""
blocks without data, parse-sse: message "a" id ""
empty data, eventsource: message "" id ""; message "a" id ""
empty data, extended-eventsource: message "" id ""; message "a" id ""
empty data, parse-sse: message "a" id ""
an id with NULL, eventsource: message "a" id ""
an id with NULL, extended-eventsource: message "a" id "1\u0000"
an id with NULL, parse-sse: message "a" id ""
cut off, eventsource: message "a" id ""
cut off, extended-eventsource: message "a" id ""
cut off, parse-sse: message "a" id ""; message "b" id ""
WANT
diff want got && echo "as stated"
