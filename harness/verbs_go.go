package harness

import "time"

// verbsHold keep events from happening.
var verbsHold = []*verb{
	{name: "begin", doc: "hold everything, and read each body as soon as there is a response: so a printed schedule begins; a later let or next that finds nothing held is passed over, and the report says so",
		run: func(p *scriptRun, c *command) { p.begin() }},
	{name: "hold", args: "EVENT...", doc: "keep events of that name pending; dials are held from the start",
		run: func(p *scriptRun, c *command) { p.t.Net.Hold(c.args[0]) }},
	{name: "release", args: "EVENT...", doc: "end the hold of the same words: what it held happens",
		run: func(p *scriptRun, c *command) { p.t.Net.Release(c.args[0]) }},
	{name: "fault", args: "EVENT...", doc: "arm a fault for the next event of that name, held or not: fault dial * api.test:80 as refuse",
		run: func(p *scriptRun, c *command) {
			pattern, outcome := splitPattern(c.args[0])
			v, which, _ := parseFault(outcome) // checked when the script was read
			p.t.Net.Fault(pattern, v, which...)
		}},
}

// verbsLetGo let events happen, and time pass.
var verbsLetGo = []*verb{
	{name: "let", args: "EVENT...", doc: "let one held event happen, normally or as something else: let c1 server->client data as reset",
		run: func(p *scriptRun, c *command) {
			pattern, outcome := splitPattern(c.args[0])
			v, _ := parseOutcome(outcome)
			p.t.Net.Let(pattern, v)
		}},
	{name: "next", args: "N", doc: "let the N events that have been held longest happen, one after the other",
		run: func(p *scriptRun, c *command) { p.t.Net.Next(argNumber(c.args[0])) }},
	{name: "open", args: "D", doc: "let a dial reach its host; the connection that it opens is c1, c2, ... in the order of opening",
		run: func(p *scriptRun, c *command) { p.dial(c.args[0]).Open() }},
	{name: "fail", args: "D OUTCOME", doc: "let a dial fail that way",
		run: func(p *scriptRun, c *command) {
			v, _ := parseOutcome(c.args[1])
			p.dial(c.args[0]).Fail(v)
		}},
	{name: "cancel", args: "OP", doc: "end the context of a request or query",
		run: func(p *scriptRun, c *command) { p.op(c.args[0]).Cancel() }},
	{name: "await", args: "OP", doc: "let time pass until the request or query has returned",
		run: func(p *scriptRun, c *command) { p.op(c.args[0]).Await() }},
	{name: "advance", args: "DURATION", doc: "let that much virtual time pass",
		run: func(p *scriptRun, c *command) {
			d, _ := time.ParseDuration(c.args[0])
			p.t.Advance(d)
		}},
	{name: "rest", doc: "end every hold, and let everything happen, and time pass, until every request has its end",
		run: func(p *scriptRun, c *command) { p.t.Rest() }},
	{name: "close-idle", doc: "call CloseIdleConnections on the transport",
		run: func(p *scriptRun, c *command) { p.closeIdle() }},
}
