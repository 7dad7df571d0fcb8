package cases

import (
	"cmp"
	"crypto/tls"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness"
)

// The servers of the cases below: the name that a client dials, and the hosts behind it.
const (
	serverHost = "server.test"
	firstAddr  = "first.test:7"
	secondHost = "second.test"
	secondAddr = secondHost + ":7"
)

// The certificate of [ServerTLS] is valid for that long, and renewed after the other time.
const (
	certified = 5 * time.Minute
	renewed   = 15 * time.Minute
)

const (
	nextAddress  = "net: Dial (when the host resolves to multiple IP addresses, Dial will try each IP address in order until one succeeds)"
	whatWasSent  = "RFC 9293 section 3.6 (a TCP implementation will reliably deliver all buffers sent before the connection was closed)"
	secondServer = "ClientSettings.Fallback; PostgreSQL: libpq (the next host is tried if no connection can be established); nats.go: Options.Servers"
)

// ServerTLS returns the TLS configuration of the servers of a case: at first its certificate is
// one that ends after five minutes; a quarter of an hour after the beginning it is another one.
func ServerTLS(t *harness.T) *tls.Config {
	began := t.Clock.Now()
	return &tls.Config{GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		until := began.Add(certified)
		if t.Clock.Since(began) >= renewed {
			until = until.AddDate(1, 0, 0)
		}
		// It speaks whichever protocol it is asked for.
		return &tls.Config{Certificates: []tls.Certificate{harness.TrustedCertificate(serverHost, until)}, NextProtos: hello.SupportedProtos}, nil
	}}
}

// clientServerCases are about servers that move, stop, come in the place of others, or can
// no longer say who they are.
var clientServerCases = []Case{
	{
		Name:    "broken-moved",
		Claim:   "A client that was given a name finds the server at its new address an hour after that has changed; what the old server closed costs one operation a connection at most.",
		Verdict: "an operation fails",
		Source:  "RFC 1034 section 3.6 (the TTL describes how long a RR can be cached before it should be discarded)",
		Servers: func(t *harness.T, serve func(addr string)) {
			serve(firstAddr)
			serve(secondAddr)
			t.Net.Resolve(serverHost, "first.test")
		},
		ClientBody: func(e *ClientEnv) {
			e.Do("r1").WantDone()
			e.Net.Resolve(serverHost, secondHost)
			e.Net.Kill(firstAddr)
			e.Advance(time.Hour)
			e.WantSomeDone(e.Opened()+1, "its server is at the other address, as its name says")
		},
	},
	{
		Name:    "broken-address-refuses",
		Claim:   "A name with two addresses, of which the first refuses, is that of a server: the operation succeeds.",
		Verdict: "the operation fails",
		Source:  nextAddress,
		Servers: func(t *harness.T, serve func(addr string)) {
			serve(secondAddr)
			serve(firstAddr) // a host that nothing ever listened on is none
			t.Net.Unlisten(firstAddr)
			t.Net.Resolve(serverHost, "first.test", secondHost)
		},
		ClientBody: func(e *ClientEnv) {
			e.Do("r1").WantDone("the second address answers")
		},
	},
	{
		Name:           "broken-first-refuses",
		Claim:          "A client that was given two servers, of which the first refuses, is served by the second.",
		Verdict:        "no operation succeeds",
		Source:         secondServer,
		ClientSettings: ClientSettings{Fallback: secondAddr},
		Servers:        onlyTheSecond,
		ClientBody: func(e *ClientEnv) {
			e.WantSomeDone(2, "the second server answers")
		},
	},
	{
		Name:           "broken-first-silent",
		Claim:          "A client that was given two servers, of which the first is silent, is served by the second when its time for the first is over.",
		Verdict:        "no operation succeeds",
		Source:         secondServer,
		ClientSettings: ClientSettings{Fallback: secondAddr, Timeout: answerTime},
		Servers: func(t *harness.T, serve func(addr string)) {
			onlyTheSecond(t, serve)
			t.Net.Partition(serverHost)
		},
		ClientBody: func(e *ClientEnv) {
			for i := range 4 {
				r := e.Do("r" + strconv.Itoa(i+1))
				e.Advance(3 * answerTime)
				if r.Err() == nil && !r.Pending() {
					return
				}
			}
			e.Errorf("no operation has succeeded in %v, want one: the second server answers", 12*answerTime)
		},
	},
	{
		Name:           "broken-first-stops",
		Claim:          "A client that was given two servers goes on with the second when the first stops; each connection that breaks costs one operation at most.",
		Verdict:        "no operation succeeds",
		Source:         secondServer,
		ClientSettings: ClientSettings{Fallback: secondAddr},
		Servers: func(t *harness.T, serve func(addr string)) {
			serve(serverHost + ":7")
			serve(secondAddr)
		},
		ClientBody: func(e *ClientEnv) {
			e.Do("r1").WantDone()
			e.Net.Kill(e.Settings.Addr)
			e.Advance(time.Minute) // one that dials again by itself may wait a while before
			e.WantSomeDone(e.Opened()+1, "the second server answers")
		},
	},
	{
		Name:       "broken-certificate-expired",
		Claim:      "An operation that needs a new connection fails if the server's certificate has expired; the connection is closed, and later operations succeed when the certificate is renewed.",
		Verdict:    "it succeeds, or the connection is left open",
		Source:     "RFC 5280 section 6.1.3 (the certificate validity period includes the current time)",
		Secure:     true,
		ClientBody: certificateExpires,
	},
	{
		Name:    "broken-drain",
		Claim:   "When a server stops, and first answers what it was asked, those operations succeed; the next one fails, and others succeed when there is a server again.",
		Verdict: "an operation that was answered fails, or one after it does not end",
		Source:  whatWasSent,
		ClientBody: func(e *ClientEnv) {
			e.Do("r1").WantDone()
			e.Net.Hold("* server->client data")
			ops := e.DoAll("r2", "r3")
			e.Net.Unlisten(e.Settings.Addr)
			e.Net.Release("* server->client data")
			e.WantDone(ops, "the server answers what it was asked before it stops")
			e.Net.Kill(e.Settings.Addr)
			e.failing("there is no server")
			e.serve(e.Settings.Addr)
			e.Advance(time.Minute)
			e.WantSomeDone(e.Opened()+1, "there is a server again")
		},
	},
	{
		Name:    "stuck-server-stops",
		Claim:   "A server may stop at any time, with all of its connections: every operation ends, and others succeed when there is a server again.",
		Verdict: "stuck, or no operation succeeds",
		Source:  "RFC 9293 section 3.10.7.4 (a reset or a FIN tells the user of the connection that it has ended)",
		Bounds:  orders(200),
		ClientBody: func(e *ClientEnv) {
			const running, stopped, over = 0, 1, 2
			var server atomic.Int32
			e.MayCall("stop the server", func() {
				if server.CompareAndSwap(running, stopped) {
					e.Net.Raw().Kill(e.Settings.Addr)
				}
			})
			e.DoAll("r1", "r2", "r3")
			e.Rest()
			if server.Swap(over) == stopped {
				e.serve(e.Settings.Addr)
			}
			e.Advance(time.Minute)
			e.WantSomeDone(e.Opened()+1, "there is a server again")
		},
	},
	{
		Name:       "broken-drain-last-answer",
		Claim:      "An answer behind which the server closes the connection, at once, is an answer: the operation succeeds.",
		Verdict:    "the operation fails",
		Source:     whatWasSent,
		ClientBody: answersAndStops,
	},
}

// onlyTheSecond runs the second of two servers.
func onlyTheSecond(t *harness.T, serve func(addr string)) {
	serve(secondAddr)
	serve(serverHost + ":7")
	t.Net.Unlisten(serverHost + ":7")
}

func certificateExpires(e *ClientEnv) {
	e.Do("r1").WantDone()
	e.Advance(2 * certified)
	for _, c := range e.own() {
		c.Peer().Close()
	}
	e.Settle()
	e.failing("the certificate has expired")
	if n := e.Open(); n > 0 {
		e.Errorf("%d connections are open, want none: the certificate has expired", n)
	}
	e.Advance(2 * certified)
	e.WantSomeDone(2, "the certificate is renewed")
}

// failing starts operations with a deadline, one after the other, and expects that each fails. A
// connection that the server has closed may cost one, so there is one more.
func (e *ClientEnv) failing(why string) {
	for i := range e.Opened() + 1 {
		r := e.DoFor("late"+strconv.Itoa(i+1), untilDeadline)
		e.Advance(untilDeadline)
		if r.Pending() || r.Err() == nil {
			e.Fatalf("%s, want an error: %s", r, why)
		}
	}
}

// answersAndStops lets a server close each connection right behind the last part of an answer. How many
// parts an answer has is seen at the one before.
func answersAndStops(e *ClientEnv) {
	const answers = "* server->client data"
	e.Do("r1").WantDone()
	parts := 0
	e.Net.Hold(answers)
	for r2 := e.Do("r2"); r2.Pending() && e.held(answers); parts++ {
		e.Net.Let(answers)
	}
	r3 := e.Do("r3")
	for range parts - 1 {
		if e.held(answers) {
			e.Net.Let(answers)
		}
	}
	if !r3.Pending() {
		r3.WantDone() // its answer has fewer parts
	}
	e.Net.Kill(e.Settings.Addr)
	e.Net.Release(answers)
	r3.Await()
	r3.WantDone("its answer came before the end of the connection")
	e.serve(e.Settings.Addr)
	e.Advance(time.Minute)
	e.WantSomeDone(cmp.Or(e.Opened(), 1)+1, "there is a server again")
}

// held reports whether an event of the pattern is held.
func (e *ClientEnv) held(pattern string) bool {
	p, err := faultnet.ParsePattern(pattern)
	if err != nil {
		e.Fatal(err)
	}
	for _, event := range e.Net.Pending() {
		if p.Match(event) {
			return true
		}
	}
	return false
}
