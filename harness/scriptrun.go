package harness

import (
	"errors"
	"fmt"
	"github.com/halfopen/halfopen/faultnet"
	"io"
	"net/http"
	"strings"

	"github.com/halfopen/halfopen/harness/internal/script"
)

// scriptRun is one run of a script; the verbs act on it.
type scriptRun struct {
	t      *T
	script *script.Script
	rt     http.RoundTripper
}

// begin takes everything in hand.
func (p *scriptRun) begin() {
	p.t.step("begin")
	p.t.auto = true
	p.t.inHand = true
	if p.t.scheduler == nil {
		p.t.Net.hold("*")
	}
}

// start starts a request with those header fields.
func (p *scriptRun) start(name, method, url string, body *string, headers []string) {
	req := mustRequest(p.t, method, url, bodyReader(body))
	for _, h := range headers {
		key, value, _ := strings.Cut(h, ":")
		req.Header.Add(key, strings.TrimSpace(value))
	}
	p.t.stepStart(name, req, body)
	p.t.begin(name, p.rt, req, body)
}

// bodyReader returns a reader of a body that can be read again, or nil.
func bodyReader(body *string) io.Reader {
	if body == nil {
		return nil
	}
	return strings.NewReader(*body)
}

func (p *scriptRun) request(name string) *Request {
	return p.t.census.request(name) // the parser has seen it start
}

// op returns the request or query of that name.
func (p *scriptRun) op(name string) *Op { return p.t.census.op(name) }

// dial returns the dial of that name, whether or not a want has seen it.
func (p *scriptRun) dial(id string) *Dial {
	if d := p.t.Net.examined[id]; d != nil {
		return d
	}
	p.t.settle()
	for {
		d := p.t.Net.nextDial()
		if d == nil {
			var held []string
			for _, e := range p.t.Net.Pending() {
				if e.Kind == faultnet.Dial {
					held = append(held, e.DialID())
				}
			}
			p.t.fatal(KindWant, fmt.Sprintf("no dial %s is held; %s", id, thereAre(held)))
		}
		setKey(&p.t.Net.examined, d.ID(), d)
		if d.ID() == id {
			return d
		}
	}
}

func (p *scriptRun) wantDial(c *command) {
	if c.negate {
		p.t.Net.WantNoDial(c.why...)
		return
	}
	d := p.t.Net.WantDial(c.why...)
	if len(c.args) > 0 && d.ID() != c.args[0] {
		p.t.fatal(KindWant, fmt.Sprintf("got %s, want %s", d.describe(), c.args[0]), c.why...)
	}
}

func (p *scriptRun) wantErr(c *command) {
	o := p.op(c.args[0])
	p.t.step("want", "err", o.name, c.args[1])
	o.wantErr(matchError(c.args[1]), c.args[1], c.why...)
}

func (p *scriptRun) finish(c *command) {
	r := p.request(c.args[0])
	switch {
	case !c.negate:
		r.Finish()
	case len(c.args) > 1:
		p.t.step("!", "finish", r.name, c.args[1])
		r.wantBrokenBody(matchError(c.args[1]), c.args[1])
	default:
		p.t.step("!", "finish", r.name)
		r.wantBrokenBody(func(err error) bool { return err != nil }, "any error")
	}
}

func (p *scriptRun) closeIdle() {
	p.t.step("close-idle")
	c, ok := p.rt.(idler)
	switch {
	case ok:
		go c.CloseIdleConnections() // it may be parked at a gate
	case !p.t.Failed():
		p.t.NotApplicable(errors.New("the transport has no CloseIdleConnections"))
	}
	p.t.settle()
}
