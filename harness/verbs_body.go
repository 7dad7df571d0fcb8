package harness

import "strings"

// verbsPeer act as a scripted peer.
var verbsPeer = []*verb{
	{name: "send", args: "C RAW", doc: "send bytes to the client: a quoted text, or @name for the file -- name --, whose lines up to the first empty one are sent with CRLF",
		run: func(p *scriptRun, c *command) {
			raw, _ := p.script.Raw(c.args[1])
			p.t.Conn(c.args[0]).Send(raw)
		}},
	{name: "respond", args: "C STATUS [TEXT]", doc: "take the request that came and answer it with that status and body",
		run: func(p *scriptRun, c *command) {
			p.t.Conn(c.args[0]).Respond(argNumber(c.args[1]), strings.Join(c.args[2:], ""))
		}},
	{name: "fin", args: "C", doc: "send a FIN from the server's end, which goes on receiving",
		run: func(p *scriptRun, c *command) { p.t.Conn(c.args[0]).Fin() }},
	{name: "shut", args: "C", doc: "close the server's end: a FIN, or a reset if it did not read everything",
		run: func(p *scriptRun, c *command) { p.t.Conn(c.args[0]).CloseServer() }},
	{name: "reset", args: "C", doc: "send a reset from the server's end",
		run: func(p *scriptRun, c *command) { p.t.Conn(c.args[0]).Reset() }},
	{name: "vanish", args: "C", doc: "make the network between both ends disappear without a word",
		run: func(p *scriptRun, c *command) { p.t.Conn(c.args[0]).Vanish() }},
}

// verbsBody read and close bodies, as their caller.
var verbsBody = []*verb{
	{name: "finish", args: "R [ERROR]", negatable: true, doc: "read the response body to its end and close it; with ! this must fail, with that error",
		run: func(p *scriptRun, c *command) { p.finish(c) }},
	{name: "read", args: "R", doc: "read the body in the background, each part when it arrives",
		run: func(p *scriptRun, c *command) { p.request(c.args[0]).Read() }},
	{name: "close", args: "R", doc: "close the body without reading what is left of it",
		run: func(p *scriptRun, c *command) { p.request(c.args[0]).CloseBody() }},
	{name: "drop", args: "R", doc: "never close the body, on purpose; its connection has to be accounted for all the same",
		run: func(p *scriptRun, c *command) { p.request(c.args[0]).Drop() }},
	{name: "forget", args: "R", doc: "the caller neither reads nor closes the body, also when the script is explored or has a begin: it is left at the end, and the script fails",
		run: func(p *scriptRun, c *command) { p.request(c.args[0]).Forget() }},
}
