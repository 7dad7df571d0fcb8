package recording_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/internal/recording"
)

const (
	opened = "halfopen trace 1\n0.1 d1 dial tcp x:1\n0.2 d1 open c1 a b\n"
	toEnd  = "\n1.0 end\n"
)

// A trace that is wrong is refused, with its line.
func TestTraceMistakes(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", `x:1: an empty file; want "halfopen trace 1"`},
		{"\n", `x:1: want "halfopen trace 1", got ""`},
		{"halfopen replay 2\n", `x:1: want "halfopen trace 1", got "halfopen replay 2"`},
		{"halfopen trace 2\n", `x:1: version "2" of the format; this command reads version 1`},
		{"halfopen trace 1\n", `x:1: the trace is cut off`},
		{opened, `x:3: the trace is cut off`},
		{opened + "1.0 end\n1.1 c1 close\n", `x:5: a line behind the end`},
		{opened + "1.0 c1" + toEnd, `x:4: want TIME NAME EVENT`},
		{opened + "   " + toEnd, `x:4: a line of spaces`},
		{opened + "soon c1 close" + toEnd, `x:4: bad time "soon": want seconds, as 1.250000`},
		{opened + "-1 c1 close" + toEnd, `x:4: bad time "-1"`},
		{opened + "1.0000000001 c1 close" + toEnd, `x:4: bad time "1.0000000001"`},
		{opened + "1.0 e1 close" + toEnd, `x:4: bad name "e1": want d1, c1 and so on`},
		{opened + "1.0 c01 close" + toEnd, `x:4: bad name "c01"`},
		{opened + "1.0 c2 close" + toEnd, `x:4: c2 was not opened, or is closed`},
		{opened + "1.0 c1 close\n1.0 c1 close" + toEnd, `x:5: c1 was not opened, or is closed`},
		{opened + "1.0 c1 clsoe" + toEnd, `x:4: unknown event "clsoe" (did you mean "close"?)`},
		{opened + "1.0 d1 dail tcp x:1" + toEnd, `x:4: unknown event "dail" (did you mean "dial"?)`},
		{opened + "1.0 c1 write" + toEnd, `x:4: write: got 0 arguments, want 1`},
		{opened + "1.0 c1 write -1" + toEnd, `x:4: bad number "-1"`},
		{opened + "1.0 c1 write 9999999999999999999" + toEnd, `x:4: bad number`},
		{opened + "1.0 c1 write 3 \"abc" + toEnd, `x:4: a quote without its end, or a bad escape: "\"abc"`},
		{opened + "1.0 c1 write 3 \"\\q\"" + toEnd, `x:4: a quote without its end`},
		{opened + "1.0 d1 fail refused \"x\"" + toEnd, `x:4: d1 was not dialed`},
		{opened + "1.0 d2 dial tcp" + toEnd, `x:4: want dial NETWORK ADDRESS`},
		{opened + "1.0 d2 dial tcp x:1\n1.0 d2 dial tcp x:1" + toEnd, `x:5: d2 is dialed twice`},
		{opened + "1.0 d2 dial tcp x:1\n1.0 d2 fail badly \"x\"" + toEnd, `x:5: unknown reason "badly"; there are: refused, timeout`},
		{opened + "1.0 d2 dial tcp x:1\n1.0 d2 open c1 a b" + toEnd, `x:5: c1 is opened twice`},
		{opened + "1.0 d2 dial tcp x:1\n1.0 d2 open cx a b" + toEnd, `x:5: want open CONNECTION LOCAL REMOTE`},
		{opened + "1.0 c2 accept a" + toEnd, `x:4: want accept LOCAL REMOTE`},
		{opened + "began" + toEnd, `x:4: want began TIME`},
		{opened + "began today" + toEnd, `x:4: bad time "today"`},
		{opened + "lost 1 2" + toEnd, `x:4: got 2 numbers, want 4`},
		{opened + "1.0 c1 lost 1 2 x" + toEnd, `x:4: bad number "x"`},
		{opened + strings.Repeat("x", 2<<20) + toEnd, `x:4: a line of more than 1048576 bytes`},
	} {
		if _, err := recording.ReadTrace("x", strings.NewReader(tt.text)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%.80q: got %v, want %s", tt.text, err, tt.want)
		}
	}
	if _, err := recording.ReadTrace("x", strings.NewReader("halfopen trace 1\r\n# a comment\r\n\r\n1.0 end\r\n")); err != nil {
		t.Errorf("a trace with comments and CRLF: got %v", err)
	}
}

// A recording without a request makes no script; it says which addresses there are.
func TestNoRequest(t *testing.T) {
	rec, err := recording.ReadTrace("x", strings.NewReader(opened+toEnd))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := rec.Script(usual); err == nil || err.Error() != "no request: of 1 connection none carried one" {
		t.Errorf("got %v", err)
	}
	set := usual
	set.Addresses = []string{"y:1"}
	if _, err := rec.Script(set); err == nil || err.Error() != "no request to y:1; there are connections to: x:1" {
		t.Errorf("got %v", err)
	}
}

// An answer of more than one head, and one whose head comes in pieces, are understood: 100 (Continue)
// is no answer, and a request's body behind it no new request.
func TestHeads(t *testing.T) {
	rec, err := recording.ReadTrace("x", strings.NewReader(opened+`0.3 c1 write 60 "PUT /up HTTP/1.1\r\nExpect: 100-continue\r\n\r\n"
0.4 c1 read 25 "HTTP/1.1 100 Continue\r\n\r\n"
0.5 c1 write 1000 "GET me not"
0.6 c1 read 20 "HTTP/1.1 200 OK\r\nCon"
0.7 c1 read 22 "tent-Length: 2\r\n\r\nok"
0.8 c1 write 30 "HEAD / HTTP/1.1\r\n\r\n"
0.9 c1 read 50 "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"
`+toEnd))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, x := range rec.Conns[0].Exchanges {
		body, known := x.Body()
		got = append(got, fmt.Sprint(x.Method, x.Path, x.Status, body, known, x.Cut(), x.Empty()))
	}
	if want := "[PUT/up200 4 true false false HEAD/200 11 true false true]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

// What is kept of a long recording is bounded, and the connections that are open are kept first.
func TestBounded(t *testing.T) {
	var b bytes.Buffer
	b.WriteString("halfopen trace 1\n")
	const conns = 50_000
	for i := 1; i <= conns; i++ {
		fmt.Fprintf(&b, "%d.0 d%d dial tcp x:1\n%d.1 d%d open c%d a b\n%d.2 c%d write 20 \"GET /%d HTTP/1.1\\r\\n\\r\\n\"\n%d.3 c%d read 40 \"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok\"\n",
			i, i, i, i, i, i, i, i, i, i)
		if i%1000 != 0 {
			fmt.Fprintf(&b, "%d.4 c%d close\n", i, i)
		}
	}
	fmt.Fprintf(&b, "%d.0 end\n", conns+10)
	before := heap()
	began := time.Now()
	rec, err := recording.ReadTrace("x", &b)
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(began)
	if grown := heap() - before; grown > 64<<20 {
		t.Errorf("got %d MB kept, want 64 at most", grown>>20)
	}
	open := 0
	for _, c := range rec.Conns {
		if c.Open() {
			open++
		}
	}
	if rec.Seen != conns || open != conns/1000 || len(rec.Conns) > 20_000 {
		t.Errorf("got %d seen, %d kept, %d open; want %d, 20000 at most, %d", rec.Seen, len(rec.Conns), open, conns, conns/1000)
	}
	t.Logf("%d lines in %s", 5*conns, took)
}

// docs/trace.md has each word of the format, and its example is a trace.
func TestTracePage(t *testing.T) {
	page, err := os.ReadFile("../../docs/trace.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(page), "```\n")
	example, _, _ = strings.Cut(example, "```")
	rec, err := recording.ReadTrace("example", strings.NewReader(example))
	if err != nil || len(rec.Conns) != 1 || len(rec.Dials) != 1 || rec.Conns[0].Final().Method != "GET" {
		t.Errorf("the example: got %v, %v", rec, err)
	}
	for _, word := range recording.Words() {
		if !regexp.MustCompile(`[ ` + "`" + `]` + word + `[ ` + "`," + `]`).Match(page) {
			t.Errorf("the page does not have %q", word)
		}
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// Whatever a file contains, reading it ends with a recording or an error, and the script of a recording
// is a script.
func FuzzTrace(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.txtar")
	for _, file := range files {
		if data, err := os.ReadFile(file); err == nil {
			_, trace, _ := strings.Cut(string(data), "-- trace --\n")
			trace, _, _ = strings.Cut(trace, "-- script --\n")
			f.Add([]byte(trace))
		}
	}
	if data, err := os.ReadFile("../../testdata/recordings/leaky.trace"); err == nil {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		rec, err := recording.ReadTrace("x", bytes.NewReader(data))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "x:") {
				t.Errorf("got %v, want a line", err)
			}
			return
		}
		text, err := rec.Script(usual)
		if err != nil {
			return
		}
		if _, err := harness.ParseScript("x", []byte(text)); err != nil {
			t.Errorf("got %v of:\n%s", err, text)
		}
	})
}

// A script has the closings of the connections whose requests it has, and of no others.
func TestChosenClosings(t *testing.T) {
	var b strings.Builder
	b.WriteString("halfopen trace 1\n")
	for i := 1; i <= 100; i++ {
		fmt.Fprintf(&b, "%d.0 d%d dial tcp x:1\n%d.1 d%d open c%d a b\n%d.2 c%d write 9\n%d.3 c%d read 9\n%d.0 c%d fin\n%d.0 c%d close\n", i, i, i, i, i, i, i, i, i, i*3, i, i*3, i)
	}
	b.WriteString("999.0 end\n")
	rec, err := recording.ReadTrace("x", strings.NewReader(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	set := usual
	set.Most = 2
	text, err := rec.Script(set)
	if err != nil {
		t.Fatal(err)
	}
	if gets, kills := strings.Count(text, "\nget r"), strings.Count(text, "\nkill x:1\n"); gets != 2 || kills != 2 {
		t.Errorf("got %d requests and %d closings, want 2 and 2:\n%s", gets, kills, text)
	}
}
