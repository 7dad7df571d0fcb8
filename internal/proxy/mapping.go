package proxy

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
)

// mapping is an address that is listened on, and the one to which its connections go. Its JSON
// is that of toxiproxy's proxies.
type mapping struct {
	p *Proxy

	mu       sync.Mutex
	name     string
	listen   string
	upstream string
	enabled  bool
	listener net.Listener
	clients  map[*client]*tunnel // nil while the server is dialed
	toxics   map[string][]*toxic // by stream, in the order in which they came
	changes  int                 // of toxics
}

// mappings are those of a proxy, by name.
type mappings struct {
	mu sync.Mutex
	by map[string]*mapping
}

func (p *Proxy) newMapping(name, listen, upstream string) *mapping {
	return &mapping{p: p, name: name, listen: listen, upstream: upstream,
		clients: make(map[*client]*tunnel), toxics: make(map[string][]*toxic)}
}

// Map listens on an address and connects what comes to the upstream address.
func (p *Proxy) Map(name, listen, upstream string) error {
	p.open()
	if err := checkUpstream(upstream); err != nil {
		return err
	}
	return p.mappings.add(p.newMapping(name, listen, upstream), true)
}

// checkUpstream returns an error for an address that cannot be dialed.
func checkUpstream(address string) error {
	if _, _, err := net.SplitHostPort(address); err != nil {
		return fmt.Errorf("upstream %q: want host:port", address)
	}
	return nil
}

// add adds a mapping, and starts it if that is wanted.
func (ms *mappings) add(m *mapping, start bool) error {
	ms.mu.Lock()
	defer ms.mu.Unlock()
	if ms.by[m.name] != nil {
		return errProxyExists
	}
	if start {
		if err := m.start(); err != nil {
			return err
		}
	}
	if ms.by == nil {
		ms.by = make(map[string]*mapping)
	}
	ms.by[m.name] = m
	return nil
}

// get returns the mapping of that name.
func (ms *mappings) get(name string) (*mapping, error) {
	ms.mu.Lock()
	defer ms.mu.Unlock()
	if m := ms.by[name]; m != nil {
		return m, nil
	}
	return nil, errProxyNotFound
}

// remove stops and forgets the mapping of that name.
func (ms *mappings) remove(name string) error {
	ms.mu.Lock()
	defer ms.mu.Unlock()
	m := ms.by[name]
	if m == nil {
		return errProxyNotFound
	}
	m.stop()
	delete(ms.by, name)
	return nil
}

// all returns the mappings in the order of their names.
func (ms *mappings) all() []*mapping {
	ms.mu.Lock()
	defer ms.mu.Unlock()
	var list []*mapping
	for _, m := range ms.by {
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b *mapping) int { return strings.Compare(a.name, b.name) })
	return list
}

// start begins to listen. A mapping that does so already is left as it is.
func (m *mapping) start() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.startLocked()
}

func (m *mapping) startLocked() error {
	if m.enabled {
		return nil
	}
	address := m.listen
	if address == "" {
		address = "127.0.0.1:0"
	}
	l, err := m.p.listen(address)
	if err != nil {
		return err
	}
	m.listener, m.listen, m.enabled = l, l.Addr().String(), true
	m.p.Log.Write(Entry{What: "listening", Text: fmt.Sprintf("mapping %s: %s to %s", m.name, m.listen, m.upstream)})
	m.p.serve(l, m.handle)
	return nil
}

// stop closes the listener and all connections.
func (m *mapping) stop() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stopLocked()
}

func (m *mapping) stopLocked() {
	if !m.enabled {
		return
	}
	m.enabled = false
	m.listener.Close()
	for c, t := range m.clients { // in any order: all are closed
		if t != nil {
			t.close()
		} else {
			c.Close()
		}
	}
}

// update changes the addresses, which closes all connections, and whether it listens.
func (m *mapping) update(listen, upstream string, enabled bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if differs, err := m.differs(listen, upstream); err != nil {
		return err
	} else if differs {
		m.stopLocked()
		m.listen, m.upstream = listen, upstream
	}
	if enabled {
		return m.startLocked()
	}
	m.stopLocked()
	return nil
}

// differs reports whether the addresses are others than the mapping has. Names of a host are
// looked up: the mapping knows the address that it listens on.
func (m *mapping) differs(listen, upstream string) (bool, error) {
	addr, err := net.ResolveTCPAddr("tcp", listen)
	if err != nil {
		return false, err
	}
	return addr.String() != m.listen || upstream != m.upstream, nil
}

// handle connects a client to the server.
func (m *mapping) handle(c *client) {
	m.mu.Lock()
	if !m.enabled {
		m.mu.Unlock()
		return
	}
	m.clients[c] = nil
	upstream := m.upstream
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		delete(m.clients, c)
		m.mu.Unlock()
	}()
	c.say("accepted", "mapping %s", m.name)
	server, err := m.p.dial(c.number, upstream)
	if err != nil {
		c.say("refused", "%v", err)
		resetConn(c.Conn) // it is open, and cannot be refused any more
		return
	}
	t := newTunnel(c, c.Conn, server)
	m.mu.Lock()
	t.up.stages = t.up.stagesFor(m.toxics["upstream"])
	t.down.stages = t.down.stagesFor(m.toxics["downstream"])
	m.clients[c] = t
	if !m.enabled {
		t.close()
	}
	m.mu.Unlock()
	t.run()
}

// setToxics replaces the toxics of a stream, also on the connections that are open. It is called
// with mu held.
func (m *mapping) setToxics(stream string, toxics []*toxic) {
	m.toxics[stream] = toxics
	m.changes++
	for _, t := range m.clients { // in any order: each connection draws for itself
		if t == nil {
			continue
		}
		if stream == "upstream" {
			t.up.change(toxics)
		} else {
			t.down.change(toxics)
		}
	}
}

// allToxics returns those of both streams, upstream first, as toxiproxy lists them. It is
// called with mu held.
func (m *mapping) allToxics() []*toxic {
	all := make([]*toxic, 0, 4) // in JSON an empty list, and not null
	return append(append(all, m.toxics["upstream"]...), m.toxics["downstream"]...)
}

// toxic returns the toxic of that name, or nil. It is called with mu held.
func (m *mapping) toxic(name string) *toxic {
	all := m.allToxics()
	if i := slices.IndexFunc(all, func(x *toxic) bool { return x.Name == name }); i >= 0 {
		return all[i]
	}
	return nil
}
