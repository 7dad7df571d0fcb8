//go:build tshark

package pcapng_test

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/harness/view"
	"github.com/halfopen/halfopen/harness/view/pcapng"
)

// counts has the numbers of what Wireshark finds in a capture, or of what a run had.
type counts struct {
	streams, resets, fins int
	bytes                 int // that arrived
	http                  messages
	hosts                 string
	last                  time.Duration
	wrong                 string // what no TCP would do
}

// messages has the numbers of the messages of a case: those of HTTP/1, and the frames of HTTP/2.
type messages struct{ requests, responses, headers, data int }

// captures has the runs whose captures are read.
var captures = []struct {
	name string
	http messages
	body func(t *harness.T)
}{
	{"http1", messages{requests: 3, responses: 3}, func(t *harness.T) {
		t.Serve("api.test:80", nil)
		tr := t.Net.Transport()
		t.Get("r1", tr, "http://api.test/").Finish()
		t.Post("r2", tr, "http://api.test/echo", strings.Repeat("body ", 5000)).Finish()
		t.Advance(3 * time.Second)
		t.Get("r3", tr, "http://api.test/bytes/40000").Finish()
	}},
	{"tls-http2", messages{headers: 4, data: 2}, func(t *harness.T) {
		t.ServeTLSAs("api.test:443", "h2")
		tr := t.Net.Transport()
		tr.TLSClientConfig = &tls.Config{RootCAs: harness.TrustedRoots()}
		tr.ForceAttemptHTTP2 = true
		t.Get("r1", tr, "https://api.test/").Finish()
		r2 := t.Get("r2", tr, "https://api.test/")
		r2.Finish()
	}},
	{"proxy", messages{requests: 3, responses: 3}, func(t *harness.T) {
		t.ServeTLSAs("api.test:443", "h1")
		t.ServeProxy("proxy.test:3128", "connect")
		tr := t.Net.Transport()
		tr.TLSClientConfig = &tls.Config{RootCAs: harness.TrustedRoots()}
		tr.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: "proxy.test:3128"})
		t.Get("r1", tr, "https://api.test/").Finish()
	}},
	{"reset", messages{requests: 2, responses: 1}, func(t *harness.T) {
		t.Peer("api.test:80")
		tr := t.Net.Transport()
		r1 := t.Get("r1", tr, "http://api.test/")
		t.Conn("c1").Respond(200, "ok")
		r1.Finish()
		r2 := t.Post("r2", tr, "http://api.test/", "x")
		t.Conn("c1").Reset()
		r2.WantErr(os.ErrClosed)
	}},
	{"half-open", messages{requests: 3, responses: 2}, func(t *harness.T) {
		t.Peer("api.test:80")
		tr := t.Net.Transport()
		tr.ResponseHeaderTimeout = 5 * time.Second
		r1 := t.Get("r1", tr, "http://api.test/")
		t.Conn("c1").Respond(200, "ok")
		r1.Finish()
		t.Conn("c1").Fin()
		r2 := t.Get("r2", tr, "http://api.test/")
		t.Conn("c2").Respond(200, "ok")
		r2.Finish()
		t.Conn("c2").Vanish()
		t.Get("r3", tr, "http://api.test/")
		t.Advance(6 * time.Second)
		t.Get("r4", tr, "http://api.test/")
	}},
}

// Wireshark finds in a capture what the run had, and nothing that no TCP would do. Run it
// with make tshark.
func TestWireshark(t *testing.T) {
	for _, c := range captures {
		t.Run(c.name, func(t *testing.T) {
			harness.KeepTimelines(true)
			defer harness.KeepTimelines(false)
			run := harness.TestReport(c.name, c.body).Timeline()
			var b bytes.Buffer
			if err := pcapng.Write(&b, run); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(t.TempDir(), c.name+".pcapng")
			if err := os.WriteFile(file, b.Bytes(), 0o666); err != nil {
				t.Fatal(err)
			}
			got, want := read(t, file), had(run, c.http)
			if got != want {
				t.Errorf("got %+v\nwant %+v", got, want)
			}
		})
	}
}

// tshark returns what tshark prints of those fields, a line for each packet that the filter
// selects.
func tshark(t *testing.T, file, filter string, fields ...string) []string {
	t.Helper()
	args := []string{"-r", file, "-2", "-R", filter, "-n", "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-T", "fields"}
	for _, f := range fields {
		args = append(args, "-e", f)
	}
	cmd := exec.Command("tshark", args...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("tshark %s: %v\n%s", filter, err, errs.String())
	}
	if len(out) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}

// had returns what the run had.
func had(run *view.Run, http messages) (c counts) {
	c.http = http
	hosts := []string{"client"}
	for _, l := range run.Lanes {
		if l.Kind == view.DialLane {
			c.streams++
			host, _, _ := strings.Cut(l.Title, ":")
			hosts = append(hosts, host)
		}
	}
	slices.Sort(hosts)
	c.hosts = strings.Join(slices.Compact(hosts), " ")
	for _, s := range run.Steps {
		e := s.Event
		if e == nil {
			continue
		}
		c.last = s.At
		switch {
		case e.What == "fin":
			c.fins++
		case e.What == "rst", e.What == "dial" && e.Outcome == "refuse":
			c.resets++
		case e.What == "data":
			c.bytes += e.Size
		}
	}
	return c
}

// read returns what Wireshark finds in a capture.
func read(t *testing.T, file string) (c counts) {
	streams := make(map[string]bool)
	for _, line := range tshark(t, file, "tcp", "tcp.stream", "tcp.flags.reset", "tcp.flags.fin", "tcp.len", "frame.time_relative") {
		f := strings.Split(line, "\t")
		streams[f[0]] = true
		c.resets += number(f[1])
		c.fins += number(f[2])
		c.bytes += number(f[3])
		at, _ := time.ParseDuration(f[4] + "s")
		c.last = at
	}
	c.streams = len(streams)
	for _, line := range tshark(t, file, "http or http2", "http.request.method", "http.response.code", "http2.type") {
		f := strings.Split(line, "\t")
		c.http.requests += count(f[0], "")
		c.http.responses += count(f[1], "")
		c.http.headers += count(f[2], "1")
		c.http.data += count(f[2], "0")
	}
	var wrong []string
	for _, filter := range []string{"tcp.analysis.flags", "_ws.malformed", "tcp.checksum.status == 0 or ip.checksum.status == 0", "_ws.expert.severity == 8388608",
		"tcp.analysis.retransmission or tcp.analysis.out_of_order or tcp.analysis.lost_segment"} {
		for _, line := range tshark(t, file, filter, "frame.number", "_ws.expert.message") {
			wrong = append(wrong, filter+": "+line)
		}
	}
	c.wrong = strings.Join(wrong, "\n")
	c.hosts = hostsOf(t, file)
	return c
}

// hostsOf returns the names of the hosts of a capture.
func hostsOf(t *testing.T, file string) string {
	cmd := exec.Command("tshark", "-r", file, "-N", "n", "-T", "fields", "-e", "ip.src_host", "-e", "ip.dst_host")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	hosts := strings.Fields(string(out))
	slices.Sort(hosts)
	return strings.Join(slices.Compact(hosts), " ")
}

// number returns a number of tshark, which may be a truth value.
func number(s string) int {
	if s == "True" {
		return 1
	}
	n, _ := strconv.Atoi(cmp.Or(s, "0"))
	return n
}

// count counts the values of a field that are the wanted one, or any.
func count(field, want string) (n int) {
	for v := range strings.SplitSeq(field, ",") {
		if v != "" && (want == "" || v == want) {
			n++
		}
	}
	return n
}
