package faultnet_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/halfopen/halfopen/faultnet"
)

// FuzzConn holds a connection against a model, call by call: what each call
// returns and whether it blocks, the state of both ends, what is in flight and
// unread, and that nothing is left at the end.
//
// The first byte of an input is how the network is made, and then each two are
// a call: fuzzCalls, its end and its argument.
func FuzzConn(f *testing.F) {
	for _, seed := range fuzzSeeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		if len(input) == 0 {
			return // not even how the network is made
		}
		input = input[:min(len(input), 200)]
		synctest.Test(t, func(t *testing.T) { newFuzzRun(t, input[0]).run(input[1:]) })
	})
}

// The calls, by number. An input has them as 2*number+side.
const (
	fuzzRead = iota
	fuzzWrite
	fuzzClose
	fuzzCloseRead
	fuzzCloseWrite
	fuzzReset
	fuzzLinger
	fuzzReadDeadline
	fuzzWriteDeadline
	fuzzPass
	fuzzRelease
	fuzzBreak // the verdict Reset for what is pending
	fuzzVanish
	fuzzCalls
)

// fuzzSeeds begin where the interesting things are.
var fuzzSeeds = []string{
	"\x00\x02\x05\x01\x03\x01\x0a",                                 // write, and read in two parts
	"\x00\x01\x05\x02\x05\x04\x00\x01\x05",                         // a blocked read, then a FIN
	"\x00\x02\x05\x05\x00\x00\x01\x02\x01\x02\x01",                 // a close with unread bytes
	"\x00\x05\x00\x02\x01\x02\x01\x00\x01",                         // a write to a closed end
	"\x00\x06\x00\x08\x00\x03\x01\x00\x01\x01\x01",                 // bytes to an end shut both ways
	"\x00\x08\x00\x09\x00\x08\x00\x07\x00\x00\x01",                 // both half-closed
	"\x02\x02\x20\x01\x03\x01\x03\x08\x00\x01\x20\x01\x20",         // a blocked write and a half-close
	"\x02\x02\x20\x10\x01\x01\x20\x01\x20\x02\x03",                 // a blocked write and a past deadline
	"\x02\x02\x20\x05\x00\x00\x01\x02\x01",                         // a blocked write and the peer's close
	"\x01\x02\x05\x04\x00\x14\x00\x01\x09\x14\x00\x01\x01\x05\x00", // driven: bytes, then a FIN
	"\x01\x02\x05\x03\x05\x05\x00\x14\x00\x14\x00\x14\x00\x00\x09", // driven: bytes to a closed end
	"\x01\x02\x05\x03\x05\x16\x00\x00\x09\x01\x09\x02\x01\x03\x01", // driven: a broken connection
	"\x01\x02\x05\x18\xff\x01\x05\x05\x00\x04\x00",                 // a connection that vanished
	"\x00\x0e\x03\x01\x05\x00\x05\x0e\x02\x12\x01\x12\x01\x12\x01", // deadlines that pass
	"\x05\x02\x20\x14\x00\x0a\x00\x14\x00\x01\x20\x01\x20",         // a reset past a closed window
	"\x04\x04\x00\x05\x00\x04\x00\x01\x01\x02\x01",                 // both closed, and once more
	"\x01\x09\x00\x14\x00\x08\x00\x0a\x00",                         // driven: linger 0 in LAST-ACK
	"\x03\x03\x05\x0a\x00\x03\x08",                                 // driven: bytes to a closed end fill the buffer
	"\x02\x02\x19\x00\x05\x0b\x00",                                 // a reset finds a blocked read and write
}

// fuzzRun is one input being run on both.
type fuzzRun struct {
	t     *testing.T
	net   *faultnet.Net
	ends  [2]*faultnet.Conn
	calls [2][2]*fuzzCall // by end: a Read, a Write
	model *model
	next  byte // of the stream that both ends write
	log   []string
}

type fuzzCall struct {
	done   chan struct{}
	result string
}

func newFuzzRun(t *testing.T, how byte) *fuzzRun {
	sizes := [...][2]int{{64 << 10, 64 << 10}, {3, 5}, {16, 1}, {1, 20}}[how>>1&3]
	r := &fuzzRun{t: t, net: &faultnet.Net{SendBuffer: sizes[0], ReceiveBuffer: sizes[1]}}
	r.ends[0], r.ends[1] = pipe(t, r.net)
	r.model = newModel(how&1 != 0, sizes[0], sizes[1])
	if r.model.driven {
		r.net.Drive(func() {})
	}
	return r
}

func (r *fuzzRun) run(input []byte) {
	for len(input) >= 2 {
		r.step(int(input[0]>>1)%fuzzCalls, int(input[0]&1), int(input[1]))
		input = input[2:]
	}
	for side := range r.ends {
		r.step(fuzzClose, side, 0)
	}
	for r.model.driven && !r.model.lost && len(r.net.Pending()) > 0 {
		r.step(fuzzRelease, 0, 0)
	}
	if left := r.net.Conns(); len(left) > 0 {
		r.fail("at the end", r.net.String(), "nothing left")
	}
}

// step makes one call on both, lets everything settle and compares.
func (r *fuzzRun) step(call, side, arg int) {
	c, e := r.ends[side], &r.model.ends[side]
	got, want := "", ""
	name := ""
	direct := func(call string, err error, modelled string) {
		name, got, want = call, fuzzError(err), modelled
	}
	switch call {
	case fuzzRead, fuzzWrite:
		if r.calls[side][call] != nil {
			return // one at a time
		}
		name = r.begin(call, side, arg%40)
	case fuzzClose:
		direct("close", c.Close(), e.close(false))
	case fuzzReset:
		direct("reset", c.Reset(), e.close(true))
	case fuzzCloseRead:
		direct("closeread", c.CloseRead(), e.shut(true))
	case fuzzCloseWrite:
		direct("closewrite", c.CloseWrite(), e.shut(false))
	case fuzzLinger:
		direct(fmt.Sprint("linger ", arg%2), c.SetLinger(arg%2), e.set(func() { e.lingerZero = arg%2 == 0 }))
	case fuzzReadDeadline:
		at, seconds := r.deadline(arg)
		direct(fmt.Sprint("readdeadline ", arg%6), c.SetReadDeadline(at), e.set(func() { e.readDeadline = seconds }))
	case fuzzWriteDeadline:
		at, seconds := r.deadline(arg)
		direct(fmt.Sprint("writedeadline ", arg%6), c.SetWriteDeadline(at), e.set(func() { e.writeDeadline = seconds }))
	case fuzzPass:
		name = fmt.Sprint("pass ", 1+arg%3)
		r.model.now += 1 + arg%3
		time.Sleep(time.Duration(1+arg%3) * time.Second) // virtual
	case fuzzRelease, fuzzBreak:
		name = r.release(call, arg)
	case fuzzVanish:
		if arg != 255 {
			return // it would end most inputs
		}
		name = "vanish"
		c.Vanish()
		r.model.lost = true
	}
	r.log = append(r.log, fmt.Sprintf("%v %s", c.Side(), name))
	synctest.Wait()
	r.compare(got, want)
}

// begin starts a Read or a Write of size bytes.
func (r *fuzzRun) begin(call, side, size int) string {
	c, e := r.ends[side], &r.model.ends[side]
	b := make([]byte, size)
	done := &fuzzCall{done: make(chan struct{})}
	r.calls[side][call] = done
	if call == fuzzRead {
		name := fmt.Sprintf("read %d", size)
		e.read = &modelCall{name: fmt.Sprint(c.Side(), " read"), size: size}
		go func() {
			n, err := c.Read(b)
			done.result = fmt.Sprintf("%d %s", n, fuzzError(err))
			if n > 0 {
				done.result = fmt.Sprintf("%d %x %s", n, b[:n], fuzzError(err))
			}
			close(done.done)
		}()
		return name
	}
	for i := range b {
		b[i] = r.next
		r.next++
	}
	e.write = &modelCall{name: fmt.Sprint(c.Side(), " write"), rest: slices.Clone(b)}
	go func() {
		n, err := c.Write(b)
		done.result = fmt.Sprintf("%d %s", n, fuzzError(err))
		close(done.done)
	}()
	return fmt.Sprintf("write %d", size)
}

// deadline returns an instant, and the same in the model's seconds.
func (r *fuzzRun) deadline(arg int) (time.Time, *int) {
	switch arg % 6 {
	case 0:
		return time.Time{}, nil
	case 1:
		past := r.model.now - 1
		return time.Now().Add(-time.Second), &past
	}
	later := r.model.now + arg%6 - 2 // this instant, or one to come
	return time.Now().Add(time.Duration(arg%6-2) * time.Second), &later
}

// release lets one pending event happen, or breaks the connection there.
func (r *fuzzRun) release(call, arg int) string {
	pending := r.net.Pending()
	if len(pending) == 0 {
		return "release nothing"
	}
	event := pending[arg%len(pending)]
	to := &r.model.ends[event.From.Peer().Side()]
	if call == fuzzBreak {
		r.net.Apply(event, faultnet.Reset)
		to.takeReset()
		to.peer.takeReset()
		return "break " + event.String()
	}
	r.net.Release(event)
	to.arrive()
	return "release " + event.String()
}

// compare looks at what ended and at the ends.
func (r *fuzzRun) compare(got, want string) {
	for _, c := range r.model.settle() {
		want += fmt.Sprintf("; %s: %s", c.name, c.result)
	}
	// The order in which calls end means nothing.
	for side := range r.calls {
		for call, c := range r.calls[side] {
			if c == nil {
				continue
			}
			select {
			case <-c.done:
				got += fmt.Sprintf("; %v %s: %s", faultnet.Side(side), []string{"read", "write"}[call], c.result)
				r.calls[side][call] = nil
			default:
			}
		}
	}
	got, want = fuzzSorted(got), fuzzSorted(want)
	for _, c := range r.ends {
		got += fmt.Sprintf(" %s %d+%d", c.State(), c.InFlight(), c.Unread())
		for _, e := range r.net.Pending() {
			if e.From.Peer() == c {
				got += e.Kind.String()
			}
		}
	}
	want += r.model.String()
	if got != want {
		r.fail(r.log[len(r.log)-1], got, want)
	}
}

func fuzzSorted(list string) string {
	parts := strings.Split(list, "; ")
	slices.Sort(parts)
	return strings.Join(parts, "; ")
}

func (r *fuzzRun) fail(when, got, want string) {
	for _, c := range r.ends {
		c.Close() // so that the bubble can end
	}
	r.net.Drive(nil)
	r.t.Fatalf("%s: got  %s\nwant %s\nafter\n\t%s", when, got, want, strings.Join(r.log, "\n\t"))
}

// fuzzError names an error in a word.
func fuzzError(err error) string {
	for _, known := range []struct {
		err  error
		word string
	}{
		{nil, "nil"}, {io.EOF, "EOF"}, {net.ErrClosed, "closed"}, {os.ErrDeadlineExceeded, "timeout"},
		{syscall.ECONNRESET, "ECONNRESET"}, {syscall.EPIPE, "EPIPE"}, {syscall.ENOTCONN, "ENOTCONN"},
	} {
		if errors.Is(err, known.err) {
			return known.word
		}
	}
	return err.Error()
}
