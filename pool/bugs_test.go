package pool_test

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/pool"
)

// bugs names, for each public bug of net/http's HTTP/1 pool, the tests of this
// package and the race scripts that show that it is not in this one. All are
// numbers of golang/go; those that are open there come first.
var bugs = map[string][]string{
	"68653": {"TestStrayBody", "TestExplore/gates, HEAD with a body", "broken-unsolicited", "broken-stray-at-limit"},
	"11745": {"TestEarlyResponseEachOffset", "TestExplore/early response"},
	"51109": {"TestEarlyResponseEachOffset", "TestExplore/early response"},
	"76784": {"TestHangingDialer", "TestOrphanBound", "TestOrphanReported"},

	"4677":  {"TestRetryTable", "broken-fin-in-flight"},
	"8483":  {"close-idle-deaf-dial", "close-idle-in-use", "idle-late-dial-closed"},
	"9104":  {"TestResponseHeaderTimeout", "TestVirtualClock"},
	"10457": {"body-with-fin"},
	"10511": {"cancel-at-got-conn", "TestExplore/gates, limit 1"},
	"13633": {"TestBodylessWhileFull", "body-none"},
	"13825": {"TestBodylessWhileFull"},
	"15461": {"broken-fin-idle"},
	"15723": {"TestRetryTable"},
	"16049": {"TestCanceledAsDialFails", "TestCanceledAsConnectionBreaks", "TestBodyReadError"},
	"17739": {"TestInformational", "TestUpgrade"},
	"18239": {"TestRetryTable", "broken-fin-in-flight-post"},
	"18241": {"TestRetryTable", "broken-fin-in-flight"},
	"19231": {"TestCanceledAsConnectionBreaks", "TestCanceledAsDialFails"},
	"19943": {"TestRetryTable", "broken-fin-in-flight-post"},
	"22158": {"TestRetryTable"},
	"25366": {"TestWriteOntoFIN", "TestRetryTable"},
	"25621": {"TestExplore/timeouts", "idle-timeout"},
	"25852": {"TestCanceledBefore"},
	"26161": {"TestInformational"},
	"28012": {"TestConnectNeverAnswered"},
	"29889": {"limit-connection-close", "TestExplore/limit 1", "idle-limit-closed"},
	"30938": {"TestWriteOntoFIN", "TestRetryTable"},
	"32336": {"limit-idle-beats-place", "idle-limit"},
	"32441": {"TestRegisterProtocol"},
	"33849": {"TestNothingLeftInLine", "cancel-waiter"},
	"33850": {"TestNothingLeftInLine", "TestRequestReleased", "cancel-waiter"},
	"34658": {"TestCanceledInBody", "body-cancel"},
	"35015": {"TestBodyClosedOnce"},
	"36070": {"TestConnectNeverAnswered"},
	"40382": {"TestBodyClosedOnce"},
	"49621": {"TestBodyClosedOnce"},
	"50798": {"TestRequestReleased", "TestNothingLeftInLine", "cancel-late"},
	"59017": {"cancel-orphan"},
	"64804": {"TestConnectErrors"},
	"65705": {"limit-canceled-in-line", "cancel-limit"},
	"66442": {"cancel-orphan"},
	"67555": {"TestExpectContinueFinal", "TestExplore/Expect, early response"},
}

// Every test and script that the table of public bugs names is there, and each
// bug has a test of its own whose comment, or a script whose text, has its
// number.
func TestBugs(t *testing.T) {
	texts := showings(t)
	for bug, names := range bugs {
		mentioned := false
		for _, name := range names {
			text, ok := texts[name]
			if !ok {
				t.Errorf("golang/go#%s: there is no test, scenario or script %q", bug, name)
			}
			mentioned = mentioned || slices.Contains(strings.FieldsFunc(text, func(r rune) bool {
				return r != '#' && (r < '0' || r > '9')
			}), "#"+bug)
		}
		if !mentioned {
			t.Errorf("golang/go#%s: none of %v says that it is about it", bug, names)
		}
	}
}

// showings returns the comment of each test and of each script, by name.
func showings(t *testing.T) map[string]string {
	texts := make(map[string]string)
	files, _ := filepath.Glob("*_test.go")
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && strings.HasPrefix(fn.Name.Name, "Test") {
				texts[fn.Name.Name] = fn.Doc.Text()
			}
		}
	}
	for _, s := range scenarios(t) {
		texts["TestExplore/"+s.name] = ""
	}
	scripts, _ := filepath.Glob("testdata/races/*.txtar")
	shared, _ := filepath.Glob("../testdata/races/*.txtar")
	for _, file := range append(scripts, shared...) {
		s, err := harness.ReadScript(file)
		if err != nil {
			t.Fatal(err)
		}
		texts[s.Name] = strings.Join(s.Comments(), "\n")
	}
	return texts
}

// A body that a server sends in answer to HEAD is never the answer to the next
// request, wherever the transport is when it comes, as long as nothing of that
// request is written (golang/go#68653).
func TestStrayBody(t *testing.T) {
	const (
		header = "HTTP/1.1 200 OK\r\nContent-Length: 38\r\n\r\n"
		stray  = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
	)
	for _, when := range []string{"same segment", "idle", "PutIdleConn", "GotConn"} {
		t.Run(when, func(t *testing.T) {
			harness.Test(t, func(t *harness.T) {
				t.Gates("PutIdleConn", "GotConn")
				tr := transport(t, &pool.Transport{})
				t.Peer(api)
				head, _ := http.NewRequest("HEAD", url1, nil)
				if when == "PutIdleConn" {
					t.Net.Hold("gate * PutIdleConn")
				}
				r1 := t.Start("r1", tr, head)
				c1 := t.Conn("c1")
				if when == "same segment" {
					c1.Send(header + stray)
				} else {
					c1.Send(header)
				}
				if when == "GotConn" {
					t.Net.Hold("gate * GotConn")
				} else if when != "same segment" {
					c1.Send(stray)
				}
				if when == "PutIdleConn" {
					t.Net.Release("gate * PutIdleConn")
				}
				r1.WantDone(c1)
				r2 := t.Post("r2", tr, url1, "whole")
				if when == "GotConn" {
					c1.Send(stray)
					t.Net.Release("gate * GotConn")
				}
				c1.WantClosed("what it says next answers nothing")
				c2 := t.Conn("c2")
				c2.Respond(200, "mine")
				r2.WantBody("mine")
				r2.WantSent(1, "nothing of it was on c1")
			})
		})
	}
}

// A response that comes before the end of the request is delivered whole, at
// whatever offset of the request it comes and however the connection ends then,
// which is not kept (golang/go#11745, #51109).
func TestEarlyResponseEachOffset(t *testing.T) {
	const size = 150 << 10
	const upload = "c1 client->server data"
	for _, buffer := range []int{200, 4097, 64 << 10} {
		for _, end := range []string{"FIN", "RST", "RST at once", "nothing"} {
			for offset := range 5 {
				t.Run(fmt.Sprintf("%s after %d segments of %d", end, offset, buffer), func(t *testing.T) {
					harness.Test(t, func(t *harness.T) {
						t.Net.Raw().SendBuffer = buffer
						tr := transport(t, &pool.Transport{})
						t.Peer(api)
						t.Net.Hold(upload)
						r1 := t.Post("r1", tr, url1, strings.Repeat("x", size))
						c1 := t.Conn("c1")
						for range offset {
							if len(t.Net.Pending()) > 0 {
								t.Net.Next(1)
							}
						}
						answerEarly(t, c1, end)
						r1.WantStatus(413)
						r1.Read()
						t.Advance(pool.WriteGrace)
						r1.WantBody("big")
						c1.WantClosed("half a request is on it")
						t.Net.Release(upload)
					})
				})
			}
		}
	}
}

// answerEarly sends a response, and then ends the connection in one of the ways.
func answerEarly(t *harness.T, c1 *harness.Conn, end string) {
	const server = "c1 server"
	if end == "RST at once" {
		t.Net.Hold(server)
	}
	c1.Send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig")
	switch end {
	case "FIN":
		c1.Fin()
	case "RST":
		c1.Reset()
	case "RST at once": // no quiet in between: the write may notice first
		c1.Reset()
		for _, e := range t.Net.Pending() {
			if e.From == c1.Server() {
				t.Net.Raw().Release(e)
			}
		}
		t.Net.Release(server)
	}
}

// A dialer that hangs does not make more dials in flight than could be kept,
// however many requests give up on it (golang/go#76784).
func TestHangingDialer(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		tr := transport(t, &pool.Transport{})
		t.Peer(api)
		t.Net.Hold("dial")
		for i := range 50 {
			r := t.Get(fmt.Sprintf("r%d", i), tr, url1)
			r.Cancel()
			r.WantErr(context.Canceled)
			dials := 0
			for _, e := range t.Net.Pending() {
				if e.Kind == faultnet.Dial {
					dials++
				}
			}
			if want := min(i+1, pool.DefaultMaxIdleConnsPerHost); dials != want {
				t.Fatalf("after %d requests: got %d dials in flight, want %d", i+1, dials, want)
			}
		}
		for range pool.DefaultMaxIdleConnsPerHost {
			t.Net.WantDial().Open()
		}
		if st := tr.Stats(); st.Idle != pool.DefaultMaxIdleConnsPerHost || st.Orphans != 0 {
			t.Errorf("after the dials: got\n%s", st)
		}
	})
}

// A request that was given an idle connection which ends before a byte of it
// is written goes to another connection, idempotent or not, with its whole
// body, and the server sees one copy (golang/go#25366, #30938).
func TestWriteOntoFIN(t *testing.T) {
	for _, end := range []string{"FIN", "RST"} {
		for _, gate := range []string{"GotConn", "Write"} {
			t.Run(end+" at "+gate, func(t *testing.T) {
				harness.Test(t, func(t *harness.T) {
					t.Gates(gate)
					tr := transport(t, &pool.Transport{})
					t.Peer(api)
					r1 := t.Get("r1", tr, url1)
					c1 := t.Conn("c1")
					c1.Respond(200, "")
					r1.Finish()
					t.Net.Hold("gate")
					r2 := t.Post("r2", tr, url1, "whole")
					if end == "FIN" {
						c1.Fin()
					} else {
						c1.Reset()
					}
					t.Net.Release("gate")
					c2 := t.Conn("c2")
					c2.Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
					r2.WantDone(c2, "nothing of it was on c1")
					r2.WantSent(1)
					if n := tr.Stats().Retries; n != 1 {
						t.Errorf("retries: got %d, want 1", n)
					}
					r2.Finish()
				})
			})
		}
	}
}

// A response without a body is handed out although there is no room for its
// connection, and that is closed by then (golang/go#13633, #13825).
func TestBodylessWhileFull(t *testing.T) {
	for _, head := range []string{"204 No Content", "304 Not Modified", "200 OK\r\nContent-Length: 0"} {
		harness.Test(t, func(t *harness.T) {
			tr := transport(t, &pool.Transport{MaxIdleConnsPerHost: 1})
			t.Peer(api)
			r1, r2 := t.Get("r1", tr, url1), t.Get("r2", tr, url1)
			c1, c2 := t.Conn("c1"), t.Conn("c2")
			c1.Send("HTTP/1.1 " + head + "\r\n\r\n")
			c2.Send("HTTP/1.1 " + head + "\r\n\r\n")
			r1.WantDone(c1)
			r2.WantDone(c2)
			c1.WantOpen("there was room for it")
			c2.WantClosed("there was none")
			r1.Finish()
			r2.Finish()
		})
	}
}
