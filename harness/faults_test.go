package harness_test

import (
	"errors"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness"
)

// The verbs about hosts and links, from Go: a partition while a connection is
// idle, a crash, and a restart that knows nothing.
func TestFaultsInGo(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		tr := t.Net.Transport()
		t.Serve("api.test:80", nil)
		t.Get("r1", tr, "http://api.test/").WantBody("ok")
		c1 := t.Conn("c1")
		t.Net.Partition("api.test", faultnet.ToClient)
		r2 := t.Get("r2", tr, "http://api.test/")
		t.Advance(time.Hour)
		r2.WantPending("the answer is lost on its way")
		t.Net.Heal("api.test")
		r2.WantBody("ok", "and sent again")
		t.Net.Crash("api.test")
		c1.WantOpen("half-open: this end still believes")
		t.Net.Restart("api.test")
		r3 := t.Get("r3", tr, "http://api.test/")
		r3.WantDone(t.Conn("c2"), "the reset was for c1")
		r3.WantBody("ok")
		c1.WantClosed()
	})
}

// Peers in Go: a proxy, TLS and HTTP/2.
func TestPeersInGo(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		rt, err := harness.NetHTTP(t, harness.Settings{Proxy: "http://proxy.test:3128", ForceAttemptHTTP2: true})
		if err != nil {
			t.Fatal(err)
		}
		t.ServeTLSAs("api.test:443", "h2", "tls1.2")
		t.ServeProxy("proxy.test:3128", "slow")
		r1 := t.Get("r1", rt, "https://api.test/")
		t.Advance(5 * time.Second)
		r1.WantBody("ok")
	})
	harness.Test(t, func(t *harness.T) {
		rt, _ := harness.NetHTTP(t, harness.Settings{ForceAttemptHTTP2: true})
		t.ServeH2("api.test:443", "half-body")
		r1 := t.Get("r1", rt, "https://api.test/")
		r1.WantDone(t.Conn("c1"))
		r1.WantBrokenBody(io.ErrUnexpectedEOF)
	})
	harness.Test(t, func(t *harness.T) {
		t.Peer("api.test:80")
		r1 := t.Get("r1", t.Net.Transport(), "http://api.test/")
		t.Conn("c1").Break(syscall.EHOSTUNREACH)
		r1.WantErr(syscall.EHOSTUNREACH)
	})
}

// A verb about faults that is wrong is an error that says why.
func TestFaultErrors(t *testing.T) {
	for _, tt := range []struct{ script, want string }{
		{"clog c1 up", `bad direction "up": want client->server or server->client`},
		{"break c1 ENOENT", `unknown errno "ENOENT" (did you mean "ENOMEM"?); there are: EPIPE, `},
		{"misbehave c1 bad-chunks", `unknown answer "bad-chunks" (did you mean "bad-chunk"?)`},
		{"serve-tls a.test:443 expird", `unknown mode "expird" (did you mean "expired"?)`},
		{"serve-proxy a.test:1 sock", `unknown mode "sock" (did you mean "socks"?)`},
		{"serve-h2 a.test:443 go", `unknown mode "go"`},
		{"fault dial as refuse nth", `"nth" wants a number behind it`},
		{"fault dial as cut:x", `verdict "cut:x": bad BYTES "x": want a number`},
	} {
		_, err := harness.ParseScript("x.txtar", []byte("# A.\n"+tt.script))
		var pe *harness.ParseError
		if !errors.As(err, &pe) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %s", tt.script, err, tt.want)
		}
	}
	for _, tt := range []struct {
		want string
		body func(*harness.T)
	}{
		{"nothing is paused on api.test:80", func(t *harness.T) { t.Net.Resume("api.test:80") }},
		{`no fault is armed on "c1"`, func(t *harness.T) { t.Net.Lift("c1") }},
		{"no http.Server serves on api.test:80", func(t *harness.T) { t.Net.KeepAlive("api.test:80", 1) }},
		{`unknown answer "x"`, func(t *harness.T) {
			t.Peer("api.test:80")
			t.Get("r1", t.Net.Transport(), "http://api.test/")
			t.Conn("c1").Misbehave("x")
		}},
		{`fault "error:EPIPE" on "c1 client write": armed and never fired`, func(t *harness.T) { t.Net.Fault("c1 client write", faultnet.Fail(syscall.EPIPE)) }},
	} {
		if r := harness.TestReport("x", tt.body); !strings.Contains(r.String(), tt.want) {
			t.Errorf("got:\n%s\nwant it to contain %q", r, tt.want)
		}
	}
}

// Every wrong answer is a page of the default handler, so that an exploration
// has them too; none leaves anything behind.
func TestAnswerPages(t *testing.T) {
	for _, a := range harness.Answers() {
		x, err := harness.ExploreReport(a.Name, harness.Bounds{Delays: 1, Faults: harness.None, Strategy: "exhaustive"}, nil, func(t *harness.T) {
			t.Serve("api.test:80", nil)
			t.Get("r1", &patient{t.Net.Transport(), t}, "http://api.test/answer/"+a.Name)
		})
		if err != nil || !x.Complete || len(x.Findings) > 0 {
			t.Errorf("%s: %v\n%s", a.Name, err, x)
		}
	}
}
