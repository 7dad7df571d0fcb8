#!/usr/bin/env bash
# RFC 9113, 6.8: GOAWAY lets an endpoint stop taking new streams while it finishes those that it
# has; 6.5.3: the values of a SETTINGS frame are processed in their order; RFC 7541, 4.2: of the
# table sizes since the last header block the smallest must be signalled. h2 4.1.0 of Python
# (Debian's 4.1.0-4): after a GOAWAY that counts the only stream in, its client takes the answer
# on it for a ProtocolError, and its server cannot send it: the answers of a graceful shutdown
# are lost. Its documentation has it so ("no further action may be taken"), against the RFC. A
# SETTINGS frame with a table size of 0 and then 4096, by which a peer empties the table, is
# seen as 4096 only, and the next header block lacks the signal; in two frames it has it.
# Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get download python3-h2=4.1.0-4 python3-hpack=4.0.0-2 python3-hyperframe=6.0.0-1 > apt.log 2>&1 || { cat apt.log; exit 1; }
for package in *.deb; do dpkg -x "$package" .; done
cat > main.py <<'PY'
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.exceptions import ProtocolError

REQUEST = [(':method', 'GET'), (':path', '/'), (':scheme', 'https'), (':authority', 'h')]


def pair():
    """Return a client and a server that have exchanged their settings."""
    client, server = (H2Connection(H2Configuration(client_side=side)) for side in (True, False))
    client.initiate_connection()
    server.initiate_connection()
    for _ in range(2):
        server.receive_data(client.data_to_send())
        client.receive_data(server.data_to_send())
    return client, server


def request():
    """Return a client and a server that has its request, on stream 1."""
    client, server = pair()
    client.send_headers(1, REQUEST, end_stream=True)
    server.receive_data(client.data_to_send())
    return client, server


def frame(kind, payload):
    return len(payload).to_bytes(3, 'big') + bytes([kind, 0]) + bytes(4) + payload


def tables(*sizes):
    return b''.join(b'\0\1' + size.to_bytes(4, 'big') for size in sizes)


client, server = request()
client.receive_data(frame(7, (1).to_bytes(4, 'big') + bytes(4)))  # GOAWAY, last stream 1, NO_ERROR
server.send_headers(1, [(':status', '200')], end_stream=True)
try:
    print('client, the answer after GOAWAY:', client.receive_data(server.data_to_send()))
except ProtocolError as e:
    print('client, the answer after GOAWAY:', e)

client, server = request()
server.close_connection(last_stream_id=1)
try:
    server.send_headers(1, [(':status', '200')], end_stream=True)
    print('server, the answer after GOAWAY: sent')
except ProtocolError as e:
    print('server, the answer after GOAWAY:', e)

for name, frames in ('one frame', frame(4, tables(0, 4096))), ('two frames', frame(4, tables(0)) + frame(4, tables(4096))):
    client, server = request()
    server.receive_data(frames)
    server.data_to_send()
    server.send_headers(1, [(':status', '200')], end_stream=True)
    block = server.data_to_send()[9:]
    print(f'table sizes 0 and 4096 in {name}: the next header block starts with a size of 0:', block[0] == 0x20)
PY
PYTHONPATH=usr/lib/python3/dist-packages python3 main.py > got
cat > want <<'WANT'
client, the answer after GOAWAY: Invalid input ConnectionInputs.RECV_HEADERS in state ConnectionState.CLOSED
server, the answer after GOAWAY: Invalid input ConnectionInputs.SEND_HEADERS in state ConnectionState.CLOSED
table sizes 0 and 4096 in one frame: the next header block starts with a size of 0: False
table sizes 0 and 4096 in two frames: the next header block starts with a size of 0: True
WANT
diff want got && echo "as stated"
