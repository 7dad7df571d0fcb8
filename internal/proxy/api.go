package proxy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
)

// list answers with all mappings, by name.
func (p *Proxy) list([]string, *http.Request) (apiAnswer, error) {
	all := make(map[string]proxyJSON)
	for _, m := range p.mappings.all() {
		all[m.name] = m.shown()
	}
	return apiAnswer{http.StatusOK, all}, nil
}

// proxyInput is a mapping as a request has it.
type proxyInput struct {
	Name     string `json:"name"`
	Listen   string `json:"listen"`
	Upstream string `json:"upstream"`
	Enabled  bool   `json:"enabled"`
}

// create makes a mapping.
func (p *Proxy) create(_ []string, r *http.Request) (apiAnswer, error) {
	in := proxyInput{Enabled: true}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return apiAnswer{}, errBadBody.because("%v", err)
	}
	switch {
	case in.Name == "":
		return apiAnswer{}, errMissing.because("name")
	case in.Upstream == "":
		return apiAnswer{}, errMissing.because("upstream")
	}
	m := p.newMapping(in.Name, in.Listen, in.Upstream)
	if err := p.mappings.add(m, in.Enabled); err != nil {
		return apiAnswer{}, err
	}
	return apiAnswer{http.StatusCreated, m.shown()}, nil
}

// populate makes a list of mappings, or replaces those whose addresses differ.
func (p *Proxy) populate(_ []string, r *http.Request) (apiAnswer, error) {
	made, err := p.Populate(r.Body)
	out := struct {
		*apiError `json:",omitempty"`
		Proxies   []proxyJSON `json:"proxies"`
	}{Proxies: made}
	status := http.StatusCreated
	if err != nil {
		known, ok := err.(*apiError)
		if !ok {
			known = &apiError{Message: err.Error(), Status: http.StatusInternalServerError}
		}
		out.apiError, status = known, known.Status
	}
	return apiAnswer{status, out}, nil
}

// PopulateFile does what Populate does. Upstreams that are no addresses are mistakes here: a file is
// of this proxy alone, and a client of toxiproxy may expect its answers.
func (p *Proxy) PopulateFile(text []byte) error {
	made, err := p.Populate(bytes.NewReader(text))
	for _, m := range made {
		if wrong := checkUpstream(m.Upstream); err == nil && wrong != nil {
			err = fmt.Errorf("proxy %s: %w", m.Name, wrong)
		}
	}
	return err
}

// Populate makes the mappings of a list in JSON, as toxiproxy's -config has it, and returns
// those that were made before the first error. One that is there already is replaced if its
// addresses differ.
func (p *Proxy) Populate(in io.Reader) (made []proxyJSON, err error) {
	p.open()
	var list []struct {
		Name     string `json:"name"`
		Listen   string `json:"listen"`
		Upstream string `json:"upstream"`
		Enabled  *bool  `json:"enabled"`
	}
	if err := json.NewDecoder(in).Decode(&list); err != nil {
		return nil, errBadBody.because("%w", err)
	}
	for i, x := range list {
		switch {
		case x.Name == "":
			return nil, errMissing.because("name at proxy %d", i+1)
		case x.Upstream == "":
			return nil, errMissing.because("upstream at proxy %d", i+1)
		}
	}
	for _, x := range list {
		m, err := p.mappings.replace(p.newMapping(x.Name, x.Listen, x.Upstream), x.Enabled == nil || *x.Enabled)
		if err != nil {
			return made, err
		}
		made = append(made, m.shown())
	}
	return made, nil
}

// replace adds a mapping in place of the one that has its name, unless that has the same
// addresses. It returns the one that is there now.
func (ms *mappings) replace(m *mapping, start bool) (*mapping, error) {
	if old, err := ms.get(m.name); err == nil {
		old.mu.Lock()
		differs, err := old.differs(m.listen, m.upstream)
		old.mu.Unlock()
		if err != nil || !differs {
			return old, err
		}
		if err := ms.remove(m.name); err != nil {
			return nil, err
		}
	}
	return m, ms.add(m, start)
}

// reset starts all mappings and removes all toxics.
func (p *Proxy) reset([]string, *http.Request) (apiAnswer, error) {
	for _, m := range p.mappings.all() {
		m.mu.Lock()
		err := m.startLocked()
		if err == nil {
			m.setToxics("upstream", nil)
			m.setToxics("downstream", nil)
		}
		m.mu.Unlock()
		if err != nil {
			return apiAnswer{}, err
		}
	}
	return apiAnswer{status: http.StatusNoContent}, nil
}

// show answers with a mapping.
func (p *Proxy) show(names []string, _ *http.Request) (apiAnswer, error) {
	m, err := p.mappings.get(names[0])
	if err != nil {
		return apiAnswer{}, err
	}
	return apiAnswer{http.StatusOK, m.shown()}, nil
}

// change changes a mapping's addresses, or whether it listens.
func (p *Proxy) change(names []string, r *http.Request) (apiAnswer, error) {
	m, err := p.mappings.get(names[0])
	if err != nil {
		return apiAnswer{}, err
	}
	now := m.shown()
	in := proxyInput{Listen: now.Listen, Upstream: now.Upstream, Enabled: now.Enabled}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return apiAnswer{}, errBadBody.because("%v", err)
	}
	if err := m.update(in.Listen, in.Upstream, in.Enabled); err != nil {
		return apiAnswer{}, err
	}
	return apiAnswer{http.StatusOK, m.shown()}, nil
}

// remove stops and forgets a mapping.
func (p *Proxy) remove(names []string, _ *http.Request) (apiAnswer, error) {
	return apiAnswer{status: http.StatusNoContent}, p.mappings.remove(names[0])
}

// listToxics answers with the toxics of a mapping.
func (p *Proxy) listToxics(names []string, _ *http.Request) (apiAnswer, error) {
	m, err := p.mappings.get(names[0])
	if err != nil {
		return apiAnswer{}, err
	}
	return apiAnswer{http.StatusOK, m.shown().Toxics}, nil
}

// addToxic adds a toxic to a mapping, behind those of its stream.
func (p *Proxy) addToxic(names []string, r *http.Request) (apiAnswer, error) {
	m, err := p.mappings.get(names[0])
	if err != nil {
		return apiAnswer{}, err
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, mostInBody))
	if err != nil {
		return apiAnswer{}, errBadBody.because("%v", err)
	}
	var in struct {
		Name     string   `json:"name"`
		Type     string   `json:"type"`
		Stream   string   `json:"stream"`
		Toxicity float32  `json:"toxicity"`
		Rest     struct{} `json:"attributes"` // an object, whatever its fields are
	}
	in.Stream, in.Toxicity = "downstream", 1
	if err := json.NewDecoder(bytes.NewReader(body)).Decode(&in); err != nil {
		return apiAnswer{}, errBadBody.because("%v", err)
	}
	stream := strings.ToLower(in.Stream)
	if stream != "upstream" && stream != "downstream" {
		return apiAnswer{}, errStream
	}
	x := &toxic{Attributes: newAttributes(in.Type), Name: in.Name, Type: in.Type, Stream: in.Stream, Toxicity: in.Toxicity}
	if x.Name == "" {
		x.Name = x.Type + "_" + x.Stream
	}
	if x.Attributes == nil {
		return apiAnswer{}, errToxicType
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.toxic(x.Name) != nil {
		return apiAnswer{}, errToxicExists
	}
	if err := x.parse(body); err != nil {
		return apiAnswer{}, err
	}
	x.revision = m.changes
	m.setToxics(stream, append(slices.Clip(m.toxics[stream]), x))
	return apiAnswer{http.StatusOK, x}, nil
}

// mostInBody is how many bytes of a request about a toxic are read.
const mostInBody = 1 << 20

// parse takes attributes and toxicity from a body, over those that the toxic has.
func (x *toxic) parse(body []byte) error {
	in := struct {
		Attributes attributes `json:"attributes"`
		Toxicity   float32    `json:"toxicity"`
	}{x.Attributes, x.Toxicity}
	if err := json.NewDecoder(bytes.NewReader(body)).Decode(&in); err != nil {
		return errBadBody.because("%v", err)
	}
	if err := x.Attributes.check(); err != nil {
		return errBadBody.because("%s", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	x.Toxicity = in.Toxicity
	return nil
}

// onToxic calls f with a toxic, by the names of its mapping and its own, while the mapping is locked.
func (p *Proxy) onToxic(names []string, f func(m *mapping, x *toxic) (apiAnswer, error)) (apiAnswer, error) {
	m, err := p.mappings.get(names[0])
	if err != nil {
		return apiAnswer{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	x := m.toxic(names[1])
	if x == nil {
		return apiAnswer{}, errToxicNotFound
	}
	return f(m, x)
}

// showToxic answers with a toxic.
func (p *Proxy) showToxic(names []string, _ *http.Request) (apiAnswer, error) {
	return p.onToxic(names, func(_ *mapping, x *toxic) (apiAnswer, error) { return apiAnswer{http.StatusOK, x}, nil })
}

// changeToxic changes attributes or the toxicity of a toxic.
func (p *Proxy) changeToxic(names []string, r *http.Request) (apiAnswer, error) {
	body, bad := io.ReadAll(io.LimitReader(r.Body, mostInBody)) // before the lock
	return p.onToxic(names, func(m *mapping, old *toxic) (apiAnswer, error) {
		if bad != nil {
			return apiAnswer{}, errBadBody.because("%v", bad)
		}
		x := &toxic{newAttributes(old.Type), old.Name, old.Type, old.Stream, old.Toxicity, m.changes}
		text, _ := json.Marshal(old.Attributes)
		json.Unmarshal(text, x.Attributes) // numbers, which come back as they are
		if err := x.parse(body); err != nil {
			return apiAnswer{}, err
		}
		stream := strings.ToLower(x.Stream)
		list := slices.Clone(m.toxics[stream])
		list[slices.Index(list, old)] = x
		m.setToxics(stream, list)
		return apiAnswer{http.StatusOK, x}, nil
	})
}

// removeToxic removes a toxic.
func (p *Proxy) removeToxic(names []string, _ *http.Request) (apiAnswer, error) {
	return p.onToxic(names, func(m *mapping, x *toxic) (apiAnswer, error) {
		stream := strings.ToLower(x.Stream)
		m.setToxics(stream, slices.DeleteFunc(slices.Clone(m.toxics[stream]), func(y *toxic) bool { return y == x }))
		return apiAnswer{status: http.StatusNoContent}, nil
	})
}
