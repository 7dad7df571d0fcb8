package harness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// verb is one verb of the script language. The manual and the checks of a
// script come from this table alone.
type verb struct {
	name      string
	args      string // as the manual shows them; params is made of it
	doc       string
	negatable bool
	run       func(p *play, c *command)
	params    []param
}

type param struct {
	name     string
	kind     paramKind
	optional bool
	rest     bool // it takes all words that are left
}

type paramKind uint8

const (
	textParam paramKind = iota
	newRequestParam
	requestParam
	dialParam
	connParam
	numberParam
	durationParam
	patternParam
	outcomeParam
	errorParam
	settingParam
	rawParam
	headerParam
	gateParam
	directionParam
	errnoParam
	answerParam
)

// kinds is what the words in capitals of verb.args stand for.
var kinds = map[string]paramKind{
	"NAME": newRequestParam, "R": requestParam, "D": dialParam, "C": connParam,
	"N": numberParam, "DURATION": durationParam, "EVENT...": patternParam,
	"OUTCOME": outcomeParam, "ERROR": errorParam, "SETTING=VALUE...": settingParam,
	"RAW": rawParam, "HEADER...": headerParam, "GATE...": gateParam, "ADDR": textParam, "URL": textParam, "TEXT": textParam,
	"METHOD": textParam, "HOST": textParam, "HOSTS...": textParam, "FROM": textParam, "TO": textParam,
	"DIRECTION": directionParam, "ERRNO": errnoParam, "ANSWER": answerParam, "MODE...": textParam, "MODE": textParam,
}

// verbs is in the order of the manual: the six moves of a race script.
var verbs []*verb

func init() {
	verbs = []*verb{
		// Before.
		{name: "serve", args: "ADDR", doc: "run an http.Server on ADDR (host:port) that answers by path: /bytes/N, /status/N, /echo, /close, /hang, /answer/ANSWER, and \"ok\" to anything else",
			run: func(p *play, c *command) { p.t.Serve(c.args[0], nil) }},
		{name: "peer", args: "ADDR", doc: "listen on ADDR with a scripted peer, whose every byte the script sends",
			run: func(p *play, c *command) { p.t.Peer(c.args[0]) }},
		{name: "transport", args: "SETTING=VALUE...", doc: "make the transport with these settings; they have the names that they have in http.Transport",
			run: func(p *play, c *command) { p.t.step(append([]string{"transport"}, c.args...)...) }},
		{name: "strict", doc: "ask for good style too: each connection closed once, no write after that, no deadline armed while it is idle",
			run: func(p *play, c *command) { p.t.Strict() }},
		{name: "gates", args: "GATE...", doc: "park the transport at each call of these callbacks, as an event (gate r1 PutIdleConn); before transport and the first request",
			run: func(p *play, c *command) { p.t.Gates(c.args...) }},

		// Start.
		{name: "get", args: "NAME URL [HEADER...]", doc: "start a GET request; a HEADER is Name:value",
			run: func(p *play, c *command) { p.start(c.args[0], "GET", c.args[1], nil, c.args[2:]) }},
		{name: "post", args: "NAME URL TEXT [HEADER...]", doc: "start a POST request with that body, which can be sent again",
			run: func(p *play, c *command) { p.start(c.args[0], "POST", c.args[1], &c.args[2], c.args[3:]) }},
		{name: "request", args: "NAME METHOD URL [HEADER...]", doc: "start a request with that method and no body",
			run: func(p *play, c *command) { p.start(c.args[0], c.args[1], c.args[2], nil, c.args[3:]) }},
		// What may happen, for halfopen explore; in a single run these do nothing.
		{name: "may cancel", args: "R", doc: "when the script is explored: cancel the request at any point, or not at all",
			run: func(p *play, c *command) { p.request(c.args[0]).MayCancel() }},
		{name: "may close-idle", doc: "when the script is explored: call CloseIdleConnections at any point, or not at all",
			run: func(p *play, c *command) {
				if rt, ok := p.rt.(idler); ok {
					p.t.MayCloseIdle(rt)
				}
			}},
		{name: "may pass", args: "DURATION", doc: "when the script is explored: let that much time pass at any point, or one nanosecond less or more, or not at all",
			run: func(p *play, c *command) {
				d, _ := time.ParseDuration(c.args[0])
				p.t.MayPass(d)
			}},

		// Hold.
		{name: "begin", doc: "hold everything, and read each body as soon as there is a response: so a printed schedule begins",
			run: func(p *play, c *command) { p.begin() }},
		{name: "hold", args: "EVENT...", doc: "keep events of that name pending; dials are held from the start",
			run: func(p *play, c *command) { p.t.Net.Hold(c.args[0]) }},
		{name: "release", args: "EVENT...", doc: "end the hold of the same words: what it held happens",
			run: func(p *play, c *command) { p.t.Net.Release(c.args[0]) }},
		{name: "fault", args: "EVENT...", doc: "arm a fault for the next event of that name, held or not: fault dial * api.test:80 as refuse",
			run: func(p *play, c *command) {
				pattern, outcome := splitPattern(c.args[0])
				p.t.Net.Fault(pattern, outcome)
			}},

		// Let go.
		{name: "let", args: "EVENT...", doc: "let one held event happen, normally or as something else: let c1 server->client data as reset",
			run: func(p *play, c *command) {
				pattern, outcome := splitPattern(c.args[0])
				p.t.Net.Let(pattern, outcome)
			}},
		{name: "next", args: "N", doc: "let the N events that have been held longest happen, one after the other",
			run: func(p *play, c *command) { p.t.Net.Next(number(c.args[0])) }},
		{name: "open", args: "D", doc: "let a dial reach its host; the connection that it opens is c1, c2, ... in the order of opening",
			run: func(p *play, c *command) { p.dial(c.args[0]).Open() }},
		{name: "fail", args: "D OUTCOME", doc: "let a dial fail that way",
			run: func(p *play, c *command) { p.dial(c.args[0]).Fail(c.args[1]) }},
		{name: "cancel", args: "R", doc: "end the context of a request",
			run: func(p *play, c *command) { p.request(c.args[0]).Cancel() }},
		{name: "await", args: "R", doc: "let time pass until the request has returned",
			run: func(p *play, c *command) { p.request(c.args[0]).Await() }},
		{name: "advance", args: "DURATION", doc: "let that much virtual time pass",
			run: func(p *play, c *command) {
				d, _ := time.ParseDuration(c.args[0])
				p.t.Advance(d)
			}},
		{name: "rest", doc: "end every hold, and let everything happen, and time pass, until every request has its end",
			run: func(p *play, c *command) { p.t.Rest() }},
		{name: "close-idle", doc: "call CloseIdleConnections on the transport",
			run: func(p *play, c *command) { p.closeIdle() }},

		// What a scripted peer does.
		{name: "send", args: "C RAW", doc: "send bytes to the client: a quoted text, or @name for the file -- name --, whose lines up to the first empty one are sent with CRLF",
			run: func(p *play, c *command) {
				raw, _ := p.script.raw(c.args[1])
				p.t.Conn(c.args[0]).Send(raw)
			}},
		{name: "respond", args: "C N [TEXT]", doc: "take the request that came and answer it with that status and body",
			run: func(p *play, c *command) {
				p.t.Conn(c.args[0]).Respond(number(c.args[1]), strings.Join(c.args[2:], ""))
			}},
		{name: "fin", args: "C", doc: "send a FIN from the server's end, which goes on receiving",
			run: func(p *play, c *command) { p.t.Conn(c.args[0]).Fin() }},
		{name: "shut", args: "C", doc: "close the server's end: a FIN, or a reset if it did not read everything",
			run: func(p *play, c *command) { p.t.Conn(c.args[0]).CloseServer() }},
		{name: "reset", args: "C", doc: "send a reset from the server's end",
			run: func(p *play, c *command) { p.t.Conn(c.args[0]).Reset() }},
		{name: "vanish", args: "C", doc: "make the network between both ends disappear without a word",
			run: func(p *play, c *command) { p.t.Conn(c.args[0]).Vanish() }},

		// What the caller does with a body.
		{name: "finish", args: "R [ERROR]", negatable: true, doc: "read the response body to its end and close it; with ! this must fail, with that error",
			run: func(p *play, c *command) { p.finish(c) }},
		{name: "read", args: "R", doc: "read the body as it comes, in the background",
			run: func(p *play, c *command) { p.request(c.args[0]).Read() }},
		{name: "close", args: "R", doc: "close the body without reading what is left of it",
			run: func(p *play, c *command) { p.request(c.args[0]).CloseBody() }},
		{name: "drop", args: "R", doc: "never close the body, on purpose; its connection has to be accounted for all the same",
			run: func(p *play, c *command) { p.request(c.args[0]).Drop() }},
	}
	verbs = append(verbs, faultVerbs()...)
	verbs = append(verbs, wants()...)
	for _, v := range verbs {
		v.parseParams()
	}
}

// wants is the expectations. Each waits for quiet first.
func wants() []*verb {
	return []*verb{
		{name: "want dial", args: "[D]", negatable: true, doc: "a dial is held that the script has not seen yet, and has that name",
			run: func(p *play, c *command) { p.wantDial(c) }},
		{name: "want gone", args: "D", doc: "the dial was given up by whoever dialed",
			run: func(p *play, c *command) { p.dial(c.args[0]).WantGone(c.why...) }},
		{name: "want held", args: "EVENT...", negatable: true, doc: "an event of that name is held",
			run: func(p *play, c *command) {
				if c.negate {
					p.t.Net.WantNotHeld(c.args[0], c.why...)
					return
				}
				p.t.Net.WantHeld(c.args[0], c.why...)
			}},
		{name: "want done", args: "R [C]", doc: "the request has its response, and was sent on that connection",
			run: func(p *play, c *command) {
				var conn *Conn
				if len(c.args) > 1 {
					conn = p.t.Conn(c.args[1])
				}
				p.request(c.args[0]).WantDone(conn, c.why...)
			}},
		{name: "want pending", args: "R", doc: "the request has neither a response nor an error",
			run: func(p *play, c *command) { p.request(c.args[0]).WantPending(c.why...) }},
		{name: "want err", args: "R ERROR", doc: "the request failed with that error",
			run: func(p *play, c *command) { p.wantErr(c) }},
		{name: "want status", args: "R N", doc: "the response has that status code",
			run: func(p *play, c *command) { p.request(c.args[0]).WantStatus(number(c.args[1]), c.why...) }},
		{name: "want body", args: "R TEXT", doc: "the body, read to its end and closed, is that text",
			run: func(p *play, c *command) { p.request(c.args[0]).WantBody(c.args[1], c.why...) }},
		{name: "want sent", args: "R N", doc: "the request reached a server so many times",
			run: func(p *play, c *command) { p.request(c.args[0]).WantSent(number(c.args[1]), c.why...) }},
		{name: "want request", args: "C TEXT", doc: "what the scripted peer has received begins with that text; it takes all that came",
			run: func(p *play, c *command) { p.t.Conn(c.args[0]).WantRequest(c.args[1], c.why...) }},
		{name: "want open", args: "C", doc: "the client has not closed the connection",
			run: func(p *play, c *command) { p.t.Conn(c.args[0]).WantOpen(c.why...) }},
		{name: "want closed", args: "C", doc: "the client has closed the connection",
			run: func(p *play, c *command) { p.t.Conn(c.args[0]).WantClosed(c.why...) }},
		{name: "want conns", args: "N", doc: "so many connections are open on the client's side",
			run: func(p *play, c *command) { p.t.Net.WantConns(number(c.args[0]), c.why...) }},
	}
}

func (v *verb) parseParams() {
	for _, f := range strings.Fields(v.args) {
		p := param{name: strings.Trim(f, "[]"), optional: f[0] == '['}
		kind, ok := kinds[p.name]
		if !ok {
			panic("harness: verb " + v.name + " has an unknown argument " + f)
		}
		p.kind = kind
		p.rest = strings.HasSuffix(p.name, "...")
		v.params = append(v.params, p)
	}
}

func (v *verb) usage() string {
	if v.args == "" {
		return v.name
	}
	return v.name + " " + v.args
}

func findVerb(name string) *verb {
	for _, v := range verbs {
		if v.name == name {
			return v
		}
	}
	return nil
}

func verbNames() []string {
	var names []string
	for _, v := range verbs {
		names = append(names, v.name)
	}
	return names
}

func number(s string) int {
	n, _ := strconv.Atoi(s) // checked when the script was parsed
	return n
}

// errorNames is the errors that a script can name; anything else is a part of
// the error's text, in quotes or not.
var errorNames = []struct {
	name string
	doc  string
	is   func(error) bool
}{
	{"canceled", "context.Canceled", is(context.Canceled)},
	{"deadline", "context.DeadlineExceeded", is(context.DeadlineExceeded)},
	{"timeout", "a net.Error with Timeout()", func(err error) bool {
		var ne net.Error
		return errors.As(err, &ne) && ne.Timeout()
	}},
	{"refused", "ECONNREFUSED", is(syscall.ECONNREFUSED)},
	{"reset", "ECONNRESET", is(syscall.ECONNRESET)},
	{"pipe", "EPIPE", is(syscall.EPIPE)},
	{"closed", "net.ErrClosed", is(net.ErrClosed)},
	{"eof", "io.EOF", is(io.EOF)},
	{"unexpected-eof", "io.ErrUnexpectedEOF", is(io.ErrUnexpectedEOF)},
}

func is(target error) func(error) bool {
	return func(err error) bool { return errors.Is(err, target) }
}

// matchError is how an ERROR argument judges an error.
func matchError(arg string) func(error) bool {
	for _, e := range errorNames {
		if e.name == arg {
			return e.is
		}
	}
	return func(err error) bool { return err != nil && strings.Contains(err.Error(), arg) }
}

// checkError refuses a bare word that is no name: it is a typing mistake more
// often than a part of a text.
func checkError(arg string) error {
	if strings.ContainsAny(arg, " :.") {
		return nil
	}
	var names []string
	for _, e := range errorNames {
		if e.name == arg {
			return nil
		}
		names = append(names, e.name)
	}
	return fmt.Errorf("unknown error %q%s; there are: %s, and any text of more than a word",
		arg, didYouMean(arg, names), strings.Join(names, ", "))
}
