package pcap_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/halfopen/halfopen/internal/recording"
	"github.com/halfopen/halfopen/internal/recording/pcap"
)

// capture writes packets of TCP.
type capture struct {
	b    bytes.Buffer
	w    *pcapgo.Writer
	link layers.LinkType
	v6   bool
	snap int // how many bytes of a packet are captured; 0 means all
}

func newCapture(link layers.LinkType) *capture {
	c := &capture{link: link}
	c.w = pcapgo.NewWriter(&c.b)
	c.w.WriteFileHeader(65536, link)
	return c
}

// send writes a segment at so many milliseconds. The ports of the client are those from 1000 up, and
// the server has port 80.
func (c *capture) send(ms int, from, to uint16, flags string, seq uint32, data string) {
	tcp := &layers.TCP{SrcPort: layers.TCPPort(from), DstPort: layers.TCPPort(to), Seq: seq,
		SYN: strings.Contains(flags, "S"), ACK: strings.Contains(flags, "A"), FIN: strings.Contains(flags, "F"), RST: strings.Contains(flags, "R")}
	var ip gopacket.SerializableLayer
	etherType := layers.EthernetTypeIPv4
	if c.v6 {
		v6 := &layers.IPv6{Version: 6, NextHeader: layers.IPProtocolTCP, HopLimit: 64, SrcIP: net.ParseIP("fd00::1"), DstIP: net.ParseIP("fd00::2")}
		tcp.SetNetworkLayerForChecksum(v6)
		ip, etherType = v6, layers.EthernetTypeIPv6
	} else {
		v4 := &layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolTCP, SrcIP: net.IP{10, 0, 0, 1}, DstIP: net.IP{10, 0, 0, 1}}
		tcp.SetNetworkLayerForChecksum(v4)
		ip = v4
	}
	parts := []gopacket.SerializableLayer{ip, tcp, gopacket.Payload(data)}
	switch c.link {
	case layers.LinkTypeEthernet:
		parts = append([]gopacket.SerializableLayer{&layers.Ethernet{SrcMAC: make(net.HardwareAddr, 6), DstMAC: make(net.HardwareAddr, 6), EthernetType: etherType}}, parts...)
	case layers.LinkTypeNull:
		parts = append([]gopacket.SerializableLayer{&layers.Loopback{Family: layers.ProtocolFamilyIPv4}}, parts...)
	}
	buf := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, parts...); err != nil {
		panic(err)
	}
	packet := buf.Bytes()
	if c.link == layers.LinkTypeLinuxSLL {
		head := make([]byte, 16)
		binary.BigEndian.PutUint16(head[14:], uint16(etherType))
		packet = append(head, packet...)
	}
	info := gopacket.CaptureInfo{Timestamp: time.UnixMilli(int64(ms)), CaptureLength: len(packet), Length: len(packet)}
	if c.snap > 0 && c.snap < len(packet) {
		packet, info.CaptureLength = packet[:c.snap], c.snap
	}
	if err := c.w.WritePacket(info, packet); err != nil {
		panic(err)
	}
}

// handshake opens a connection; both sides send from 1 on.
func (c *capture) handshake(ms int, client uint16) {
	c.send(ms, client, 80, "S", 0, "")
	c.send(ms, 80, client, "SA", 0, "")
	c.send(ms, client, 80, "A", 1, "")
}

func (c *capture) read(t *testing.T) *recording.Recording {
	t.Helper()
	rec, err := pcap.Read("x", bytes.NewReader(c.b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

const (
	ask    = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
	answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
)

// describe returns the connections and dials of a recording, a line each.
func describe(rec *recording.Recording) string {
	var b strings.Builder
	for _, c := range rec.Conns {
		fmt.Fprintf(&b, "%s %s began=%v fins=%d,%d reset=%d open=%v:", c.Name, c.Address, c.Began,
			c.ClientFin.Milliseconds(), c.ServerFin.Milliseconds(), c.Reset.Milliseconds(), c.Open())
		for _, x := range c.Exchanges {
			fmt.Fprintf(&b, " [%s %s %d sent=%d got=%d at=%d]", x.Method, x.Path, x.Status, x.Sent, x.Got, x.At.Milliseconds())
		}
		b.WriteByte('\n')
	}
	for _, d := range rec.Dials {
		fmt.Fprintf(&b, "%s %s %d-%d %s\n", d.Name, d.Address, d.At.Milliseconds(), d.End.Milliseconds(), d.Why)
	}
	return b.String()
}

// Packets of each link type are read, and IPv6.
func TestLinks(t *testing.T) {
	want := "c1 10.0.0.1:80 began=false fins=0,0 reset=0 open=true: [GET /a 200 sent=28 got=43 at=10]\n"
	for _, link := range []layers.LinkType{layers.LinkTypeEthernet, layers.LinkTypeRaw, layers.LinkTypeNull, layers.LinkTypeLinuxSLL} {
		c := newCapture(link)
		c.handshake(5, 1000)
		c.send(15, 1000, 80, "A", 1, ask)
		c.send(20, 80, 1000, "A", 1, answer)
		if got := describe(c.read(t)); got != want {
			t.Errorf("link %v: got %swant %s", link, got, want)
		}
	}
	c := newCapture(layers.LinkTypeRaw)
	c.v6 = true
	c.send(0, 1000, 80, "S", 0, "")
	if got := describe(c.read(t)); got != "d1 [fd00::2]:80 0-0 \n" {
		t.Errorf("IPv6: got %s", got)
	}
}

// What was sent again is counted once, what came before its turn waits, and where a segment was
// not captured the rest is read all the same.
func TestOrder(t *testing.T) {
	c := newCapture(layers.LinkTypeRaw)
	c.handshake(0, 1000)
	c.send(1, 1000, 80, "A", 11, ask[10:])
	c.send(2, 1000, 80, "A", 1, ask[:10])
	c.send(3, 1000, 80, "A", 5, ask[4:20]) // again
	c.send(4, 80, 1000, "A", 1, answer[:20])
	c.send(5, 80, 1000, "AF", 31, answer[30:])
	c.send(6, 80, 1000, "A", 1, answer[:30]) // longer than before
	c.send(7, 1000, 80, "AF", 29, "")
	c.handshake(100, 1001)
	c.send(101, 1001, 80, "A", 1, ask)
	for i := range 20 { // the first 1000 bytes were not captured
		c.send(102, 80, 1001, "A", uint32(1001+10*i), "0123456789")
	}
	want := `c1 10.0.0.1:80 began=false fins=7,5 reset=0 open=false: [GET /a 200 sent=28 got=43 at=2]
c2 10.0.0.1:80 began=false fins=0,0 reset=0 open=true: [GET /a 0 sent=28 got=200 at=101]
`
	if got := describe(c.read(t)); got != want {
		t.Errorf("got:\n%swant:\n%s", got, want)
	}
}

// A dial is refused by a RST, times out after two minutes of silence, or is in flight at the end.
// A connection may be reset, and its ports used again.
func TestDialsAndResets(t *testing.T) {
	c := newCapture(layers.LinkTypeRaw)
	c.send(0, 1000, 80, "S", 0, "")
	c.send(1, 80, 1000, "RA", 0, "")
	for _, s := range []int{0, 1, 3, 7, 15, 31, 63} {
		c.send(2+1000*s, 1001, 80, "S", 0, "")
	}
	c.handshake(64_000, 1002)
	c.send(64_001, 1002, 80, "A", 1, ask)
	c.send(64_002, 80, 1002, "R", 1, "")
	c.handshake(65_000, 1002)
	c.send(66_000, 1002, 80, "R", 1, "")
	c.send(129_000, 1003, 80, "S", 0, "")
	want := `c1 10.0.0.1:80 began=false fins=0,0 reset=64002 open=false: [GET /a 0 sent=28 got=0 at=64001]
c2 10.0.0.1:80 began=false fins=0,0 reset=66000 open=false:
d1 10.0.0.1:80 0-1 refused
d2 10.0.0.1:80 2-127002 timeout
d5 10.0.0.1:80 129000-0 
`
	if got := describe(c.read(t)); got != want {
		t.Errorf("got:\n%swant:\n%s", got, want)
	}
}

// A connection that was opened before the capture has the client that sends a request, or else the
// larger port. Packets of which only the head was captured have their sizes.
func TestMidway(t *testing.T) {
	c := newCapture(layers.LinkTypeRaw)
	c.snap = 40
	c.send(0, 80, 1000, "A", 500, "") // an acknowledgement alone begins nothing
	c.send(1, 80, 1000, "A", 500, "ping")
	c.send(2, 1000, 80, "A", 900, strings.Repeat("x", 1000))
	c.send(3, 80, 1000, "A", 504, strings.Repeat("y", 700))
	c.send(4, 80, 1000, "AF", 1204, "")
	c.snap = 0
	c.send(5, 70, 80, "A", 1, ask) // its port is the smaller one
	c.send(6, 80, 70, "A", 1, answer)
	want := `c1 10.0.0.1:80 began=true fins=0,4 reset=0 open=true: [  0 sent=1000 got=700 at=2]
c2 10.0.0.1:80 began=true fins=0,0 reset=0 open=true: [GET /a 200 sent=28 got=43 at=5]
`
	if got := describe(c.read(t)); got != want {
		t.Errorf("got:\n%swant:\n%s", got, want)
	}
}

// A file that is no capture is refused, with the offset; one that was cut off in a packet is read up
// to there.
func TestMistakes(t *testing.T) {
	good := newCapture(layers.LinkTypeRaw)
	good.handshake(0, 1000)
	udp := newCapture(layers.LinkTypeRaw)
	udp.w.WritePacket(gopacket.CaptureInfo{CaptureLength: 3, Length: 3}, []byte("\x45xx"))
	wifi := newCapture(layers.LinkTypeIEEE802_11)
	wifi.w.WritePacket(gopacket.CaptureInfo{CaptureLength: 3, Length: 3}, []byte("xxx"))
	ng := func(kind uint32, length uint32) string {
		b := []byte("\x0a\x0d\x0d\x0a\x1c\x00\x00\x00\x4d\x3c\x2b\x1a\x01\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\x1c\x00\x00\x00")
		b = binary.LittleEndian.AppendUint32(b, kind)
		return string(binary.LittleEndian.AppendUint32(b, length))
	}
	for _, tt := range []struct{ data, want string }{
		{"", "x: offset 0: too short for a capture"},
		{"\xd4\xc3\xb2", "x: offset 0: too short for a capture"},
		{"\x1f\x8b\x08\x00", "x: offset 0: this is packed: gunzip it first"},
		{"\xd4\xc3\xb2\xa1\x02\x00", "x: offset 6: "},
		{"\xd4\xc3\xb2\xa1" + strings.Repeat("\x09", 20), "x: offset 24: "},
		{"garbage and more of it, for a head", "x: offset 24: "},
		{newCapture(layers.LinkTypeRaw).b.String(), "x: offset 24: the capture has no packet"},
		{wifi.b.String(), "x: offset 43: packet 1: packets of link type 105, which this command does not read"},
		{udp.b.String(), "x: none of its 1 packets belongs to a TCP connection"},
		{ng(6, 3), "x: offset 3"},
		{ng(6, 1<<31) + strings.Repeat("x", 8<<20), "x: offset "},
	} {
		if _, err := pcap.Read("x", strings.NewReader(tt.data)); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%.40q: got %v, want %s", tt.data, err, tt.want)
		}
	}
	cut := good.b.Bytes()[:good.b.Len()-3]
	if rec, err := pcap.Read("x", bytes.NewReader(cut)); err != nil || rec.Seen != 1 {
		t.Errorf("a capture that is cut off: got %v", err)
	}
}

// A capture in the pcapng format is read as one of tcpdump is.
func TestNg(t *testing.T) {
	c := newCapture(layers.LinkTypeRaw)
	c.handshake(0, 1000)
	c.send(1, 1000, 80, "A", 1, ask)
	want := describe(c.read(t))
	old, err := pcapgo.NewReader(&c.b)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w, err := pcapgo.NewNgWriter(&b, layers.LinkTypeRaw)
	if err != nil {
		t.Fatal(err)
	}
	for {
		data, info, err := old.ReadPacketData()
		if err == io.EOF {
			break
		}
		info.InterfaceIndex = 0
		if err := w.WritePacket(info, data); err != nil {
			t.Fatal(err)
		}
	}
	w.Flush()
	rec, err := pcap.Read("x", &b)
	if err != nil {
		t.Fatal(err)
	}
	if got := describe(rec); got != want || !pcap.IsCapture([]byte("\x0a\x0d\x0d\x0a")) || pcap.IsCapture([]byte("halfopen")) {
		t.Errorf("got %swant %s", got, want)
	}
}

// What is kept of a long capture is bounded.
func TestBounded(t *testing.T) {
	c := newCapture(layers.LinkTypeRaw)
	for i := range 25_000 {
		client := uint16(1000 + i)
		c.handshake(i, client)
		c.send(i, client, 80, "A", 1, ask+strings.Repeat("x", 200))
		c.send(i, 80, client, "A", 1, "HTTP/1.1 200 OK\r\nX: "+strings.Repeat("y", 1200)) // a head without an end
		c.send(i, 80, client, "A", 5000, strings.Repeat("z", 1000))                       // before its turn
	}
	data := c.b.Bytes()
	before := heap()
	began := time.Now()
	rec, err := pcap.Read("x", bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d MB in %s", len(data)>>20, time.Since(began))
	if grown := heap() - before; grown > 100<<20 {
		t.Errorf("got %d MB kept, want 100 at most", grown>>20)
	}
	if rec.Seen != 25_000 {
		t.Errorf("got %d connections seen, want 25000", rec.Seen)
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// Whatever a file contains, reading it ends with a recording or an error.
func FuzzCapture(f *testing.F) {
	files, _ := filepath.Glob("../../../testdata/recordings/*.pcap*")
	for _, file := range files {
		if data, err := os.ReadFile(file); err == nil {
			f.Add(data)
		}
	}
	for _, link := range []layers.LinkType{layers.LinkTypeEthernet, layers.LinkTypeRaw, layers.LinkTypeNull, layers.LinkTypeLinuxSLL} {
		c := newCapture(link)
		c.handshake(0, 1000)
		c.send(1, 1000, 80, "A", 5, ask)
		c.send(2, 1000, 80, "A", 1, ask)
		c.send(3, 80, 1000, "AF", 1, answer)
		c.send(4, 80, 1000, "R", 1, "")
		f.Add(c.b.Bytes())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		rec, err := pcap.Read("x", bytes.NewReader(data))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "x: ") {
				t.Errorf("got %v, want the file", err)
			}
			return
		}
		rec.Script(recording.Settings{Name: "x", LeakAfter: time.Second, Most: 12})
	})
}
