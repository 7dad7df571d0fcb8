package harness

import (
	"fmt"
	"io"
	"net/http"
	"strings"
)

// play is one run of a script.
type play struct {
	t      *T
	script *Script
	maker  Maker
	rt     http.RoundTripper
}

// NotApplicable is the error of a run whose body called [T.NotApplicable].
type NotApplicable struct{ Err error }

func (e *NotApplicable) Error() string { return "not applicable: " + e.Err.Error() }

// Unwrap returns the reason alone.
func (e *NotApplicable) Unwrap() error { return e.Err }

// Run runs the script with a transport of the maker; nil is [NetHTTP]. The
// error is not nil, and a [NotApplicable], if the maker cannot serve it.
func (s *Script) Run(maker Maker) (*Report, error) {
	return s.run(s.Name, maker, "halfopen run "+s.File)
}

func (s *Script) run(name string, maker Maker, again string) (*Report, error) {
	if maker == nil {
		maker = NetHTTP
	}
	p := &play{script: s, maker: maker}
	r := run(nil, name, func(t *T) {
		p.t = t
		p.run()
	}, settings{again: again})
	s.goldenTrace(r, p.rt)
	return r, r.NotApplicable()
}

// Explore explores the script: its requests start in any order, everything that
// travels arrives in any order, and what "may" happen does so anywhere. Its
// wants are checked where they stand, after a settle. The verdicts of every
// run, and that nothing is left behind, hold for each order.
func (s *Script) Explore(maker Maker, bounds Bounds, progress func(*Exploration)) (*Exploration, error) {
	return s.explore(maker, bounds, nil, progress)
}

// Replay runs one schedule of an exploration of the script again.
func (s *Script) Replay(maker Maker, file string) (*Exploration, error) {
	return s.explore(maker, Bounds{Schedules: None}, []string{file}, nil)
}

func (s *Script) explore(maker Maker, bounds Bounds, files []string, progress func(*Exploration)) (*Exploration, error) {
	if maker == nil {
		maker = NetHTTP
	}
	return explore(s.File, bounds, func(t *T) { (&play{t: t, script: s, maker: maker}).run() }, files, progress)
}

func (p *play) run() {
	var err error
	if p.rt, err = p.maker(p.t, p.script.settings); err != nil {
		p.t.NotApplicable(err)
	}
	if p.t.plan == nil {
		// Whoever scripts a race has dials in hand.
		p.t.Net.hold("dial")
	}
	for _, c := range p.script.parsed.Commands {
		p.t.mu.Lock()
		p.t.at = fmt.Sprintf("%s:%d", p.script.File, c.Line)
		if c.Verb == "" {
			p.t.trace = append(p.t.trace, line{kind: sectionLine, text: c.Text})
		}
		p.t.mu.Unlock()
		if c.Verb != "" {
			if strings.HasPrefix(c.Verb, "want") {
				p.t.lastWant = p.script.parsed.Line(c.Line)
			}
			verbs[c.Verb](p, &command{c.Negate, c.Args, c.Why})
		}
	}
}

// begin takes everything in hand.
func (p *play) begin() {
	p.t.step("begin")
	p.t.auto = true
	p.t.inHand = true
	if p.t.plan == nil {
		p.t.Net.hold("*")
	}
}

// start starts a request with those header fields.
func (p *play) start(name, method, url string, body *string, headers []string) {
	req := mustRequest(p.t, method, url, bodyReader(body))
	for _, h := range headers {
		key, value, _ := strings.Cut(h, ":")
		req.Header.Add(key, strings.TrimSpace(value))
	}
	p.t.stepStart(name, req, body)
	p.t.begin(name, p.rt, req, body)
}

// bodyReader is a reader of a body that can be read again, or nil.
func bodyReader(body *string) io.Reader {
	if body == nil {
		return nil
	}
	return strings.NewReader(*body)
}

func (p *play) request(name string) *Request {
	return p.t.request(name) // the parser has seen it start
}

// dial is the dial of that name, whether or not a want has seen it.
func (p *play) dial(id string) *Dial {
	if d := p.t.Net.examined[id]; d != nil {
		return d
	}
	p.t.settle()
	for {
		d := p.t.Net.nextDial()
		if d == nil {
			p.t.fatal("want", fmt.Sprintf("no dial %s is held", id))
		}
		p.t.Net.examined[d.ID()] = d
		if d.ID() == id {
			return d
		}
	}
}

func (p *play) wantDial(c *command) {
	if c.negate {
		p.t.Net.WantNoDial(c.why...)
		return
	}
	d := p.t.Net.WantDial(c.why...)
	if len(c.args) > 0 && d.ID() != c.args[0] {
		p.t.fatal("want", fmt.Sprintf("got %s, want %s", d.describe(), c.args[0]), c.why...)
	}
}

func (p *play) wantErr(c *command) {
	r := p.request(c.args[0])
	p.t.step("want", "err", r.name, c.args[1])
	r.wantErr(matchError(c.args[1]), c.args[1], c.why...)
}

func (p *play) finish(c *command) {
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

func (p *play) closeIdle() {
	p.t.step("close-idle")
	if c, ok := p.rt.(idler); ok {
		go c.CloseIdleConnections() // it may be parked at a gate
	}
	p.t.settle()
}
