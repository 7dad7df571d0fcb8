// Package pcapng writes runs as captures for Wireshark. Each connection is a TCP stream with
// its handshake, its bytes in the order in which they arrived, acknowledgements, FINs and
// resets, at virtual time. The hosts have their names, and the file has the keys of TLS.
//
// What Wireshark knows of a connection, the harness has seen; the rest of a packet is made
// up so that it fits: initial sequence numbers, windows, and the handshake of a dial, which is
// one event of a run. A dial that failed has no connection: it has a client port of its own.
package pcapng

import (
	"encoding/binary"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/halfopen/halfopen/harness/view"
)

// Write writes the run as a file in the pcapng format. The same run has the same bytes.
func Write(w io.Writer, run *view.Run) error {
	ng, err := pcapgo.NewNgWriterInterface(w,
		pcapgo.NgInterface{Name: "halfopen", Description: run.Name, LinkType: layers.LinkTypeRaw, TimestampResolution: 9},
		pcapgo.NgWriterOptions{SectionInfo: pcapgo.NgSectionInfo{Application: "halfopen", Comment: run.Name + ": " + run.Verdict}})
	if err != nil {
		return err
	}
	// NgWriter has no words for the next two blocks. The keys come before the first packet:
	// tshark 4.0 uses no others.
	if err := ng.Flush(); err != nil {
		return err
	}
	c := newCapture(run)
	if _, err := w.Write(append(secretsBlock(run.Secrets), namesBlock(c.hosts, c.names)...)); err != nil {
		return err
	}
	for _, p := range c.packets() {
		info := gopacket.CaptureInfo{Timestamp: run.Began.Add(p.at), CaptureLength: p.captured, Length: len(p.data)}
		if err := ng.WritePacketWithOptions(info, p.data[:p.captured], pcapgo.NgPacketOptions{Comments: p.comments}); err != nil {
			return err
		}
	}
	return ng.Flush()
}

// block returns a block of a pcapng file: draft-ietf-opsawg-pcapng, section 3.1.
func block(kind uint32, body []byte) []byte {
	for len(body)%4 != 0 {
		body = append(body, 0)
	}
	length := uint32(len(body) + 12)
	b := binary.LittleEndian.AppendUint32(nil, kind)
	b = binary.LittleEndian.AppendUint32(b, length)
	b = append(b, body...)
	return binary.LittleEndian.AppendUint32(b, length)
}

// secretsBlock returns the decryption secrets (section 4.7), or nothing if there are none.
func secretsBlock(secrets string) []byte {
	if secrets == "" {
		return nil
	}
	const tlsKeyLog = 0x544c534b
	body := binary.LittleEndian.AppendUint32(nil, tlsKeyLog)
	body = binary.LittleEndian.AppendUint32(body, uint32(len(secrets)))
	return block(0x0a, append(body, secrets...))
}

// namesBlock returns the names of the hosts (section 4.5), or nothing if there are none.
func namesBlock(hosts []netip.Addr, names map[netip.Addr]string) []byte {
	if len(hosts) == 0 {
		return nil
	}
	var body []byte
	for _, host := range hosts {
		kind := uint16(1)
		if host.Is6() {
			kind = 2
		}
		value := append(host.AsSlice(), names[host]+"\x00"...)
		body = binary.LittleEndian.AppendUint16(body, kind)
		body = binary.LittleEndian.AppendUint16(body, uint16(len(value)))
		body = append(body, value...)
		for len(body)%4 != 0 {
			body = append(body, 0)
		}
	}
	return block(0x04, append(body, 0, 0, 0, 0)) // the end of the records
}

// packet is an IP packet at a time.
type packet struct {
	at       time.Duration
	data     []byte
	captured int // how many of its bytes are known
	comments []string
}

// capture makes packets of the steps of a run.
type capture struct {
	run     *view.Run
	hosts   []netip.Addr
	names   map[netip.Addr]string
	streams map[string]*stream // by the name of the connection, and of dials that opened none
	out     []packet
}

// stream is one TCP connection.
type stream struct {
	end   [2]netip.AddrPort // the client's and the server's
	next  [2]uint32         // the sequence number that each end sends next
	state [2]string         // of each end, as far as it was recorded
	fin   [2]bool           // each end has sent a FIN
	reset bool
}

const (
	client = 0
	server = 1
)

func newCapture(run *view.Run) *capture {
	c := &capture{run: run, names: make(map[netip.Addr]string), streams: make(map[string]*stream)}
	for i, lane := range run.Lanes {
		if lane.Kind != view.ConnLane {
			continue
		}
		s := &stream{end: [2]netip.AddrPort{addrPort(lane.Client), addrPort(lane.Server)}}
		s.next = [2]uint32{uint32(i+1) << 20, uint32(i+1)<<20 + 1<<19}
		c.streams[lane.ID] = s
		c.name(s.end[server].Addr(), lane.Title)
		c.name(s.end[client].Addr(), "client")
	}
	for i, lane := range run.Lanes {
		if lane.Kind == view.DialLane {
			c.dial(i, lane)
		}
	}
	return c
}

// addrPort parses an address. One that is none, of a connection that is wrapped, is 0.0.0.0:0.
func addrPort(s string) netip.AddrPort {
	a, err := netip.ParseAddrPort(s)
	if err != nil {
		a = netip.AddrPortFrom(netip.IPv4Unspecified(), 0)
	}
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// name gives an address the name of the host of "host:port", unless it has one or that is
// the address.
func (c *capture) name(at netip.Addr, address string) {
	host, _, _ := strings.Cut(address, ":")
	if _, err := netip.ParseAddr(host); c.names[at] != "" || err == nil || at.IsLoopback() {
		return
	}
	c.hosts = append(c.hosts, at)
	c.names[at] = host
}

// dial gives a dial its stream: that of the connection that it opened, or one of its own.
func (c *capture) dial(index int, lane view.Lane) {
	for _, s := range c.run.Steps {
		if e := s.Event; e != nil && e.What == "dial" && e.Lane == lane.ID {
			if opened := c.streams[strings.TrimPrefix(e.Outcome, "open ")]; opened != nil {
				c.streams[lane.ID] = opened
				return
			}
		}
	}
	host, port, _ := strings.Cut(lane.Title, ":")
	to, err := netip.ParseAddr(host)
	for _, at := range c.hosts {
		if c.names[at] == host {
			to, err = at, nil
		}
	}
	if err != nil { // a host that nothing connected to
		to = netip.AddrFrom4([4]byte{198, 19, byte(index >> 8), byte(index)})
		c.name(to, lane.Title)
	}
	var number uint16
	fmt.Sscan(port, &number)
	from := netip.AddrFrom4([4]byte{198, 19, 255, 254})
	c.name(from, "client")
	c.streams[lane.ID] = &stream{end: [2]netip.AddrPort{netip.AddrPortFrom(from, uint16(61000+index%4000)), netip.AddrPortFrom(to, number)},
		next: [2]uint32{uint32(index+1) << 20, 0}}
}

// packets returns the packets of the run.
func (c *capture) packets() []packet {
	begun := make(map[string]bool)
	for i, step := range c.run.Steps {
		if e := step.Event; e != nil {
			c.event(i, step, e)
		}
		for _, change := range step.Changes {
			lane := c.run.Lanes[change.Lane]
			if s := c.streams[lane.ID]; lane.Kind == view.DialLane && change.State == view.Dialing && !begun[lane.ID] {
				begun[lane.ID] = true
				c.send(step.At, s, client, layers.TCP{SYN: true}, nil, 0, "dial "+lane.ID+" "+lane.Title)
				s.next[client]++
			} else if lane.Kind == view.ConnLane && change.Ends != nil {
				s.state = *change.Ends
			}
		}
	}
	return c.out
}

// event adds the packets of an event.
func (c *capture) event(i int, step view.Step, e *view.Event) {
	s := c.streams[e.Lane]
	if s == nil || s.reset {
		return
	}
	comment := fmt.Sprintf("step %d: %s", i+1, step.Text)
	if step.Where != "" {
		comment += " (" + step.Where + ")"
	}
	from := client
	if e.From == "server" {
		from = server
	}
	switch e.What {
	case "dial":
		c.answer(step.At, s, e.Outcome, comment)
	case "data":
		c.data(step.At, s, from, e, comment)
	case "fin":
		c.fin(step.At, s, from, comment)
	case "rst":
		c.rst(step.At, s, from, comment)
	}
	if e.Fault {
		c.aftermath(i, step, s, from, e.Lane)
	}
}

// answer adds the answer to a SYN.
func (c *capture) answer(at time.Duration, s *stream, outcome, comment string) {
	switch {
	case strings.HasPrefix(outcome, "open"):
		c.send(at, s, server, layers.TCP{SYN: true, ACK: true}, nil, 0, comment)
		s.next[server]++
		c.send(at, s, client, layers.TCP{ACK: true}, nil, 0)
	case outcome == "refuse" || outcome == "failed":
		c.rst(at, s, server, comment)
	}
}

// maxSegment is the size of a segment on Ethernet.
const maxSegment = 1460

// data adds the segments of bytes, and their acknowledgement.
func (c *capture) data(at time.Duration, s *stream, from int, e *view.Event, comment string) {
	if e.Size == 0 {
		return
	}
	all := append(e.Bytes[:len(e.Bytes):len(e.Bytes)], make([]byte, e.Size-len(e.Bytes))...)
	for begin := 0; begin < e.Size; begin += maxSegment {
		end := min(begin+maxSegment, e.Size)
		unknown := end - max(begin, min(end, len(e.Bytes)))
		c.send(at, s, from, layers.TCP{ACK: true, PSH: end == e.Size}, all[begin:end], unknown, comment)
		s.next[from] += uint32(end - begin)
	}
	c.acknowledge(at, s, from)
}

// acknowledge adds the answer of an end that is still there to what the other one sent.
func (c *capture) acknowledge(at time.Duration, s *stream, from int) {
	if state := s.state[1-from]; strings.HasSuffix(state, "*") || strings.HasPrefix(state, "FIN_WAIT") && s.fin[from] || state == "LAST_ACK" || state == "" {
		c.send(at, s, 1-from, layers.TCP{ACK: true}, nil, 0)
	}
}

func (c *capture) fin(at time.Duration, s *stream, from int, comment string) {
	if s.fin[from] {
		return
	}
	c.send(at, s, from, layers.TCP{FIN: true, ACK: true}, nil, 0, comment)
	s.next[from]++
	s.fin[from] = true
	c.acknowledge(at, s, from)
}

func (c *capture) rst(at time.Duration, s *stream, from int, comment string) {
	c.send(at, s, from, layers.TCP{RST: true, ACK: true}, nil, 0, comment)
	s.reset = true
}

// aftermath adds what a fault did to a connection besides: an end that it closed with a
// FIN or a reset.
func (c *capture) aftermath(i int, step view.Step, s *stream, from int, conn string) {
	for _, change := range step.Changes {
		if lane := c.run.Lanes[change.Lane]; lane.Kind != view.ConnLane || lane.ID != conn || change.Ends == nil || s.reset {
			continue
		}
		state := strings.TrimSuffix(change.Ends[1-from], "*")
		comment := fmt.Sprintf("step %d: the fault", i+1)
		switch {
		case state == "CLOSE_WAIT" || state == "LAST_ACK":
			c.fin(step.At, s, from, comment)
		case state == "CLOSED" && !(s.fin[client] && s.fin[server]):
			c.rst(step.At, s, from, comment)
		}
	}
}

// send adds a packet from one end; the last bytes of its payload are unknown.
func (c *capture) send(at time.Duration, s *stream, from int, tcp layers.TCP, payload []byte, unknown int, comments ...string) {
	to := 1 - from
	tcp.SrcPort, tcp.DstPort = layers.TCPPort(s.end[from].Port()), layers.TCPPort(s.end[to].Port())
	tcp.Seq, tcp.Window = s.next[from], 65535
	if tcp.ACK {
		tcp.Ack = s.next[to]
	}
	if tcp.RST {
		tcp.Window = 0
	}
	if tcp.SYN {
		tcp.Options = []layers.TCPOption{{OptionType: layers.TCPOptionKindMSS, OptionLength: 4, OptionData: []byte{maxSegment >> 8, maxSegment & 0xff}},
			{OptionType: layers.TCPOptionKindWindowScale, OptionLength: 3, OptionData: []byte{7}}}
	}
	source, target := s.end[from].Addr(), s.end[to].Addr()
	var ip gopacket.SerializableLayer
	if source.Is4() && target.Is4() {
		v4 := &layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolTCP, SrcIP: source.AsSlice(), DstIP: target.AsSlice(), Flags: layers.IPv4DontFragment}
		tcp.SetNetworkLayerForChecksum(v4)
		ip = v4
	} else {
		one, other := source.As16(), target.As16()
		v6 := &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: layers.IPProtocolTCP, SrcIP: one[:], DstIP: other[:]}
		tcp.SetNetworkLayerForChecksum(v6)
		ip = v6
	}
	buf := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, ip, &tcp, gopacket.Payload(payload)); err != nil {
		panic("pcapng: " + err.Error()) // the layers are of our own making
	}
	c.out = append(c.out, packet{at, buf.Bytes(), len(buf.Bytes()) - unknown, comments})
}
