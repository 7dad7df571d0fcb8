package quicgo

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"testing"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/internal/deep/on"
)

var http3Replays = flag.Int("http3.replays", 100, "how many times TestHTTP3Replays runs the same")

// In a deep bubble quic-go is deterministic: the same requests give the same packets in the same
// order, to the byte, though connection IDs, keys and the order of goroutines are random
// elsewhere. In an ordinary bubble the order of goroutines inside a step decides which frames
// share a packet, and keys are new each time: there the answers are the same, and the packets
// need not be.
//
//	halfopen test . -run HTTP3Replays -http3.replays 2000
func TestHTTP3Replays(t *testing.T) {
	traces, bytes, outcomes := make(map[string]int), make(map[string]int), make(map[string]int)
	for run := range *http3Replays + 1 {
		sum := sha256.New()
		outcome := ""
		r := harness.TestReport(t.Name(), func(t *harness.T) {
			t.Net.Raw().Install(func(e *faultnet.Event) faultnet.Verdict {
				fmt.Fprintf(sum, "%s %x\n", e, e.Bytes())
				return faultnet.Pass
			})
			ServeHTTP3(t, "api.test:443", nil)
			tr := http3Transport(t)
			t.Net.Fault("packet u1 server->client 3", faultnet.Drop)
			first := t.Get("r1", tr, "https://api.test/bytes/5000")
			second := t.Post("r2", tr, "https://api.test/echo", "hello")
			third := t.Get("r3", tr, "https://api.test/hang").MayCancel()
			first.Await()
			first.Finish()
			second.Await()
			second.WantBody("hello")
			third.Cancel()
			outcome = fmt.Sprint(first, second, third)
		})
		if r.Failed() {
			t.Fatalf("%s", r)
		}
		if run == 0 {
			continue // what a process makes once, such as certificates, takes random bytes in the first run
		}
		traces[r.Trace()]++
		bytes[fmt.Sprintf("%x", sum.Sum(nil))]++
		outcomes[outcome]++
	}
	t.Logf("%d runs, deep %t: %d traces, %d contents, %d outcomes", *http3Replays, on.Deep(), len(traces), len(bytes), len(outcomes))
	if len(outcomes) != 1 {
		t.Errorf("got the outcomes %v, want one", outcomes)
	}
	if on.Deep() && (len(traces) != 1 || len(bytes) != 1) {
		t.Errorf("got %d traces and %d contents, want one of each", len(traces), len(bytes))
	}
}
