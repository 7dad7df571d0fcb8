#!/usr/bin/env bash
# The pcapng draft, 4.2: if_tsresol with its top bit set is a negative power of 2, and 0 is a
# power of 10 as well, 10^0: whole seconds; if_tsoffset is a number of seconds that a reader
# adds. gopacket v1.7.7 (pcapgo) reads well-formed files with packets half a second, .99 s and
# 1 s after the hour: with a unit of 2^-30 s half a second becomes 536,870,912 ns and .99 s
# falls into the next second, so times run backwards; with 2^-20 s (close to microseconds)
# they are up to 0.7 ms early; with 1 s an hour becomes 3.6 ms. And its own NgWriter, given an
# interface with TimestampOffset 3600, writes the option and does not take it from the
# packets' times, so its own NgReader reads each an hour late. Exits with 0 if that is so.
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
	"io"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

var le = binary.LittleEndian

// block returns a block of type typ around body, whose length is a multiple of 4.
func block(typ uint32, body []byte) []byte {
	b := le.AppendUint32(nil, typ)
	b = le.AppendUint32(b, uint32(len(body)+12))
	b = append(b, body...)
	return le.AppendUint32(b, uint32(len(body)+12))
}

// file returns a section with one interface of the resolution and an empty packet for each time.
func file(resolution byte, times ...uint64) io.Reader {
	section := le.AppendUint32(nil, 0x1A2B3C4D)
	section = le.AppendUint16(section, 1)
	section = le.AppendUint16(section, 0)
	f := block(0x0A0D0D0A, le.AppendUint64(section, 1<<64-1))
	f = append(f, block(1, []byte{1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 0, resolution, 0, 0, 0, 0, 0, 0, 0})...)
	for _, t := range times {
		packet := le.AppendUint32(nil, 0)
		packet = le.AppendUint32(packet, uint32(t>>32))
		packet = le.AppendUint32(packet, uint32(t))
		f = append(f, block(6, le.AppendUint64(packet, 0))...)
	}
	return bytes.NewReader(f)
}

func show(name string, f io.Reader) {
	fmt.Print(name, ":")
	r := must(pcapgo.NewNgReader(f, pcapgo.DefaultNgReaderOptions))
	for {
		_, ci, err := r.ReadPacketData()
		if err == io.EOF {
			fmt.Println()
			return
		}
		fmt.Print(" ", must(ci, err).Timestamp.Format("15:04:05.000000000"))
	}
}

func main() {
	show("10^-9", file(9, 3600*1e9+5e8, 3600*1e9+99e7, 3601*1e9))
	show("2^-30", file(0x80|30, 3600<<30+1<<29, 3600<<30+1<<30*99/100, 3601<<30))
	show("2^-20", file(0x80|20, 3600<<20+1<<19, 3600<<20+1<<20*99/100, 3601<<20))
	show("10^0", file(0, 3600, 3601))

	for _, offset := range []uint64{0, 3600} {
		var f bytes.Buffer
		i := pcapgo.NgInterface{LinkType: layers.LinkTypeEthernet, TimestampOffset: offset}
		w := must(pcapgo.NewNgWriterInterface(&f, i, pcapgo.DefaultNgWriterOptions))
		if err := w.WritePacket(gopacket.CaptureInfo{Timestamp: time.Unix(3600, 0)}, nil); err != nil {
			panic(err)
		}
		w.Flush()
		show(fmt.Sprintf("written at 01:00 with offset %d", offset), &f)
	}
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go run . > got
cat > want <<'WANT'
10^-9: 01:00:00.500000000 01:00:00.990000000 01:00:01.000000000
2^-30: 01:00:00.536870912 01:00:01.063004405 01:00:01.000000000
2^-20: 01:00:00.499646464 01:00:00.989299770 01:00:01.000000000
10^0: 00:00:00.003600000 00:00:00.003601000
written at 01:00 with offset 0: 01:00:00.000000000
written at 01:00 with offset 3600: 02:00:00.000000000
WANT
diff want got && echo "as stated"
