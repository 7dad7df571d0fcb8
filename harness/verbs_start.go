package harness

import "time"

// verbsBefore make what a script needs before its first request.
var verbsBefore = []*verb{
	{name: "serve", args: "ADDR", doc: "run an http.Server on ADDR (host:port) that answers by path: /bytes/N, /status/N, /status/N/BYTES, /echo, /close, /hang, /answer/ANSWER (behind which that connection answers nothing more), and \"ok\" to anything else",
		run: func(p *scriptRun, c *command) { p.t.Serve(c.args[0], nil) }},
	{name: "serve-udp", args: "ADDR", doc: "answer each datagram that comes on ADDR with the same bytes",
		run: func(p *scriptRun, c *command) { p.t.ServePackets(c.args[0], nil) }},
	{name: "peer", args: "ADDR", doc: "listen on ADDR with a scripted peer, whose every byte the script sends",
		run: func(p *scriptRun, c *command) { p.t.Peer(c.args[0]) }},
	{name: "transport", args: "SETTING=VALUE...", doc: "make the transport with these settings; they have the names that they have in http.Transport",
		run: func(p *scriptRun, c *command) { p.t.step(append([]string{"transport"}, c.args...)...) }},
	{name: "strict", doc: "ask for good style too: each connection closed once, no write after that, no deadline armed while it is idle",
		run: func(p *scriptRun, c *command) { p.t.Strict() }},
	{name: "limit-orphans", args: "N", doc: "no more than N dials of a host are under way that no request waits for",
		run: func(p *scriptRun, c *command) { p.t.LimitOrphans(argNumber(c.args[0])) }},
	{name: "allow", args: "ORACLE TEXT [OPERATION...]", doc: "the oracle of that name does not apply, or not to those operations; TEXT is the reason",
		run: func(p *scriptRun, c *command) { p.t.Allow(c.args[0], c.args[1], c.args[2:]...) }},
	{name: "gates", args: "GATE...", doc: "park the transport at each call of these callbacks, as an event (gate r1 PutIdleConn); before transport and the first request",
		run: func(p *scriptRun, c *command) { p.t.Gates(c.args...) }},
}

// verbsStart start a request.
var verbsStart = []*verb{
	{name: "get", args: "NAME URL [HEADER...]", doc: "start a GET request; a HEADER is Name:value",
		run: func(p *scriptRun, c *command) { p.start(c.args[0], "GET", c.args[1], nil, c.args[2:]) }},
	{name: "post", args: "NAME URL TEXT [HEADER...]", doc: "start a POST request with that body, which can be sent again",
		run: func(p *scriptRun, c *command) { p.start(c.args[0], "POST", c.args[1], &c.args[2], c.args[3:]) }},
	{name: "request", args: "NAME METHOD URL [HEADER...]", doc: "start a request with that method and no body",
		run: func(p *scriptRun, c *command) { p.start(c.args[0], c.args[1], c.args[2], nil, c.args[3:]) }},
	{name: "ask", args: "QUERY ADDR TEXT", doc: "start a query: send TEXT to ADDR in a datagram, three times in all, a second apart, until the same text comes back",
		run: func(p *scriptRun, c *command) { p.t.Ask(c.args[0], c.args[1], c.args[2]) }},
}

// verbsMay say what may happen when the script is explored.
var verbsMay = []*verb{
	{name: "may cancel", args: "OP", doc: "when the script is explored: cancel the request or query at any point, or not at all",
		run: func(p *scriptRun, c *command) { p.op(c.args[0]).MayCancel() }},
	{name: "may close-idle", doc: "when the script is explored: call CloseIdleConnections at any point, or not at all",
		run: func(p *scriptRun, c *command) {
			if rt, ok := p.rt.(idler); ok {
				p.t.MayCloseIdle(rt)
			}
		}},
	{name: "may pass", args: "DURATION", doc: "when the script is explored: let that much time pass at any point, or one nanosecond less or more, or not at all",
		run: func(p *scriptRun, c *command) {
			d, _ := time.ParseDuration(c.args[0])
			p.t.MayPass(d)
		}},
}
