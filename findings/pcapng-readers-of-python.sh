#!/usr/bin/env bash
# The pcapng draft: if_tsresol and if_tsoffset are of one interface (4.2); a section has its own
# byte order and interfaces, numbered from 0 (4.1, 4.2); a Simple Packet Block holds a packet (4.4);
# a SnapLen of 0 is no limit (4.2). Well-formed files with packets of one instant. dpkt 1.9.8
# (Debian's 1.9.8-1) counts all of them in the first interface's unit, so one of an interface
# with nanoseconds is in the year 52671, and so is one of a second section; a second section in
# the other byte order and simple packets are left out without an error. scapy 2.5.0 (Debian's
# 2.5.0+dfsg-2) does not add if_tsoffset, looks up the second section's interface 0 in the first
# section, and returns a simple packet empty where the SnapLen is 0.
# Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get download python3-dpkt=1.9.8-1 python3-scapy=2.5.0+dfsg-2 > apt.log 2>&1 || { cat apt.log; exit 1; }
for package in *.deb; do dpkg -x "$package" .; done
cat > main.py <<'PY'
import io
import logging
import struct

import dpkt

logging.getLogger('scapy').setLevel(logging.CRITICAL)
from scapy.utils import RawPcapNgReader

PACKET = bytes(12) + b'\x08\x00' + bytes(46)
START = 1_600_000_000


def block(order, kind, body):
    body += bytes(-len(body) % 4)
    length = len(body) + 12
    return struct.pack(order + 'II', kind, length) + body + struct.pack(order + 'I', length)


def section(order='<'):
    return block(order, 0x0A0D0D0A, struct.pack(order + 'IHHq', 0x1A2B3C4D, 1, 0, -1))


def interface(order='<', code=None, value=b''):
    option = b''
    if code:
        option = struct.pack(order + 'HH', code, len(value)) + value + bytes(-len(value) % 4) + bytes(4)
    return block(order, 1, struct.pack(order + 'HHI', 1, 0, 0) + option)


def packet(order, number, time):
    return block(order, 6, struct.pack(order + '5I', number, time >> 32, time & 0xFFFFFFFF, len(PACKET), len(PACKET)) + PACKET)


def nanoseconds(order='<'):
    return interface(order, 9, b'\x09')


MICRO, NANO = START * 10**6, START * 10**9
FILES = {
    'micro- and nanoseconds': section() + interface() + nanoseconds() + packet('<', 0, MICRO) + packet('<', 1, NANO),
    'two sections': section() + interface() + packet('<', 0, MICRO) + section() + nanoseconds() + packet('<', 0, NANO),
    'two byte orders': section() + interface() + packet('<', 0, MICRO) + section('>') + interface('>') + packet('>', 0, MICRO),
    'an offset of an hour': section() + interface('<', 14, struct.pack('<q', 3600)) + packet('<', 0, MICRO - 3600 * 10**6),
    'a simple packet': section() + interface() + block('<', 3, struct.pack('<I', len(PACKET)) + PACKET),
}


def with_dpkt(file):
    return [(time - START, len(data)) for time, data in dpkt.pcapng.Reader(file)]


def with_scapy(file):
    packets = []
    for data, meta in RawPcapNgReader(file):
        time = 'no time'
        if meta.tshigh is not None:
            time = ((meta.tshigh << 32) + meta.tslow) / meta.tsresol - START
        packets.append((time, len(data)))
    return packets


for name, content in FILES.items():
    for reader in with_dpkt, with_scapy:
        print(f'{name}, {reader.__name__}: seconds and bytes {reader(io.BytesIO(content))}')
PY
PYTHONPATH=usr/lib/python3/dist-packages python3 main.py > got
cat > want <<'WANT'
micro- and nanoseconds, with_dpkt: seconds and bytes [(0.0, 60), (1598400000000.0, 60)]
micro- and nanoseconds, with_scapy: seconds and bytes [(0.0, 60), (0.0, 60)]
two sections, with_dpkt: seconds and bytes [(0.0, 60), (1598400000000.0, 60)]
two sections, with_scapy: seconds and bytes [(0.0, 60), (1598400000000.0, 60)]
two byte orders, with_dpkt: seconds and bytes [(0.0, 60)]
two byte orders, with_scapy: seconds and bytes [(0.0, 60), (0.0, 60)]
an offset of an hour, with_dpkt: seconds and bytes [(0.0, 60)]
an offset of an hour, with_scapy: seconds and bytes [(-3600.0, 60)]
a simple packet, with_dpkt: seconds and bytes []
a simple packet, with_scapy: seconds and bytes [('no time', 0)]
WANT
diff want got && echo "as stated"
