package proxy

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// APIVersion is the version of toxiproxy whose HTTP API [Proxy.Admin] has. Clients ask for it,
// to know which API they talk to.
const APIVersion = "2.12.0+halfopen"

// apiError is the body of an answer that is an error.
type apiError struct {
	Message string `json:"error"`
	Status  int    `json:"status"`

	cause error
}

func (e *apiError) Error() string { return e.Message }

func (e *apiError) Unwrap() error { return e.cause }

var (
	errBadBody       = &apiError{Message: "bad request body", Status: http.StatusBadRequest}
	errMissing       = &apiError{Message: "missing required field", Status: http.StatusBadRequest}
	errProxyNotFound = &apiError{Message: "proxy not found", Status: http.StatusNotFound}
	errProxyExists   = &apiError{Message: "proxy already exists", Status: http.StatusConflict}
	errStream        = &apiError{Message: "stream was invalid, can be either upstream or downstream", Status: http.StatusBadRequest}
	errToxicType     = &apiError{Message: "invalid toxic type", Status: http.StatusBadRequest}
	errToxicExists   = &apiError{Message: "toxic already exists", Status: http.StatusConflict}
	errToxicNotFound = &apiError{Message: "toxic not found", Status: http.StatusNotFound}
)

// because adds a cause to an error.
func (e *apiError) because(format string, args ...any) *apiError {
	cause := fmt.Errorf(format, args...)
	return &apiError{Message: e.Message + ": " + cause.Error(), Status: e.Status, cause: cause}
}

// proxyJSON is a mapping as the API shows it.
type proxyJSON struct {
	Name     string   `json:"name"`
	Listen   string   `json:"listen"`
	Upstream string   `json:"upstream"`
	Enabled  bool     `json:"enabled"`
	Toxics   []*toxic `json:"toxics"`
}

// shown returns the mapping as the API shows it.
func (m *mapping) shown() proxyJSON {
	m.mu.Lock()
	defer m.mu.Unlock()
	return proxyJSON{m.name, m.listen, m.upstream, m.enabled, m.allToxics()}
}

// apiAnswer has the status of an answer, and its body.
type apiAnswer struct {
	status int
	body   any // in JSON; nil for none
}

// endpoint is a path of the API, with "*" for a name, and what each method does.
type endpoint struct {
	path    string
	methods map[string]func(p *Proxy, names []string, r *http.Request) (apiAnswer, error)
}

// endpoints are those that toxiproxy's documentation lists, but /metrics; and /rules, which is ours.
var endpoints = []endpoint{
	{"/version", map[string]func(*Proxy, []string, *http.Request) (apiAnswer, error){
		"GET": func(*Proxy, []string, *http.Request) (apiAnswer, error) {
			return apiAnswer{http.StatusOK, json.RawMessage(fmt.Sprintf("{\"version\": %q}\n", APIVersion))}, nil
		}}},
	{"/reset", map[string]func(*Proxy, []string, *http.Request) (apiAnswer, error){"POST": (*Proxy).reset}},
	{"/populate", map[string]func(*Proxy, []string, *http.Request) (apiAnswer, error){"POST": (*Proxy).populate}},
	{"/rules", map[string]func(*Proxy, []string, *http.Request) (apiAnswer, error){"GET": (*Proxy).showRules, "PUT": (*Proxy).putRules}},
	{"/proxies", map[string]func(*Proxy, []string, *http.Request) (apiAnswer, error){"GET": (*Proxy).list, "POST": (*Proxy).create}},
	{"/proxies/*", map[string]func(*Proxy, []string, *http.Request) (apiAnswer, error){
		"GET": (*Proxy).show, "POST": (*Proxy).change, "PATCH": (*Proxy).change, "DELETE": (*Proxy).remove}},
	{"/proxies/*/toxics", map[string]func(*Proxy, []string, *http.Request) (apiAnswer, error){"GET": (*Proxy).listToxics, "POST": (*Proxy).addToxic}},
	{"/proxies/*/toxics/*", map[string]func(*Proxy, []string, *http.Request) (apiAnswer, error){
		"GET": (*Proxy).showToxic, "POST": (*Proxy).changeToxic, "PATCH": (*Proxy).changeToxic, "DELETE": (*Proxy).removeToxic}},
}

// names returns the names in a path that is of the endpoint's form.
func (e endpoint) names(path string) (names []string, ok bool) {
	want, got := strings.Split(e.path, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return nil, false
	}
	for i, w := range want {
		switch {
		case w == "*" && got[i] != "":
			names = append(names, got[i])
		case w != got[i]:
			return nil, false
		}
	}
	return names, true
}

// Admin returns a handler that has toxiproxy's HTTP API, and /rules.
func (p *Proxy) Admin() http.Handler {
	p.open()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.UserAgent(), "Mozilla/") { // as toxiproxy: no page in a browser may drive it
			http.Error(w, "User agent not allowed", http.StatusForbidden)
			return
		}
		for _, e := range endpoints {
			names, ok := e.names(r.URL.Path)
			if !ok {
				continue
			}
			do := e.methods[r.Method]
			if do == nil {
				w.WriteHeader(http.StatusMethodNotAllowed)
				return
			}
			a, err := do(p, names, r)
			a.write(w, err)
			return
		}
		http.NotFound(w, r)
	})
}

// write writes the apiAnswer, or the error if there is one.
func (a apiAnswer) write(w http.ResponseWriter, err error) {
	if err != nil {
		known, ok := errors.AsType[*apiError](err)
		if !ok {
			known = &apiError{Message: err.Error(), Status: http.StatusInternalServerError}
		}
		data, _ := json.Marshal(known) // a string and a number
		http.Error(w, string(data), known.Status)
		return
	}
	if raw, ok := a.body.(json.RawMessage); ok {
		w.Header().Set("Content-Type", "application/json;charset=utf-8")
		w.WriteHeader(a.status)
		w.Write(raw)
		return
	}
	if a.body == nil {
		w.WriteHeader(a.status)
		return
	}
	data, err := json.Marshal(a.body)
	if err != nil {
		panic("proxy: " + err.Error()) // plain data
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(a.status)
	w.Write(data)
}

// ServeAdmin serves the API on an address, and returns that which is listened on.
func (p *Proxy) ServeAdmin(address string) (net.Addr, error) {
	l, err := p.listen(address)
	if err != nil {
		return nil, err
	}
	srv := &http.Server{Handler: p.Admin(), ReadTimeout: 15 * time.Second}
	p.mu.Lock()
	p.listeners[l] = struct{}{}
	p.running.Add(1)
	p.mu.Unlock()
	go func() {
		defer p.running.Done()
		srv.Serve(l)
		srv.Close()
	}()
	p.Log.Write(Entry{What: "listening", Text: fmt.Sprintf("admin (toxiproxy's API) on %s, seed %d", l.Addr(), p.Seed)})
	return l.Addr(), nil
}
