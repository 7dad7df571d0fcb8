package diagnose_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/pprof"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/internal/diagnose"
	"github.com/halfopen/halfopen/internal/diagnose/waits"
)

var update = flag.Bool("update", false, "rewrite the diagnoses in testdata")

// counts returns the lines of a diagnosis that begin its sections.
func counts(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if regexp.MustCompile(`^\d+ x `).MatchString(line) {
			b.WriteString(line)
		}
	}
	return b.String()
}

// Each wait of a transport is recognized, in the goroutines of the Go that runs this test. A bubble
// says when all of them are at their waits.
func TestWaits(t *testing.T) {
	want := `4 x response body neither closed nor read to its end
1 x HTTP/2 stream whose response has come, and whose body has no reader
2 x request in line for a connection
1 x call in line for a connection of database/sql
1 x dial in flight
1 x request that waits for its response
1 x HTTP/2 request that waits for its response
1 x response body that is being read, and nothing comes
1 x HTTP/2 response body that is being read, and nothing comes
1 x request that cannot be written
1 x HTTP/2 request body that waits for the server's window
1 x request whose own body has no bytes to send
1 x open transaction of database/sql
1 x open Rows of database/sql
1 x idle connection
`
	want = strings.Replace(want, "4 x response", "2 x response", 1)
	got := diagnosed(t, func(ctx context.Context, n *waits.Net) (func(), error) { return n.Begin(ctx) }, 2)
	if !strings.HasPrefix(counts(got), want) {
		t.Errorf("got:\n%s\nwant it to begin with:\n%s", counts(got), want)
	}
	for _, line := range []string{
		"  2 sent by github.com/halfopen/halfopen/internal/diagnose/waits.get ", "waits.waitsInLine ",
		"  1 for in the transport's dialer, for github.com/halfopen/halfopen/internal/diagnose/waits.get ", "waits.waitsForDial ",
		"  1 sent by github.com/halfopen/halfopen/internal/diagnose/waits.sends ", "waits.waitsForSQL ", "waits.waitsForAnswer ", "  1 read by github.com/halfopen/halfopen/internal/diagnose/waits.reads ",
	} {
		if !strings.Contains(got, line) {
			t.Errorf("got:\n%s\nwant %q", got, line)
		}
	}
	// debug=1 has the same numbers where no two goroutines of one connection have to be found.
	got = diagnosed(t, func(ctx context.Context, n *waits.Net) (func(), error) { return n.Begin(ctx) }, 1)
	for _, line := range []string{"2 x response body neither", "2 x request in line for a c", "1 x dial in flight", "1 x idle connection", "debug=1 has no identities"} {
		if !strings.Contains(got, line) {
			t.Errorf("debug=1: got:\n%s\nwant %q", got, line)
		}
	}
}

// A request in line for a stream of HTTP/2 does not count as one that waits for its response.
func TestLineForStream(t *testing.T) {
	got := diagnosed(t, func(ctx context.Context, n *waits.Net) (func(), error) { return waits.LineForStream(ctx, n) }, 2)
	for _, line := range []string{"5 x HTTP/2 stream whose response has come", "1 x HTTP/2 request in line for a stream\n  1 sent by github.com/halfopen/halfopen/internal/diagnose/waits.get "} {
		if !strings.Contains(got, line) {
			t.Errorf("got:\n%s\nwant %q", got, line)
		}
	}
	if strings.Contains(got, "waits for its response") {
		t.Errorf("got:\n%s\nwant no request that waits for its response", got)
	}
}

// diagnosed runs a scenario on a network in memory, and returns the diagnosis when all of it waits.
func diagnosed(t *testing.T, begin func(context.Context, *waits.Net) (func(), error), debug int) (text string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		mem := new(faultnet.Net)
		n := &waits.Net{Listen: func() (net.Listener, error) { return mem.Listen("tcp", "127.0.0.1:80") }, Dial: mem.DialContext}
		ctx, cancel := context.WithCancel(t.Context())
		end, err := begin(ctx, n)
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		var b bytes.Buffer
		if err := pprof.Lookup("goroutine").WriteTo(&b, debug); err != nil {
			t.Fatal(err)
		}
		d, err := diagnose.Read("live", &b)
		if err != nil {
			t.Fatal(err)
		}
		text = d.String()
		cancel()
		end()
		time.Sleep(time.Minute) // virtual time: what was cancelled ends
	})
	return text
}

// The diagnosis of each sample is the golden one: profiles of the same waits in Go 1.26 and 1.27, with
// debug=2 and debug=1, and with the ancestors of goroutines; and what a program prints at its end.
func TestSamples(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) < 7 {
		t.Fatalf("got %d samples, %v; want 7", len(files), err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		d, err := diagnose.Read(file, bytes.NewReader(data))
		if err != nil {
			t.Error(err)
			continue
		}
		golden := strings.TrimSuffix(file, ".txt") + ".golden"
		if *update {
			os.WriteFile(golden, []byte(d.String()), 0o666)
		}
		if want, err := os.ReadFile(golden); err != nil || d.String() != string(want) {
			t.Errorf("%s: got:\n%s\nwant:\n%s%v", file, d, want, err)
		}
	}
}

// The two versions of Go differ in the names of HTTP/2's functions, and in nothing that is said.
func TestVersions(t *testing.T) {
	var texts []string
	for _, v := range []string{"go1.26", "go1.27"} {
		text, err := os.ReadFile("testdata/" + v + ".golden")
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	if texts[0] != texts[1] {
		t.Errorf("got:\n%s\nand:\n%s", texts[0], texts[1])
	}
}

// A file that is no profile is refused, with the line or the offset.
func TestMistakes(t *testing.T) {
	const head = "goroutine 1 [running]:\n"
	for _, tt := range []struct{ text, want string }{
		{"", "x:1: an empty file; want a goroutine profile"},
		{"\x1f\x8b\x08", "x: offset 0: this is the packed profile for go tool pprof; ask for ?debug=2"},
		{"hello\n", `x:1: no line "goroutine 1 [running]:" in it; want a goroutine profile`},
		{"he\x00llo\n", "x:1: this is no text"},
		{"goroutine profile: total x\n", `x:1: bad number of goroutines: "goroutine profile: total x"`},
		{"goroutine profile: total 1\nmore @ 0x1\n", `x:2: bad group: "more @ 0x1"`},
		{"goroutine profile: total 1\n1 0x1\n", `x:2: want "COUNT @ ADDRESSES", got "1 0x1"`},
		{"goroutine profile: total 1\n1 @ 0x1\n#\t0x1\n", `x:3: want "# ADDRESS FUNCTION FILE", got "#\t0x1"`},
		{head + "main.main()\nmain.go:1\n", `x:3: want the file of "main.main()", got "main.go:1"`},
		{"goroutine 0 [running]:\n", `x:1: bad goroutine: "goroutine 0 [running]:"`},
		{"goroutine 99999999999999999999 [running]:\n", `x:1: bad goroutine`},
		{"goroutine 1 [select, many minutes]:\n", `x:1: bad time: "goroutine 1 [select, many minutes]:"`},
		{head + "\ngoroutine x [running]:\n", `x:3: bad goroutine: "goroutine x [running]:"`},
		{head + strings.Repeat("x", 2<<20), "x:2: a line of more than 1048576 bytes"},
	} {
		if _, err := diagnose.Read("x", strings.NewReader(tt.text)); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%.60q: got %v, want %s", tt.text, err, tt.want)
		}
	}
	leaks := "goroutineleak profile: total 2\n2 @ 0x1 0x2\n#\t0x1\tnet/http.(*persistConn).readLoop+0x1\tx/transport.go:1\n"
	if d, err := diagnose.Read("x", strings.NewReader(leaks)); err != nil || !strings.Contains(d.String(), "2 x response body neither") {
		t.Errorf("a profile of leaks: got %v, %v", d, err)
	}
	labelled := "goroutine 7 gp=0xc1 m=nil [select, 3 minutes, locked to thread] {\"a\": \"]\"}:\nnet/http.(*persistConn).readLoop(0xc1)\n\tx/transport.go:1 +0x1\n"
	if d, err := diagnose.Read("x", strings.NewReader(labelled)); err != nil || !strings.Contains(d.String(), "1 x response body neither") || !strings.Contains(d.String(), "(for 3 minutes)") {
		t.Errorf("a goroutine with labels: got %v, %v", d, err)
	}
	d, err := diagnose.Read("x", strings.NewReader(head+"main.main()"))
	if err != nil || !strings.Contains(d.String(), "the file ends in the midst of a goroutine") || !strings.Contains(d.String(), "none belongs to net/http") {
		t.Errorf("got %v, %v", d, err)
	}
}

// A profile of 100,000 goroutines is read in one pass, and little of it is kept; minutes are summed up.
func TestLarge(t *testing.T) {
	var b bytes.Buffer
	for i := 1; i <= 100_000; i++ {
		fmt.Fprintf(&b, "goroutine %d [select, %d minutes]:\nnet/http.(*persistConn).readLoop(0xc%07x)\n\t/go/src/net/http/transport.go:2450 +0x1\ncreated by net/http.(*Transport).dialConn in goroutine %d\n\t/go/src/net/http/transport.go:1994 +0x2\n\n", i, i%50, i, i+1)
	}
	size := b.Len()
	before := heap()
	began := time.Now()
	d, err := diagnose.Read("x", &b)
	if err != nil {
		t.Fatal(err)
	}
	text := d.String()
	t.Logf("%d MB in %s", size>>20, time.Since(began))
	if grown := heap() - before; grown > 100<<20 {
		t.Errorf("got %d MB kept, want 100 at most", grown>>20)
	}
	if !strings.Contains(text, "100000 x response body neither") || !strings.Contains(text, "(for 0 to 49 minutes)") {
		t.Errorf("got:\n%s", text)
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// Whatever a file contains, reading it ends with a diagnosis or an error that has the place.
func FuzzProfile(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.txt")
	for _, file := range files {
		if data, err := os.ReadFile(file); err == nil {
			f.Add(data[:min(len(data), 8<<10)])
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := diagnose.Read("x", bytes.NewReader(data))
		switch {
		case err != nil && !strings.HasPrefix(err.Error(), "x:"):
			t.Errorf("got %v, want the file", err)
		case err == nil && d.String() == "":
			t.Error("got nothing")
		}
	})
}
