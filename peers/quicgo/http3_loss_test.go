package quicgo

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness"
)

// exchanges lists requests during which each single packet is lost, doubled or overtaken. The first
// packets of each are a handshake.
var exchanges = []struct {
	name, method, path string
	body               int64
	size               int // bytes of the answer
}{
	{"GET", "GET", "/", 0, 2},
	{"GET of 20,000 bytes", "GET", "/bytes/20000", 0, 20_000},
	{"POST of 20,000 bytes", "POST", "/echo", 20_000, 20_000},
}

// newExchange returns the request of an exchange.
func newExchange(i int) *http.Request {
	x := exchanges[i]
	req, _ := http.NewRequest(x.method, "https://api.test"+x.path, nil)
	if x.body > 0 {
		req.Body = io.NopCloser(io.LimitReader(zeroes{}, x.body))
	}
	return req
}

// swept is the result of an exchange.
type swept struct {
	packets [2]int // by the side that sent them
	fired   bool
	outcome string
	size    int // bytes of the answer
	report  *harness.Report
}

// onPacket has a packet get that verdict, unless it is "", and counts the packets by the side that sends
// them. The result reports whether the verdict was given.
func onPacket(t *harness.T, packet string, v faultnet.Verdict, packets *[2]int) (fired func() bool) {
	fired = func() bool { return true }
	if packet != "" {
		_, fired = t.Net.Raw().Arm(packet, v)
	}
	t.Net.Raw().Install(func(e *faultnet.Event) faultnet.Verdict {
		if _, number, side := e.Flow(); number > 0 {
			packets[side] = max(packets[side], number)
		}
		return faultnet.Pass
	})
	return fired
}

// exchange makes the exchange with that verdict on a packet; "" stands for none.
func exchange(i int, packet string, v faultnet.Verdict) (s swept) {
	var packets [2]int
	s.report = harness.TestReport(exchanges[i].name, func(t *harness.T) {
		fired := onPacket(t, packet, v, &packets)
		ServeHTTP3(t, "api.test:443", nil)
		r := t.Start("r1", http3Transport(t), newExchange(i))
		r.Await()
		s.outcome = outcomeOf(r.Response(), r.Err())
		t.Advance(time.Second) // for what was put behind
		if r.Response() != nil {
			n, err := io.Copy(io.Discard, r.Response().Body)
			if s.size = int(n); err != nil {
				t.Errorf("%v behind %d bytes of the answer", err, n)
			}
			r.CloseBody()
		}
		r.WantSent(1)
		s.packets, s.fired = packets, fired()
		wantFlows(t, 1, 1)
	})
	return s
}

type zeroes struct{}

func (zeroes) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// outcomeOf describes an answer or an error: that of a timeout is one whatever ran out.
func outcomeOf(resp *http.Response, err error) string {
	var timeout net.Error
	var transport *quic.TransportError
	switch {
	case errors.As(err, &transport):
		return "error " + transport.ErrorCode.String()
	case errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case err != nil:
		return "error " + err.Error()
	}
	return resp.Status
}

// One packet is lost, comes twice, or comes behind the next, at each place of a handshake and of
// an exchange: the answer is whole each time, the request reaches the server once, and there is
// one connection.
func TestHTTP3EachPacket(t *testing.T) {
	all := 0
	for i, x := range exchanges {
		plain := exchange(i, "", faultnet.Pass)
		if plain.report.Failed() || plain.outcome != "200 OK" || plain.size != x.size {
			t.Fatalf("%s: got %s\n%s", x.name, plain.outcome, plain.report)
		}
		faults, fired := 0, 0
		for side, count := range plain.packets {
			direction := [...]string{"client->server", "server->client"}[side]
			for number := 1; number <= count; number++ {
				for _, v := range []faultnet.Verdict{faultnet.Drop, faultnet.Duplicate, faultnet.Reorder(100 * time.Millisecond)} {
					packet := fmt.Sprintf("packet u1 %s %d", direction, number)
					s := exchange(i, packet, v)
					faults++
					if s.fired {
						fired++
					}
					if s.report.Failed() || s.outcome != "200 OK" || s.size != x.size {
						t.Errorf("%s: %s as %s: got %s\n%s", x.name, packet, v, s.outcome, s.report)
					}
				}
			}
		}
		t.Logf("%s: %d packets of the client, %d of the server, %d faults, %d fired", x.name, plain.packets[0], plain.packets[1], faults, fired)
		// The order of goroutines inside a step is chance outside of a deep bubble: one run may
		// have two packets less in each direction than another one.
		if fired < faults-2*2*3 {
			t.Errorf("%s: got %d of %d faults fired", x.name, fired, faults)
		}
		all += fired
	}
	if all < 200 {
		t.Errorf("got %d faults in all, want at least 200", all)
	}
}

// A handshake of which each packet of one direction is lost ends with an error that has a cause:
// a timeout.
func TestHTTP3AllLost(t *testing.T) {
	for _, direction := range []string{"client->server", "server->client"} {
		wantTest(t, func(t *harness.T) {
			ServeHTTP3(t, "api.test:443", nil)
			t.Net.Fault("packet u1 "+direction, faultnet.Drop, faultnet.Always())
			r := t.Get("r1", http3Transport(t), "https://api.test/")
			r.Await()
			if got := outcomeOf(nil, r.Err()); got != "timeout" {
				t.Errorf("%s: got %s, want a timeout", direction, got)
			}
			wantFlows(t, 1, 0)
		})
	}
}
