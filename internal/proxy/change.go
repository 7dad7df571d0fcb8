package proxy

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
)

// mostRules is how many bytes of rules a request may have.
const mostRules = 4 << 20

// SetRules puts rules in the place of those that are in force. A line that stays, word for word, goes
// on counting where it was; of one that is gone the log says how often it has fired. The next
// event is the first that the new rules decide about: what was decided stays, so that a connection
// which was stalled is stalled. Connections that were opened when no rule was about events have none to
// their end. The log begins with why.
func (p *Proxy) SetRules(why string, next *Rules) {
	p.open()
	p.logging.Lock()
	defer p.logging.Unlock()
	gone := slices.Clone(p.rules.Load().list)
	stay := 0
	for i, r := range next.list {
		k := slices.IndexFunc(gone, func(old *rule) bool { return old.text == r.text })
		if k < 0 {
			continue
		}
		old := gone[k]
		old.where = r.where
		next.list[i], gone = old, slices.Delete(gone, k, k+1)
		stay++
	}
	p.rules.Store(next)
	p.Log.Write(Entry{What: "rules", Text: fmt.Sprintf("%s: of the rules about events %d kept, %d added, %d removed", why, stay, len(next.list)-stay, len(gone))})
	for _, r := range gone {
		p.summarize(r)
		p.idle = p.idle || r.fired == 0
	}
}

// KeepRules logs why the rules stay as they are.
func (p *Proxy) KeepRules(err error) {
	p.Log.Write(Entry{What: "rules", Text: fmt.Sprintf("the rules stay as they are: %v", err)})
}

// Summary logs how often each rule has fired, and reports whether each has, also those that are gone.
func (p *Proxy) Summary() (all bool) {
	p.open()
	p.logging.Lock()
	defer p.logging.Unlock()
	list := p.rules.Load().list
	for _, r := range list {
		p.summarize(r)
	}
	return !p.idle && !slices.ContainsFunc(list, func(r *rule) bool { return r.fired == 0 })
}

// summarize logs how often a rule has fired. It is called with logging held.
func (p *Proxy) summarize(r *rule) {
	fired := r.fired
	p.Log.Write(Entry{What: "rule", Rule: r.where, Text: r.text, Fired: &fired})
}

// ruleJSON is a line of the rules as the API shows it.
type ruleJSON struct {
	Rule  string `json:"rule"` // file:line
	Text  string `json:"text"`
	Fired *int   `json:"fired,omitempty"` // of one about events
}

// shownRules returns the rules as the API shows them.
func (p *Proxy) shownRules() apiAnswer {
	p.logging.Lock()
	defer p.logging.Unlock()
	rules := p.rules.Load()
	shown := make([]ruleJSON, 0, len(rules.lines))
	for _, l := range rules.lines {
		line := ruleJSON{Rule: l.where, Text: l.text}
		if i := slices.IndexFunc(rules.list, func(r *rule) bool { return r.where == l.where }); i >= 0 {
			fired := rules.list[i].fired
			line.Fired = &fired
		}
		shown = append(shown, line)
	}
	return apiAnswer{http.StatusOK, map[string][]ruleJSON{"rules": shown}}
}

// showRules answers with the rules that are in force.
func (p *Proxy) showRules([]string, *http.Request) (apiAnswer, error) { return p.shownRules(), nil }

// putRules replaces them by those of the body, which is a file of rules.
func (p *Proxy) putRules(_ []string, r *http.Request) (apiAnswer, error) {
	data, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, mostRules))
	if err == nil {
		var next *Rules
		if next, err = ParseRules("rules", data); err == nil {
			p.SetRules("admin", next)
			return p.shownRules(), nil
		}
	}
	status := http.StatusBadRequest
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		status = http.StatusRequestEntityTooLarge
	}
	return apiAnswer{}, &apiError{Message: err.Error(), Status: status}
}
