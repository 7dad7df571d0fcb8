package harness_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/halfopen/halfopen/clock"
	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/pool"
)

// wrongCalls are calls of the packages of Go with wrong arguments, or at a wrong time.
// noContext is what a caller passes who has forgotten it.
var noContext context.Context

var wrongCalls = []struct {
	does string
	body func(t *harness.T)
}{
	{`T.Serve("api.test")`, func(t *harness.T) { t.Serve("api.test", nil) }},
	{`T.Serve("api.test:many")`, func(t *harness.T) { t.Serve("api.test:many", nil) }},
	{`T.Serve("api.test:65536")`, func(t *harness.T) { t.Serve("api.test:65536", nil) }},
	{`T.Serve twice`, func(t *harness.T) { t.Serve("api.test:80", nil); t.Serve("api.test:80", nil) }},
	{`T.Peer("")`, func(t *harness.T) { t.Peer("") }},
	{`T.ServeH2 with a typing error`, func(t *harness.T) { t.ServeH2("api.test:443", "goawy") }},
	{`T.ServeTLSAs with a typing error`, func(t *harness.T) { t.ServeTLSAs("api.test:443", "expird") }},
	{`T.ServeProxy with no mode`, func(t *harness.T) { t.ServeProxy("proxy.test:80", "") }},
	{`T.ServePackets("x")`, func(t *harness.T) { t.ServePackets("x", nil) }},
	{`Queue.Enqueue(nil)`, func(t *harness.T) { t.ServeQueue("api.test:80").Enqueue(nil) }},
	{`Queue.Take of nothing`, func(t *harness.T) { t.ServeQueue("api.test:80").Take() }},

	{`T.Get without a name`, func(t *harness.T) { t.Get("", t.Net.Transport(), apiURL) }},
	{`T.Get with a name of two lines`, func(t *harness.T) { t.Get("r\n1", t.Net.Transport(), apiURL) }},
	{`T.Get twice`, func(t *harness.T) {
		t.Get("r1", answering(http.NoBody), apiURL)
		t.Get("r1", answering(http.NoBody), apiURL)
	}},
	{`T.Get of a URL that is none`, func(t *harness.T) { t.Get("r1", t.Net.Transport(), "://") }},
	{`T.Get over nil`, func(t *harness.T) { t.Get("r1", nil, apiURL).Await() }},
	{`T.Start(nil)`, func(t *harness.T) { t.Start("r1", t.Net.Transport(), nil) }},
	{`T.Run with nil`, func(t *harness.T) { t.Run("sub", nil) }},
	{`T.Do with nil`, func(t *harness.T) { t.Do(t.Context(), "op1", nil).Await() }},
	{`T.Do without a context`, func(t *harness.T) { t.Do(noContext, "op1", func(context.Context) error { return nil }).Await() }},
	{`T.MayCall(nil)`, func(t *harness.T) { t.MayCall("x", nil) }},
	{`T.MayCloseIdle(nil)`, func(t *harness.T) { t.MayCloseIdle(nil) }},
	{`T.Conn("c7")`, func(t *harness.T) { t.Conn("c7") }},
	{`T.Conn("1")`, func(t *harness.T) {
		t.Serve("api.test:80", nil)
		t.Get("r1", t.Net.Transport(), apiURL).Finish()
		t.Conn("1")
	}},
	{`T.Watch(nil)`, func(t *harness.T) { t.Watch(nil) }},
	{`Maker.Make of a maker that returns nil`, func(t *harness.T) {
		harness.Maker(func(*harness.T, harness.Settings) (http.RoundTripper, error) { return nil, nil }).Make(t, harness.Settings{})
	}},
	{`T.Client(nil)`, func(t *harness.T) { t.Client(nil) }},
	{`T.Gates with a typing error`, func(t *harness.T) { t.Gates("GotCon") }},
	{`T.Advance(-time.Hour)`, func(t *harness.T) { t.Advance(-time.Hour) }},
	{`T.Advance beyond the end`, func(t *harness.T) { t.Advance(1<<63 - 1) }},
	{`T.Allow with a typing error`, func(t *harness.T) { t.Allow("promt", "why") }},
	{`T.Allow without a reason`, func(t *harness.T) { t.Allow("prompt", "") }},
	{`T.LimitOrphans(-1)`, func(t *harness.T) { t.LimitOrphans(-1) }},
	{`T.LimitConns(-1)`, func(t *harness.T) { t.LimitConns(-1) }},
	{`T.AllowGoroutine without a name`, func(t *harness.T) { t.AllowGoroutine("", "why") }},
	{`T.Setenv("")`, func(t *harness.T) { t.Setenv("", "x") }},
	{`T.MayPass(-1s)`, func(t *harness.T) { t.MayPass(-time.Second) }},
	{`T.AtQuiet(nil)`, func(t *harness.T) { t.AtQuiet(nil) }},
	{`T.Cleanup(nil)`, func(t *harness.T) { t.Cleanup(nil) }},

	{`Net.Hold with a typing error`, func(t *harness.T) { t.Net.Hold("dail") }},
	{`Net.Hold("[")`, func(t *harness.T) { t.Net.Hold("[") }},
	{`Net.Hold("")`, func(t *harness.T) { t.Net.Hold("") }},
	{`Net.Hold of what never comes`, func(t *harness.T) { t.Net.Hold("dial d7") }},
	{`Net.Release of no hold`, func(t *harness.T) { t.Net.Release("c1") }},
	{`Net.Let of no event`, func(t *harness.T) { t.Net.Let("dial d7") }},
	{`Net.Next(-1)`, func(t *harness.T) { t.Net.Next(-1) }},
	{`Net.Next(7) of none`, func(t *harness.T) { t.Net.Next(7) }},
	{`Net.Fault of a kind that it is not for`, func(t *harness.T) { t.Net.Fault("dial", faultnet.Cut(4)) }},
	{`Net.Fault with a typing error`, func(t *harness.T) { t.Net.Fault("c1 sever fin", faultnet.Reset) }},
	{`Net.Fault that never fires`, func(t *harness.T) { t.Net.Fault("dial d7", faultnet.Refuse) }},
	{`Net.Shape of a kind that it is not for`, func(t *harness.T) { t.Net.Shape("dial", faultnet.Rate(5)) }},
	{`Net.Lift of nothing`, func(t *harness.T) { t.Net.Lift("dial") }},
	{`Net.Resume of nothing`, func(t *harness.T) { t.Net.Resume("api.test:80") }},
	{`Net.KeepAlive of no server`, func(t *harness.T) { t.Net.KeepAlive("api.test:80", time.Second) }},
	{`Net.Backlog("api.test", 1)`, func(t *harness.T) { t.Net.Backlog("api.test", 1) }},
	{`Net.Backlog(-1)`, func(t *harness.T) { t.Net.Backlog("api.test:80", -1) }},
	{`Net.Route("api.test", "")`, func(t *harness.T) { t.Net.Route("api.test", "b.test:80") }},
	{`Net.Route to no address`, func(t *harness.T) { t.Net.Route("api.test:80", "b.test") }},
	{`Net.Descriptors(-1)`, func(t *harness.T) { t.Net.Descriptors(-1) }},
	{`Net.Listen("tcq")`, func(t *harness.T) { _, err := t.Net.Listen("tcq", "api.test:80"); t.Error(err) }},
	{`Net.DialContext without a port`, func(t *harness.T) { _, err := t.Net.DialContext(t.Context(), "tcp", "api.test"); t.Error(err) }},
	{`Net.WantDial without a hold`, func(t *harness.T) { t.Net.WantDial() }},
	{`Net.WantHeld with a typing error`, func(t *harness.T) { t.Net.WantHeld("c1 server fn") }},
	{`Dial.Fail with a verdict for bytes`, func(t *harness.T) {
		t.Net.Hold("dial")
		t.Get("r1", t.Net.Transport(), apiURL)
		t.Net.WantDial().Fail(faultnet.Cut(4))
	}},
	{`Dial.Open twice`, func(t *harness.T) {
		t.Serve("api.test:80", nil)
		t.Net.Hold("dial")
		t.Get("r1", t.Net.Transport(), apiURL)
		d := t.Net.WantDial()
		d.Open()
		d.Open()
	}},
	{`Request.Finish of what never came`, func(t *harness.T) { t.Peer("api.test:80"); t.Get("r1", t.Net.Transport(), apiURL).Finish() }},
	{`Request.WantStatus(2000)`, func(t *harness.T) {
		t.Serve("api.test:80", nil)
		t.Get("r1", t.Net.Transport(), apiURL).WantStatus(2000)
	}},
	{`Request.WantDone(nil) of another`, func(t *harness.T) { t.Peer("api.test:80"); t.Get("r1", t.Net.Transport(), apiURL).WantDone(nil) }},
	{`Conn.Respond(99)`, func(t *harness.T) {
		t.Peer("api.test:80")
		t.Get("r1", t.Net.Transport(), apiURL)
		t.Conn("c1").Respond(99, "")
	}},
	{`Conn.Misbehave with a typing error`, func(t *harness.T) {
		t.Peer("api.test:80")
		t.Get("r1", t.Net.Transport(), apiURL)
		t.Conn("c1").Misbehave("garbag")
	}},
	{`Conn.Send on a connection that is reset`, func(t *harness.T) {
		t.Peer("api.test:80")
		t.Get("r1", t.Net.Transport(), apiURL)
		c := t.Conn("c1")
		c.Reset()
		c.Send("x")
	}},
	{`Conn.Break(0)`, func(t *harness.T) {
		t.Peer("api.test:80")
		t.Get("r1", t.Net.Transport(), apiURL)
		t.Conn("c1").Break(syscall.Errno(0))
	}},
	{`Test within a test`, func(t *harness.T) { t.Error(harness.TestReport("inner", func(*harness.T) {})) }},

	{`faultnet.ParseVerdict with a typing error`, func(t *harness.T) { _, err := faultnet.ParseVerdict("refsue"); t.Error(err) }},
	{`faultnet.ParsePattern("[")`, func(t *harness.T) { _, err := faultnet.ParsePattern("["); t.Error(err) }},
	{`faultnet.On("[")`, func(t *harness.T) { faultnet.On("[", faultnet.Refuse) }},
	{`faultnet.First(-1)`, func(t *harness.T) { faultnet.On("dial", faultnet.Refuse, faultnet.First(-1)) }},
	{`faultnet.Cut(-1)`, func(t *harness.T) { t.Error(faultnet.Cut(-1)) }},
	{`faultnet.Delay(-1s)`, func(t *harness.T) { t.Error(faultnet.Delay(-time.Second)) }},
	{`clock.Virtual.Advance(-1s)`, func(t *harness.T) { new(clock.Virtual).Advance(-time.Second) }},
	{`clock.NewTicker(0)`, func(t *harness.T) { new(clock.Virtual).NewTicker(0) }},
	{`clock.AfterFunc(nil)`, func(t *harness.T) { new(clock.Virtual).AfterFunc(time.Second, nil) }},
	{`clock.WithTimeout(nil)`, func(t *harness.T) { clock.WithTimeout(noContext, new(clock.Virtual), time.Second) }},
	{`clock.Timer that no clock made`, func(t *harness.T) { new(clock.Timer).Stop() }},
	{`pool.Transport.RegisterProtocol twice`, func(t *harness.T) {
		tr := new(pool.Transport)
		tr.RegisterProtocol("x", tr)
		tr.RegisterProtocol("x", tr)
	}},
}

// Each wrong call of Go is said to the letter in testdata/mistakes/calls.txt, with the line of the call
// in this file.
func TestWrongCalls(t *testing.T) {
	const table = "testdata/mistakes/calls.txt"
	want, err := os.ReadFile(table)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	said := make(map[string]bool)
	b.WriteString("Calls of Go that are wrong, and what is said about each (go test ./harness -run WrongCalls; with -update\nthis file is rewritten).\n")
	for _, c := range wrongCalls {
		report := harness.TestReport("wrong", c.body).String()
		if !misusePlace.MatchString(report) {
			t.Errorf("%s: got no line of this file in\n%s", c.does, report)
		}
		first, _, _ := strings.Cut(report, "\n")
		first = misusePlace.ReplaceAllString(first, "misuse_test.go:N")
		fmt.Fprintf(&b, "\n%s\n    %s\n", c.does, first)
		said[first] = true
	}
	if len(said) < 60 {
		t.Errorf("got %d different mistakes, want at least 60", len(said))
	}
	if *update {
		if err := os.WriteFile(table, []byte(b.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	} else if b.String() != string(want) {
		gots, wants := strings.Split(b.String(), "\n\n"), strings.Split(string(want), "\n\n")
		for _, got := range gots {
			if !slices.Contains(wants, got) {
				t.Errorf("not in %s:\n%s", table, got)
			}
		}
		for _, want := range wants {
			if !slices.Contains(gots, want) {
				t.Errorf("%s has, and it is not said:\n%s", table, want)
			}
		}
		t.Errorf("%s is not up to date: go test ./harness -run WrongCalls -update", table)
	}
}

// misusePlace matches a line of this file.
var misusePlace = regexp.MustCompile(`misuse_test\.go:\d+`)
