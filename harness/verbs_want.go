package harness

// verbsWant are the expectations. Each waits for quiet first.
var verbsWant = []*verb{
	{name: "want dial", args: "[D]", negatable: true, doc: "a dial is held that the script has not seen yet, and has that name",
		run: func(p *scriptRun, c *command) { p.wantDial(c) }},
	{name: "want gone", args: "D", doc: "the dial was given up by its caller",
		run: func(p *scriptRun, c *command) { p.dial(c.args[0]).WantGone(c.why...) }},
	{name: "want held", args: "EVENT...", negatable: true, doc: "an event of that name is held",
		run: func(p *scriptRun, c *command) {
			if c.negate {
				p.t.Net.WantNotHeld(c.args[0], c.why...)
				return
			}
			p.t.Net.WantHeld(c.args[0], c.why...)
		}},
	{name: "want done", args: "OP [C]", doc: "the request has its response, and was sent on that connection; the query has its answer",
		run: func(p *scriptRun, c *command) {
			if p.request(c.args[0]) == nil && len(c.args) == 1 {
				p.op(c.args[0]).WantDone(c.why...)
				return
			}
			var conn *Conn
			if len(c.args) > 1 {
				conn = p.t.Conn(c.args[1])
			}
			p.request(c.args[0]).WantDone(conn, c.why...)
		}},
	{name: "want pending", args: "OP", doc: "the request or query has neither an answer nor an error",
		run: func(p *scriptRun, c *command) { p.op(c.args[0]).WantPending(c.why...) }},
	{name: "want err", args: "OP ERROR", doc: "the request or query failed with that error",
		run: func(p *scriptRun, c *command) { p.wantErr(c) }},
	{name: "want status", args: "R STATUS", doc: "the response has that status code",
		run: func(p *scriptRun, c *command) { p.request(c.args[0]).WantStatus(argNumber(c.args[1]), c.why...) }},
	{name: "want body", args: "R TEXT", doc: "the body, read to its end and closed, is that text",
		run: func(p *scriptRun, c *command) { p.request(c.args[0]).WantBody(c.args[1], c.why...) }},
	{name: "want sent", args: "R N", doc: "the request reached a server so many times",
		run: func(p *scriptRun, c *command) { p.request(c.args[0]).WantSent(argNumber(c.args[1]), c.why...) }},
	{name: "want request", args: "C TEXT", doc: "what the scripted peer has received begins with that text; it takes all that came",
		run: func(p *scriptRun, c *command) { p.t.Conn(c.args[0]).WantRequest(c.args[1], c.why...) }},
	{name: "want open", args: "C", doc: "the client has not closed the connection",
		run: func(p *scriptRun, c *command) { p.t.Conn(c.args[0]).WantOpen(c.why...) }},
	{name: "want closed", args: "C", doc: "the client has closed the connection",
		run: func(p *scriptRun, c *command) { p.t.Conn(c.args[0]).WantClosed(c.why...) }},
	{name: "want conns", args: "N", doc: "so many connections are open on the client's side",
		run: func(p *scriptRun, c *command) { p.t.Net.WantConns(argNumber(c.args[0]), c.why...) }},
	{name: "want idle", args: "N", doc: "so many connections are idle: open at both ends, and no request or response is on them",
		run: func(p *scriptRun, c *command) { p.t.Net.WantIdle(argNumber(c.args[0]), c.why...) }},
}
