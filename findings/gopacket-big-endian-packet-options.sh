#!/usr/bin/env bash
# The pcapng draft, 3.1 and 4.1: the numbers of a section, those in options too, are in the
# byte order that its Byte-Order Magic tells. gopacket v1.7.7 (pcapgo) reads the packets of a
# big-endian section right and their options as little-endian: the same capture, written in
# both orders, turns an inbound packet into one of unknown direction with a CRC error, 7
# dropped packets into 7 * 2^56, packet 5 of queue 2 into other numbers.
# Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module finding
go 1.26.0
require github.com/gopacket/gopacket v1.7.7
MOD
cat > main.go <<'GO'
package main

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/gopacket/gopacket/pcapgo"
)

// order appends numbers in one byte order.
type order interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

// block returns a block of type typ around body, whose length is a multiple of 4.
func block(o order, typ uint32, body []byte) []byte {
	b := o.AppendUint32(nil, typ)
	b = o.AppendUint32(b, uint32(len(body)+12))
	b = append(b, body...)
	return o.AppendUint32(b, uint32(len(body)+12))
}

func option(o order, b []byte, code uint16, value []byte) []byte {
	b = o.AppendUint16(b, code)
	b = o.AppendUint16(b, uint16(len(value)))
	return append(b, value...)
}

// file returns a section, an interface and an inbound packet of 4 bytes with its options.
func file(o order) []byte {
	section := o.AppendUint32(nil, 0x1A2B3C4D)
	section = o.AppendUint16(section, 1)
	section = o.AppendUint16(section, 0)
	f := block(o, 0x0A0D0D0A, o.AppendUint64(section, 1<<64-1))
	link := o.AppendUint16(nil, 1)
	link = o.AppendUint16(link, 0)
	f = append(f, block(o, 1, o.AppendUint32(link, 0))...)

	packet := make([]byte, 12)
	packet = o.AppendUint32(packet, 4)
	packet = o.AppendUint32(packet, 4)
	packet = append(packet, "data"...)
	packet = option(o, packet, 2, o.AppendUint32(nil, 1)) // epb_flags: inbound
	packet = option(o, packet, 4, o.AppendUint64(nil, 7)) // epb_dropcount
	packet = option(o, packet, 5, o.AppendUint64(nil, 5)) // epb_packetid
	packet = option(o, packet, 6, o.AppendUint32(nil, 2)) // epb_queue
	packet = option(o, packet, 0, nil)
	return append(f, block(o, 6, packet)...)
}

func main() {
	for _, o := range []order{binary.LittleEndian, binary.BigEndian} {
		r, err := pcapgo.NewNgReader(bytes.NewReader(file(o)), pcapgo.DefaultNgReaderOptions)
		if err != nil {
			panic(err)
		}
		data, _, opts, err := r.ReadPacketDataWithOptions()
		if err != nil {
			panic(err)
		}
		fmt.Printf("%v: %q, inbound %v, CRC error %v, dropped %d, packet %d, queue %d\n", o, data,
			opts.Flags.Direction == pcapgo.NgEpbFlagDirectionInbound,
			opts.Flags.LinkLayerErr == pcapgo.NgEpbFlagLinkLayerDependentErrorCRC,
			*opts.DropCount, *opts.PacketID, *opts.Queue)
	}
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go run . > got
cat > want <<'WANT'
LittleEndian: "data", inbound true, CRC error false, dropped 7, packet 5, queue 2
BigEndian: "data", inbound false, CRC error true, dropped 504403158265495552, packet 360287970189639680, queue 33554432
WANT
diff want got && echo "as stated"
