package harness_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/harness"
)

// An error in a script has its line, and says what may have been meant.
func TestParseErrors(t *testing.T) {
	for _, tt := range []struct{ script, want string }{
		{"", "x.txtar:1: a script begins with its claim: # and a sentence"},
		{"# A.\nopn d1", `x.txtar:2: opn d1: unknown verb "opn" (did you mean "open"?)`},
		{"# A.\nwant don r1", `x.txtar:2: want don r1: unknown verb "want don" (did you mean "want done"?)`},
		{"# A.\nxyzzy", `x.txtar:2: xyzzy: unknown verb "xyzzy"; halfopen verbs prints all verbs`},
		{"# A.\nwant xyzzy r1", `x.txtar:2: want xyzzy r1: unknown word "xyzzy" behind want: there are dial, gone, held, done, pending, err, status, body, sent, request, open, closed, conns, idle`},
		{"# A.\nget r1", "x.txtar:2: get r1: usage: get NAME URL [HEADER...]"},
		{"# A.\nget r1 http://a/ x", `x.txtar:2: get r1 http://a/ x: bad header "x": want Name:value`},
		{"# A.\ncancel r1", `x.txtar:2: cancel r1: unknown request r1`},
		{"# A.\nget r1 http://a/\ncancel r2", `x.txtar:3: cancel r2: unknown request r2 (did you mean "r1"?)`},
		{"# A.\nget r1 http://a/\nget r1 http://a/", "x.txtar:3: get r1 http://a/: there is a request r1 already"},
		{"# A.\nopen 1", `x.txtar:2: open 1: bad name "1": want d1, d2 and so on`},
		{"# A.\nfail d1 refused", `x.txtar:2: fail d1 refused: unknown outcome "refused" (did you mean "refuse"?)`},
		{"# A.\nlet c1 as rest", `unknown outcome "rest" (did you mean "reset"?)`},
		{"# A.\nhold [", `x.txtar:2: hold [: faultnet: event pattern "[": syntax error in pattern in "["`},
		{"# A.\nadvance 5", `x.txtar:2: advance 5: bad duration "5": want 90s, 1ms and the like`},
		{"# A.\nwant conns many", `x.txtar:2: want conns many: bad number "many"`},
		{"# A.\nget r1 http://a/\nwant err r1 cancelled", `unknown error "cancelled" (did you mean "canceled"?)`},
		{"# A.\ntransport MaxConns=1", `unknown setting MaxConns (did you mean "MaxIdleConns"?)`},
		{"# A.\ntransport Protocols=HTTP1,h2c", `x.txtar:2: transport Protocols=HTTP1,h2c: setting Protocols: unknown protocol "h2c"; there are: HTTP1, HTTP2, UnencryptedHTTP2`},
		{"# A.\ntransport MaxIdleConns=x", `setting MaxIdleConns: bad value "x"`},
		{"# A.\nget r1 http://a/\ntransport MaxIdleConns=1", "the transport is made before the first request"},
		{"# A.\n! open d1", "x.txtar:2: ! open d1: ! cannot stand in front of open"},
		{"# A.\nopen d1 -- why not", "only a want has a reason behind it"},
		{"# A.\nsend c1 \"x", `x.txtar:2: send c1 "x: the quote " has no end or a bad escape`},
		{"# A.\nsend c1 'x", "the quote ' has no end"},
		{"# A.\nsend c1 @body\n-- bodi --\n", `no file -- body -- in this script (did you mean "bodi"?)`},
		{"# A.\n!", "x.txtar:2: !: a verb is missing"},
	} {
		_, err := harness.ParseScript("x.txtar", []byte(tt.script))
		var pe *harness.ParseError
		if !errors.As(err, &pe) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q:\ngot  %v\nwant %s", tt.script, err, tt.want)
		}
	}
}

// The manual in the source tree is the one that the verbs print.
func TestManual(t *testing.T) {
	const file = "../testdata/README.md"
	if *update {
		if err := os.WriteFile(file, []byte(harness.Manual()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != harness.Manual() {
		t.Errorf("%s is not what `halfopen verbs` prints: run go test ./harness -update", file)
	}
}

// Words in quotes, reasons, files and negations mean what the manual says.
func TestLanguage(t *testing.T) {
	_, err := harness.ParseScript("x.txtar", []byte(`
# A sentence.
peer api.test:80
get r1 http://api.test/
! want held c9
open d1
want request c1 "GET / HTTP/1.1\r\nHost: api.test\r\n" -- the head has no surprises
send c1 @answer
want status r1 200
want body r1 'two words
-- answer --
HTTP/1.1 200 OK
Content-Length: 9

two words
`))
	if err == nil {
		t.Fatal("an open quote was taken")
	}
	s, err := harness.ParseScript("x.txtar", []byte(`
# A sentence.
# And another.
peer api.test:80
get r1 http://api.test/
! want held c9
open d1
want request c1 "GET / HTTP/1.1\r\nHost: api.test\r\n" -- the head has no surprises
send c1 @answer
want status r1 200
want body r1 'two words'
-- answer --
HTTP/1.1 200 OK
Content-Length: 9

two words
`))
	if err != nil {
		t.Fatal(err)
	}
	if s.Name != "x" || s.Claim != "A sentence." || len(s.Comments()) != 2 {
		t.Errorf("got %q, %q, %q", s.Name, s.Claim, s.Comments())
	}
	for range 2 { // parsed once, run many times
		if r, err := s.TestReport(nil); err != nil || r.Failed() {
			t.Errorf("%v, %s", err, r)
		}
	}
}

// A body that says that it is not applicable ends there, in a run and in an exploration, and
// what it leaves is no leak.
func TestNotApplicable(t *testing.T) {
	reason := errors.New("no such setting")
	body := func(t *harness.T) {
		t.Serve("api.test:80", nil)
		t.Get("r1", t.Net.Transport(), "http://api.test/")
		t.NotApplicable(reason)
		t.Error("the body went on")
	}
	r := harness.TestReport("run", body)
	_, err := harness.ExploreReport("search", harness.Bounds{Schedules: 5}, nil, body)
	for _, err := range []error{r.NotApplicable(), err} {
		if na, ok := errors.AsType[*harness.NotApplicable](err); !ok || na.Err != reason || err.Error() != "not applicable: no such setting" {
			t.Errorf("got %v", err)
		}
	}
	if r.Failed() {
		t.Errorf("got a run that failed:\n%s", r)
	}
	skipped := &skipped{TB: t}
	func() {
		defer func() { recover() }()
		harness.Test(skipped, body)
	}()
	if skipped.text != "not applicable: no such setting" {
		t.Errorf("got a test skipped with %q", skipped.text)
	}
}

// skipped keeps the reason of a test that is skipped.
type skipped struct {
	testing.TB
	text string
}

func (s *skipped) Skipf(format string, args ...any) {
	s.text = fmt.Sprintf(format, args...)
	panic("skipped")
}

// A setting that a transport does not have makes a script not applicable.
func TestScriptNotApplicable(t *testing.T) {
	s, err := harness.ParseScript("x.txtar", []byte("# A.\ntransport MaxConnsPerHost=1\n"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.TestReport(func(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
		return nil, s.Apply(&struct{ MaxIdleConns int }{})
	})
	var na *harness.NotApplicable
	if !errors.As(err, &na) || !strings.Contains(err.Error(), "has no setting MaxConnsPerHost") {
		t.Errorf("got %v", err)
	}
}
