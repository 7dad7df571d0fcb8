package harness_test

import (
	"log"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/harness"
)

// What net/http writes to the standard log is a step of the run in which it does so. What
// the test writes goes where it went.
func TestStandardLog(t *testing.T) {
	out := elsewhere(t, func() {
		r := harness.TestReport("logs", func(t *harness.T) {
			t.Peer("api.test:80")
			r1 := t.Get("r1", t.Net.Transport(), "http://api.test/")
			c1 := t.Conn("c1")
			c1.Respond(200, "")
			r1.Finish()
			c1.Send("HTTP/1.1 500 Unasked\r\n\r\n")
			log.Print("mine")
		})
		print(r.Trace())
	})
	const want = `| net/http: Unsolicited response received on idle HTTP channel starting with "HTTP/1.1 500 Unasked\r\n\r\n"; err=<nil>`
	if !strings.Contains(out, want+"\n") || strings.Count(out, "Unsolicited") != 1 || !strings.Contains(out, "00:00:00 mine\n") {
		t.Errorf("got:\n%s\nwant %q once, and the other line of the log", out, want)
	}
}
