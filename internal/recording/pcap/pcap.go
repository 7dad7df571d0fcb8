// Package pcap reads captures of packets, as tcpdump -w and Wireshark write them, as recordings.
// It follows TCP connections as far as a recording needs it: who dialed whom, how many bytes each
// side sent and when, the heads of HTTP/1, FINs and resets. Only cmd/halfopen imports it.
package pcap

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/halfopen/halfopen/internal/recording"
)

// magics is how captures begin: pcap with microseconds and nanoseconds in both orders of bytes, and
// pcapng.
var magics = []string{"\xa1\xb2\xc3\xd4", "\xd4\xc3\xb2\xa1", "\xa1\xb2\x3c\x4d", "\x4d\x3c\xb2\xa1", ngMagic}

const (
	ngMagic   = "\x0a\x0d\x0d\x0a"
	gzipMagic = "\x1f\x8b"
)

// IsCapture reports whether a file that begins so is meant to be a capture.
func IsCapture(first []byte) bool {
	for _, m := range append([]string{gzipMagic}, magics...) {
		if bytes.HasPrefix(first, []byte(m)) {
			return true
		}
	}
	return false
}

// mostInBlock is how many bytes a block of a file may have, with what is read ahead.
const mostInBlock = 4 << 20

// meter counts the bytes of a file, and ends it within a block that is too large.
type meter struct {
	r           io.Reader
	read, block int64
}

var errLargeBlock = fmt.Errorf("a block of more than %d bytes", mostInBlock)

// Read implements [io.Reader].
func (m *meter) Read(b []byte) (int, error) {
	if m.block > mostInBlock {
		return 0, errLargeBlock
	}
	n, err := m.r.Read(b)
	m.read += int64(n)
	m.block += int64(n)
	return n, err
}

// packetSource reads the packets of a file: each reader of pcapgo is one.
type packetSource interface {
	ReadPacketData() ([]byte, gopacket.CaptureInfo, error)
}

// Read reads a capture. An error names the offset in the file. A file that was cut off in a packet,
// as that of a tcpdump that was killed, is read up to there.
func Read(file string, in io.Reader) (*recording.Recording, error) {
	m := &meter{r: in}
	b := bufio.NewReaderSize(m, 64<<10)
	wrong := func(err error) error {
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			err = errors.New("the capture is cut off in its head")
		}
		return fmt.Errorf("%s: offset %d: %w", file, m.read-int64(b.Buffered()), err)
	}
	first, err := b.Peek(4)
	if err != nil {
		return nil, wrong(errors.New("too short for a capture"))
	}
	var source packetSource
	var link func(gopacket.CaptureInfo) layers.LinkType
	switch {
	case bytes.HasPrefix(first, []byte(gzipMagic)):
		return nil, wrong(errors.New("this is packed: gunzip it first"))
	case string(first) == ngMagic:
		ng, err := pcapgo.NewNgReader(b, pcapgo.NgReaderOptions{WantMixedLinkType: true, SkipUnknownVersion: true})
		if err != nil {
			return nil, wrong(err)
		}
		source = ng
		link = func(ci gopacket.CaptureInfo) layers.LinkType {
			if len(ci.AncillaryData) > 0 {
				if t, ok := ci.AncillaryData[0].(layers.LinkType); ok {
					return t
				}
			}
			return ng.LinkType()
		}
	default:
		old, err := pcapgo.NewReader(b)
		if err != nil {
			return nil, wrong(err)
		}
		source = old
		link = func(gopacket.CaptureInfo) layers.LinkType { return old.LinkType() }
	}
	d, packets := newDecoder(), 0
	for {
		m.block = 0
		data, ci, err := source.ReadPacketData()
		if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) && packets > 0 {
			break
		}
		if err != nil {
			return nil, wrong(err)
		}
		packets++
		if err := d.packet(link(ci), ci, data); err != nil {
			return nil, wrong(fmt.Errorf("packet %d: %w", packets, err))
		}
	}
	if packets == 0 {
		return nil, wrong(errors.New("the capture has no packet"))
	}
	if d.flows.rec.Seen == 0 && len(d.flows.streams) == 0 && len(d.flows.rec.Dials) == 0 {
		return nil, fmt.Errorf("%s: none of its %d packets belongs to a TCP connection", file, packets)
	}
	return d.flows.finish(), nil
}

// decoder finds the TCP segments of packets.
type decoder struct {
	parsers map[gopacket.LayerType]*gopacket.DecodingLayerParser
	ip4     layers.IPv4
	ip6     layers.IPv6
	tcp     layers.TCP
	decoded []gopacket.LayerType
	began   time.Time
	flows   flows
}

func newDecoder() *decoder {
	d := &decoder{parsers: make(map[gopacket.LayerType]*gopacket.DecodingLayerParser)}
	d.flows.streams = make(map[pair]*stream)
	d.flows.rec = &recording.Recording{Captured: true}
	for _, first := range []gopacket.LayerType{layers.LayerTypeEthernet, layers.LayerTypeLinuxSLL, layers.LayerTypeLinuxSLL2,
		layers.LayerTypeLoopback, layers.LayerTypeIPv4, layers.LayerTypeIPv6} {
		p := gopacket.NewDecodingLayerParser(first, new(layers.Ethernet), new(layers.Dot1Q), new(layers.LinuxSLL), new(layers.LinuxSLL2),
			new(layers.Loopback), &d.ip4, &d.ip6, &d.tcp)
		p.IgnoreUnsupported = true
		d.parsers[first] = p
	}
	return d
}

// layerOf returns the layer with which packets of a link begin.
func layerOf(link layers.LinkType, data []byte) (gopacket.LayerType, bool) {
	switch link {
	case layers.LinkTypeEthernet:
		return layers.LayerTypeEthernet, true
	case layers.LinkTypeLinuxSLL:
		return layers.LayerTypeLinuxSLL, true
	case layers.LinkTypeLinuxSLL2:
		return layers.LayerTypeLinuxSLL2, true
	case layers.LinkTypeNull, layers.LinkTypeLoop:
		return layers.LayerTypeLoopback, true
	case layers.LinkTypeRaw, 12, 14, layers.LinkTypeIPv4, layers.LinkTypeIPv6: // 12 and 14 are raw IP too, in files of BSDs
		if len(data) > 0 && data[0]>>4 == 6 {
			return layers.LayerTypeIPv6, true
		}
		return layers.LayerTypeIPv4, true
	}
	return 0, false
}

// packet takes a packet. What is no TCP is passed over, and so is a packet that cannot be decoded:
// a capture may cut packets.
func (d *decoder) packet(link layers.LinkType, ci gopacket.CaptureInfo, data []byte) error {
	first, ok := layerOf(link, data)
	if !ok {
		return fmt.Errorf("packets of link type %d, which this command does not read", link)
	}
	if d.began.IsZero() {
		d.began = ci.Timestamp
	}
	at := max(0, ci.Timestamp.Sub(d.began))
	d.flows.rec.Length = max(d.flows.rec.Length, at)
	d.decoded = d.decoded[:0]
	if d.parsers[first].DecodeLayers(data, &d.decoded); len(d.decoded) == 0 {
		return nil
	}
	var from, to netip.Addr
	length, isTCP := -1, false
	for _, l := range d.decoded {
		switch l {
		case layers.LayerTypeIPv4:
			from, _ = netip.AddrFromSlice(d.ip4.SrcIP)
			to, _ = netip.AddrFromSlice(d.ip4.DstIP)
			length = int(d.ip4.Length) - 4*int(d.ip4.IHL)
		case layers.LayerTypeIPv6:
			from, _ = netip.AddrFromSlice(d.ip6.SrcIP)
			to, _ = netip.AddrFromSlice(d.ip6.DstIP)
			length = int(d.ip6.Length)
		case layers.LayerTypeTCP:
			isTCP = true
		}
	}
	if !isTCP || !from.IsValid() || !to.IsValid() {
		return nil
	}
	t := &d.tcp
	s := segment{at: at, from: netip.AddrPortFrom(from.Unmap(), uint16(t.SrcPort)), to: netip.AddrPortFrom(to.Unmap(), uint16(t.DstPort)),
		seq: t.Seq, syn: t.SYN, ack: t.ACK, fin: t.FIN, rst: t.RST, data: t.Payload}
	s.n = length - 4*int(t.DataOffset)
	if s.n < 0 || s.n > 1<<20 { // a packet that the card was to split has no length
		s.n = len(t.Payload)
	}
	s.data = s.data[:min(len(s.data), s.n, mostData)]
	d.flows.segment(&s)
	return nil
}

// mostData is how many bytes of a segment are looked at.
const mostData = 2 << 10

// pair is the two ends of a connection, the smaller one first.
type pair [2]netip.AddrPort

func pairOf(a, b netip.AddrPort) pair {
	if a.Compare(b) > 0 {
		a, b = b, a
	}
	return pair{a, b}
}

// startsTLS reports whether a client speaks TLS, by its first bytes.
func startsTLS(data []byte) bool {
	return len(data) > 5 && data[0] == 22 && data[1] == 3 && binary.BigEndian.Uint16(data[3:]) > 0
}
