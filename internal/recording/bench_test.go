package recording_test

import (
	"bufio"
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/halfopen/halfopen/internal/recording"
)

// What it costs to read a trace, with the first bytes of each message and without. The metric "x-lines" is how
// many times as long it takes as to read the lines of the file and to do nothing with them.
func BenchmarkReadTrace(b *testing.B) {
	for _, payload := range []bool{false, true} {
		name := map[bool]string{false: "bare", true: "payload"}[payload]
		trace := longTrace(20_000, payload)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(trace)))
			var lines, all time.Duration
			for b.Loop() {
				began := time.Now()
				for s := bufio.NewScanner(bytes.NewReader(trace)); s.Scan(); {
				}
				scanned := time.Now()
				if _, err := recording.ReadTrace("x", bytes.NewReader(trace)); err != nil {
					b.Fatal(err)
				}
				lines, all = lines+scanned.Sub(began), all+time.Since(scanned)
			}
			b.ReportMetric(float64(all)/float64(lines), "x-lines")
		})
	}
}

// longTrace returns a trace of as many requests, ten on each connection.
func longTrace(requests int, payload bool) []byte {
	asked, answered := "", ""
	if payload {
		asked = fmt.Sprintf(" %q", "GET /price/apple HTTP/1.1\r\nHost: 127.0.0.1:37063\r\nUser-Agent: Go-http-client/1.1\r\nAccept-Encoding: gzip\r\n\r\n")
		answered = fmt.Sprintf(" %q", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 28\r\n\r\n{\"item\":\"apple\",\"cents\":30}\n")
	}
	var b bytes.Buffer
	b.WriteString("halfopen trace 1\n")
	for i := range requests {
		c := i/10 + 1
		if i%10 == 0 {
			fmt.Fprintf(&b, "%d.0 d%d dial tcp x:1\n%d.1 d%d open c%d 10.0.0.2:52690 10.0.0.1:80\n", i, c, i, c, c)
		}
		fmt.Fprintf(&b, "%d.2 c%d write 107%s\n%d.3 c%d read 136%s\n", i, c, asked, i, c, answered)
		if i%10 == 9 {
			fmt.Fprintf(&b, "%d.4 c%d close\n", i, c)
		}
	}
	fmt.Fprintf(&b, "%d.0 end\n", requests+10)
	return b.Bytes()
}
