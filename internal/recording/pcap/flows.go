package pcap

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/halfopen/halfopen/internal/recording"
)

// segment has the parts of a TCP segment that are needed.
type segment struct {
	at                 time.Duration
	from, to           netip.AddrPort
	seq                uint32
	n                  int // bytes of data, of which data are the first that were captured
	data               []byte
	syn, ack, fin, rst bool
}

// stream is one connection, or the attempt at one.
type stream struct {
	number  int
	client  netip.AddrPort
	server  netip.AddrPort
	began   time.Duration
	lastSYN time.Duration
	conn    *recording.Conn // nil until the server has answered
	ends    [2]end          // the client's and the server's
}

// end is one direction of a stream.
type end struct {
	known bool
	next  uint32 // the sequence number that comes next
	early []segment
	fin   bool
}

// What is kept at most.
const (
	mostStreams = 20_000
	mostEarly   = 4_096 // segments that came before their turn, of all streams
	mostGap     = 16    // of one direction
)

// flows is the connections of a capture.
type flows struct {
	rec     *recording.Recording
	streams map[pair]*stream
	numbers int
	opened  int
	early   int
}

func (f *flows) segment(s *segment) {
	key := pairOf(s.from, s.to)
	st := f.streams[key]
	if s.syn && !s.ack {
		f.dial(key, st, s)
		return
	}
	if st == nil {
		if st = f.midway(key, s); st == nil {
			return
		}
	}
	side := 0
	if s.from == st.server {
		side = 1
	}
	e := &st.ends[side]
	switch {
	case s.rst:
		f.reset(key, st, s, side)
		return
	case s.syn && side == 1:
		if st.conn == nil {
			f.open(st, s.at)
		}
		*e = end{known: true, next: s.seq + 1}
		return
	case st.conn == nil:
		if side == 0 || s.n == 0 {
			return
		}
		f.open(st, s.at) // its SYN was not captured
	}
	if !e.known {
		e.known, e.next = true, s.seq
	}
	f.take(st, side, s)
	if st.ends[0].fin && st.ends[1].fin {
		f.remove(key, st)
	}
}

// dial takes a SYN. It may be sent again; one of a pair that was used before begins a new stream.
func (f *flows) dial(key pair, st *stream, s *segment) {
	switch {
	case st != nil && st.conn == nil && st.client == s.from && st.ends[0].next == s.seq+1:
		st.lastSYN = s.at
		return
	case st != nil:
		f.remove(key, st)
	case len(f.streams) >= mostStreams:
		f.rec.Seen++
		return
	}
	f.numbers++
	st = &stream{number: f.numbers, client: s.from, server: s.to, began: s.at, lastSYN: s.at}
	st.ends[0] = end{known: true, next: s.seq + 1}
	f.streams[key] = st
}

// midway makes a stream of a connection that was opened before the capture. Only data begins one: the
// last FINs and ACKs of closed connections do not. The client is the side that sends a request, or
// else the one with the larger port.
func (f *flows) midway(key pair, s *segment) *stream {
	if s.n == 0 || s.rst || s.syn || len(f.streams) >= mostStreams {
		return nil
	}
	client, server := s.from, s.to
	if !asks(s.data) && (answers(s.data) || server.Port() > client.Port()) {
		client, server = server, client
	}
	f.numbers++
	st := &stream{number: f.numbers, client: client, server: server}
	f.streams[key] = st
	f.open(st, s.at)
	st.conn.Began = true
	return st
}

func asks(data []byte) bool {
	line, _, _ := bytes.Cut(data, []byte("\r\n"))
	return bytes.Contains(line, []byte(" HTTP/1."))
}

func answers(data []byte) bool { return bytes.HasPrefix(data, []byte("HTTP/1.")) }

func (f *flows) open(st *stream, at time.Duration) {
	f.opened++
	st.conn = f.rec.NewConn(&recording.Conn{Name: fmt.Sprintf("c%d", f.opened), Address: st.server.String(),
		Remote: st.server.String(), Dialed: st.began, Opened: at, Last: at})
}

// reset takes a RST: the answer to a SYN, or the end of a connection.
func (f *flows) reset(key pair, st *stream, s *segment, side int) {
	if st.conn == nil {
		if side == 1 {
			f.rec.NewDial(&recording.Dial{Name: fmt.Sprintf("d%d", st.number), Address: st.server.String(), At: st.began, End: s.at,
				Why: "refused", Text: "a reset in answer to the SYN"})
		}
	} else if !st.ends[1-side].fin || !st.ends[side].fin {
		st.conn.Rst(s.at, side == 0)
	}
	f.remove(key, st)
}

func (f *flows) remove(key pair, st *stream) {
	for i := range st.ends {
		f.early -= len(st.ends[i].early)
		st.ends[i].early = nil
	}
	if st.conn != nil {
		st.conn.Close()
	} else if st == f.streams[key] && st.lastSYN-st.began >= synEnds {
		f.timedOut(st)
	}
	delete(f.streams, key)
}

// synEnds is how long Linux waits after its last but one SYN at most: no SYN comes after that.
const synEnds = 63 * time.Second

func (f *flows) timedOut(st *stream) {
	f.rec.NewDial(&recording.Dial{Name: fmt.Sprintf("d%d", st.number), Address: st.server.String(), At: st.began, End: st.began + 127*time.Second,
		Why: "timeout", Text: "no answer to any SYN"})
}

// take takes a segment in its turn, with those that have waited for it. What was sent again is
// passed over. Where too many wait for one, that was not captured.
func (f *flows) take(st *stream, side int, s *segment) {
	e := &st.ends[side]
	if int32(s.seq-e.next) > 0 {
		if s.n == 0 && !s.fin {
			return
		}
		early := *s
		early.data = bytes.Clone(s.data)
		e.early = append(e.early, early)
		if f.early++; len(e.early) > mostGap || f.early > mostEarly {
			first := slices.MinFunc(e.early, func(a, b segment) int { return cmp.Compare(int32(a.seq-e.next), int32(b.seq-e.next)) })
			e.next = first.seq
		}
	} else {
		f.inTurn(st, side, s)
	}
	for {
		i := slices.IndexFunc(e.early, func(s segment) bool { return int32(s.seq-e.next) <= 0 })
		if i < 0 {
			return
		}
		next := e.early[i]
		e.early = slices.Delete(e.early, i, i+1)
		f.early--
		f.inTurn(st, side, &next)
	}
}

// inTurn takes a segment that is not ahead of its turn.
func (f *flows) inTurn(st *stream, side int, s *segment) {
	e := &st.ends[side]
	old := int(int32(e.next - s.seq)) // bytes that were there before
	if old < 0 {
		return
	}
	if n := s.n - old; n > 0 {
		data := s.data[min(old, len(s.data)):]
		c := st.conn
		if side == 0 && c.Protocol == "" && startsTLS(data) {
			c.Protocol = "tls"
		}
		if side == 0 && c.Protocol == "" && asks(data) {
			c.Protocol = "http/1"
		}
		c.Bytes(s.at, side == 0, int64(n), string(data))
		e.next += uint32(n)
	}
	if s.fin && !e.fin {
		e.fin = true
		e.next++
		st.conn.Fin(s.at, side == 0)
	}
}

// finish returns the recording. Dials without an answer are in flight.
func (f *flows) finish() *recording.Recording {
	left := slices.SortedFunc(maps.Values(f.streams), func(a, b *stream) int { return cmp.Compare(a.number, b.number) })
	for _, st := range left {
		switch {
		case st.conn != nil:
		case f.rec.Length-st.began >= 127*time.Second:
			f.timedOut(st)
		default:
			f.rec.NewDial(&recording.Dial{Name: fmt.Sprintf("d%d", st.number), Address: st.server.String(), At: st.began, End: recording.Never})
		}
	}
	return f.rec
}
