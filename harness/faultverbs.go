package harness

import (
	"fmt"
	"time"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/internal/nearest"
)

// faultVerbs returns the verbs about hosts, links and peers that misbehave. Faults
// of single events are the outcomes of fault, let and fail.
func faultVerbs() []*verb {
	net := func(p *scriptRun) *Net { return p.t.Net }
	return []*verb{
		{name: "lift", args: "EVENT...", doc: "disarm the faults, and end the shapes, on those words",
			run: func(p *scriptRun, c *command) { net(p).Lift(c.args[0]) }},
		{name: "shape", args: "EVENT...", doc: "from now on events of that name happen so, whenever they are let: shape * server->client data as delay:5ms",
			run: func(p *scriptRun, c *command) {
				pattern, outcome := splitPattern(c.args[0])
				v, which, _ := parseFault(outcome) // checked when the script was read
				net(p).Shape(pattern, v, which...)
			}},
		{name: "resolve", args: "HOST [HOSTS...]", doc: "a lookup of HOST answers with those hosts, which a dial tries in turn; with none: an empty answer",
			run: func(p *scriptRun, c *command) { net(p).Resolve(c.args[0], c.args[1:]...) }},
		{name: "route", args: "FROM [TO]", doc: "dials to the address FROM reach what listens on TO: a load balancer changed its backend",
			run: func(p *scriptRun, c *command) { net(p).Route(c.args[0], secondArg(c)) }},
		{name: "backlog", args: "ADDR N", doc: "at most N connections wait on ADDR to be accepted; beyond that SYNs are dropped and sent again after 1s, 2s, 4s, ...",
			run: func(p *scriptRun, c *command) { net(p).Backlog(c.args[0], argNumber(c.args[1])) }},
		{name: "descriptors", args: "N", doc: "beyond N open connections a dial fails for want of a descriptor (EMFILE)",
			run: func(p *scriptRun, c *command) { net(p).Descriptors(argNumber(c.args[0])) }},
		{name: "partition", args: "HOST [DIRECTION]", doc: "nothing arrives at HOST and from it, or in one direction: not on its connections, and no SYN",
			run: func(p *scriptRun, c *command) { net(p).Partition(c.args[0], directions(c)...) }},
		{name: "heal", args: "HOST", doc: "end the partition: what was lost is sent again and arrives",
			run: func(p *scriptRun, c *command) { net(p).Heal(c.args[0]) }},
		{name: "clog", args: "C [DIRECTION]", doc: "nothing arrives on that connection any more, or in one direction",
			run: func(p *scriptRun, c *command) { p.t.Conn(c.args[0]).Clog(directions(c)...) }},
		{name: "unclog", args: "C [DIRECTION]", doc: "what was clogged arrives, in its order",
			run: func(p *scriptRun, c *command) { p.t.Conn(c.args[0]).Unclog(directions(c)...) }},
		{name: "crash", args: "HOST", doc: "the machine stops without a word: no FIN, no reset, no answer to a SYN",
			run: func(p *scriptRun, c *command) { net(p).Crash(c.args[0]) }},
		{name: "kill", args: "ADDR", doc: "the program that serves on ADDR ends: its kernel closes the listener and the connections (FIN, or RST where bytes were unread)",
			run: func(p *scriptRun, c *command) { net(p).Kill(c.args[0]) }},
		{name: "restart", args: "HOST", doc: "a machine that crashed, or whose programs were killed, is back and serves again; it answers segments of old connections with resets",
			run: func(p *scriptRun, c *command) { net(p).Restart(c.args[0]) }},
		{name: "sever", args: "ADDR", doc: "all connections to ADDR are reset at once",
			run: func(p *scriptRun, c *command) { net(p).Sever(c.args[0]) }},
		{name: "unlisten", args: "ADDR", doc: "the listener on ADDR is closed: connections that were not accepted are reset",
			run: func(p *scriptRun, c *command) { net(p).Unlisten(c.args[0]) }},
		{name: "pause", args: "ADDR", doc: "the program that serves on ADDR is stopped (SIGSTOP); its kernel goes on accepting and receiving",
			run: func(p *scriptRun, c *command) { net(p).Pause(c.args[0]) }},
		{name: "resume", args: "ADDR", doc: "the program on ADDR goes on",
			run: func(p *scriptRun, c *command) { net(p).Resume(c.args[0]) }},
		{name: "keep-alive", args: "ADDR DURATION", doc: "the http.Server on ADDR closes connections that were idle for DURATION",
			run: func(p *scriptRun, c *command) {
				d, _ := time.ParseDuration(c.args[1])
				net(p).KeepAlive(c.args[0], d)
			}},
		{name: "break", args: "C ERRNO", doc: "the client's end gets that error from below: ETIMEDOUT when its probes had no answer, EHOSTUNREACH when the network says so",
			run: func(p *scriptRun, c *command) {
				v, _ := faultnet.ParseVerdict("error:" + c.args[1])
				p.t.Conn(c.args[0]).Break(v.Errno())
			}},
		{name: "hang-up", args: "C", doc: "close the client's end, whatever the client is doing with it",
			run: func(p *scriptRun, c *command) { p.t.Conn(c.args[0]).HangUp() }},
		{name: "stop-reading", args: "C", doc: "shut the read side of the server's end",
			run: func(p *scriptRun, c *command) { p.t.Conn(c.args[0]).StopReading() }},
		{name: "misbehave", args: "C ANSWER", doc: "take the request that came and answer it in the wrong way of that name",
			run: func(p *scriptRun, c *command) { p.t.Conn(c.args[0]).Misbehave(c.args[1]) }},
		{name: "serve-tls", args: "ADDR [MODE...]", doc: "serve over TLS, with a certificate that the transport trusts, or with what a MODE says is wrong",
			run: func(p *scriptRun, c *command) { p.t.ServeTLSAs(c.args[0], c.args[1:]...) }},
		{name: "serve-proxy", args: "ADDR MODE", doc: "run a proxy (transport Proxy=http://ADDR or socks5://ADDR) that does what MODE says",
			run: func(p *scriptRun, c *command) { p.t.ServeProxy(c.args[0], c.args[1]) }},
		{name: "serve-h2", args: "ADDR MODE", doc: "serve HTTP/2 over TLS (transport ForceAttemptHTTP2=true), and do on the first connection what MODE says",
			run: func(p *scriptRun, c *command) { p.t.ServeH2(c.args[0], c.args[1]) }},
	}
}

// secondArg returns the second argument, or "".
func secondArg(c *command) string {
	if len(c.args) > 1 {
		return c.args[1]
	}
	return ""
}

func checkDirection(arg string) error {
	_, err := parseDirection(arg)
	return err
}

func checkErrno(arg string) error {
	if _, err := faultnet.ParseVerdict("error:" + arg); err != nil {
		return fmt.Errorf("unknown errno %q%s", arg, nearest.ThereAre(arg, faultnet.ErrnoNames()))
	}
	return nil
}

// directions returns the direction that the second argument says, if there is one.
func directions(c *command) []faultnet.Direction {
	if len(c.args) < 2 {
		return nil
	}
	way, _ := parseDirection(c.args[1]) // checked when the script was read
	return []faultnet.Direction{way}
}

func parseDirection(name string) (faultnet.Direction, error) {
	var names []string
	for _, d := range [...]faultnet.Direction{faultnet.ToServer, faultnet.ToClient, faultnet.BothWays} {
		if d.String() == name {
			return d, nil
		}
		names = append(names, d.String())
	}
	return 0, fmt.Errorf("bad direction %q%s: want client->server or server->client", name, nearest.DidYouMean(name, names))
}
