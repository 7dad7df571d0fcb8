package pcapng_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/halfopen/halfopen/harness/view"
	"github.com/halfopen/halfopen/harness/view/pcapng"
)

// handmade returns a run with a connection that carries bytes both ways, of which some are not
// kept, and ends with FINs; a dial that is refused, and one that has no answer.
func handmade() *view.Run {
	open := &[2]string{"ESTABLISHED*", "ESTABLISHED*"}
	return &view.Run{
		Name: "handmade", Verdict: "held", Began: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), Secrets: "CLIENT_RANDOM 00 11\n",
		Lanes: []view.Lane{
			{Kind: view.DialLane, ID: "d1", Title: "api.test:80"},
			{Kind: view.ConnLane, ID: "c1", Title: "api.test:80", Client: "198.18.0.2:32768", Server: "198.18.0.1:80"},
			{Kind: view.DialLane, ID: "d2", Title: "api.test:81"},
			{Kind: view.DialLane, ID: "d3", Title: "gone.test:80"},
		},
		Steps: []view.Step{
			{Kind: view.VerbStep, Text: "get r1", Changes: []view.Change{{Lane: 0, State: view.Dialing}, {Lane: 2, State: view.Dialing}, {Lane: 3, State: view.Dialing}}},
			{Kind: view.EventStep, At: time.Second, Text: "dial d1 open c1", Event: &view.Event{What: "dial", Lane: "d1", Outcome: "open c1"}, Changes: []view.Change{{Lane: 1, State: view.InUse, Ends: open}}},
			{Kind: view.EventStep, At: time.Second, Text: "dial d2 refuse", Event: &view.Event{What: "dial", Lane: "d2", Outcome: "refuse", Fault: true}},
			{Kind: view.EventStep, At: time.Second, Text: "c1 client->server data", Event: &view.Event{What: "data", Lane: "c1", From: "client", Size: 5, Bytes: []byte("hello")}},
			{Kind: view.EventStep, At: 2 * time.Second, Text: "c1 server->client data", Event: &view.Event{What: "data", Lane: "c1", From: "server", Size: 2000, Bytes: []byte("kept")}},
			{Kind: view.EventStep, At: 3 * time.Second, Text: "c1 client fin", Event: &view.Event{What: "fin", Lane: "c1", From: "client"}, Changes: []view.Change{{Lane: 1, Ends: &[2]string{"FIN_WAIT2", "CLOSE_WAIT*"}}}},
			{Kind: view.EventStep, At: 3 * time.Second, Text: "c1 server fin", Event: &view.Event{What: "fin", Lane: "c1", From: "server"}, Changes: []view.Change{{Lane: 1, Ends: &[2]string{"CLOSED", "CLOSED"}}}},
		},
	}
}

// packetOf has the facts about a packet that a test wants.
type packetOf struct {
	at               time.Duration
	flags            string
	seq, ack         uint32 // from the beginning of its direction
	length, captured int
	source, target   layers.TCPPort
}

// A capture has the packets of the run with sequence numbers that fit, and the keys before
// the first packet.
func TestWrite(t *testing.T) {
	var b, again bytes.Buffer
	for _, w := range []*bytes.Buffer{&b, &again} {
		if err := pcapng.Write(w, handmade()); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(b.Bytes(), again.Bytes()) {
		t.Error("got two captures that differ")
	}
	text := b.String()
	keys, syn := bytes.Index(b.Bytes(), []byte("CLIENT_RANDOM 00 11")), bytes.Index(b.Bytes(), []byte("dial d1"))
	if keys < 0 || syn < keys {
		t.Errorf("got the keys at byte %d and a packet at byte %d, want the keys first", keys, syn)
	}
	for _, name := range []string{"api.test\x00", "client\x00", "gone.test\x00"} {
		if !bytes.Contains(b.Bytes(), []byte(name)) {
			t.Errorf("got no host %q in %d bytes", name, len(text))
		}
	}
	r, err := pcapgo.NewNgReader(&b, pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	want := []packetOf{
		{0, "S", 0, 0, 0, 0, 32768, 80},
		{0, "S", 0, 0, 0, 0, 61002, 81},
		{0, "S", 0, 0, 0, 0, 61003, 80},
		{time.Second, "SA", 0, 1, 0, 0, 80, 32768},
		{time.Second, "A", 1, 1, 0, 0, 32768, 80},
		{time.Second, "RA", 0, 1, 0, 0, 81, 61002},
		{time.Second, "PA", 1, 1, 5, 5, 32768, 80},
		{time.Second, "A", 1, 6, 0, 0, 80, 32768},
		{2 * time.Second, "A", 1, 6, 1460, 4, 80, 32768},
		{2 * time.Second, "PA", 1461, 6, 540, 0, 80, 32768},
		{2 * time.Second, "A", 6, 2001, 0, 0, 32768, 80},
		{3 * time.Second, "FA", 6, 2001, 0, 0, 32768, 80},
		{3 * time.Second, "A", 2001, 7, 0, 0, 80, 32768},
		{3 * time.Second, "FA", 2001, 7, 0, 0, 80, 32768},
		{3 * time.Second, "A", 7, 2002, 0, 0, 32768, 80},
	}
	began := handmade().Began
	first := make(map[layers.TCPPort]uint32) // the sequence number that each end of each pair begins with
	for i, w := range want {
		data, info, err := r.ReadPacketData()
		if err != nil {
			t.Fatalf("packet %d: %v", i+1, err)
		}
		p := gopacket.NewPacket(data, layers.LayerTypeIPv4, gopacket.Default)
		tcp, ok := p.Layer(layers.LayerTypeTCP).(*layers.TCP)
		if !ok {
			t.Fatalf("packet %d: got no TCP: %v", i+1, p)
		}
		key := tcp.SrcPort<<1 ^ tcp.DstPort
		if _, ok := first[key]; !ok {
			first[key] = tcp.Seq
		}
		got := packetOf{at: info.Timestamp.Sub(began), flags: flags(tcp), seq: tcp.Seq - first[key], length: info.Length - 20 - 4*int(tcp.DataOffset), captured: len(tcp.Payload),
			source: tcp.SrcPort, target: tcp.DstPort}
		if tcp.ACK {
			got.ack = tcp.Ack - first[tcp.DstPort<<1^tcp.SrcPort]
		}
		if got != w {
			t.Errorf("packet %d: got %+v, want %+v", i+1, got, w)
		}
	}
	if _, _, err := r.ReadPacketData(); err == nil {
		t.Error("got more packets")
	}
}

func flags(tcp *layers.TCP) (s string) {
	for _, f := range []struct {
		on   bool
		name string
	}{{tcp.SYN, "S"}, {tcp.FIN, "F"}, {tcp.RST, "R"}, {tcp.PSH, "P"}, {tcp.ACK, "A"}} {
		if f.on {
			s += f.name
		}
	}
	return s
}
