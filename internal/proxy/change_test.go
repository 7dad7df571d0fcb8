package proxy

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

// change puts other rules in the place of those of a machine.
func (m *machine) change(rules string) {
	m.Helper()
	next, err := ParseRules("changed", []byte("# Rules.\n"+rules))
	if err != nil {
		m.Fatal(err)
	}
	m.proxy.SetRules("changed", next)
}

// dials dials count times, and returns which dials get through.
func (m *machine) dials(count int) string {
	var got []string
	for range count {
		c, err := m.socks("api.test:80")
		if err != nil {
			got = append(got, "no")
			continue
		}
		c.Close()
		got = append(got, "yes")
	}
	return strings.Join(got, " ")
}

// Rules change from one event to the next: a line that is gone has no effect any more, a new one has, and
// one that stays goes on counting, wherever it stands now.
func TestChange(t *testing.T) {
	onMachine(t, "fault dial as refuse nth 3\nfault dial as refuse first 1\n", func(m *machine) {
		m.serve("api.test:80", echo)
		if got := m.dials(2); got != "no yes" {
			m.Errorf("got %s", got)
		}
		m.change("route other.test:80 api.test:80\n\nfault dial d5 as refuse\nfault dial as refuse nth 3\n")
		if got := m.dials(3); got != "no yes no" {
			m.Errorf("got %s, want the third, which the line that stays counts, and d5", got)
		}
		want := `changed: of the rules about events 1 kept, 1 added, 1 removed
rules:3: fault dial as refuse first 1: fired once
c3: SOCKS5 api.test:80
changed:5: dial d3 api.test:80 as refuse`
		if !strings.Contains(m.log.String(), want) {
			m.Errorf("got the log\n%s\nwant in it\n%s", &m.log, want)
		}
		if !m.proxy.Summary() {
			m.Errorf("got a rule that never fired:\n%s", &m.log)
		}
	})
}

// A connection that is open has the new rules from its next event on. What was decided stays.
func TestChangeOpen(t *testing.T) {
	onMachine(t, "fault c1 server->client data as stall\nshape c9 server->client data as delay:1ms\n", func(m *machine) {
		m.serve("api.test:80", echo)
		stalled, open := m.tunnel("api.test:80"), m.tunnel("api.test:80")
		say := func(c net.Conn, text string) string {
			io.WriteString(c, text)
			synctest.Wait()
			c.(interface{ CloseWrite() error }).CloseWrite()
			b, _ := io.ReadAll(c)
			return string(b)
		}
		io.WriteString(stalled, "one")
		synctest.Wait()
		m.change("fault c2 server->client data as cut:2\n")
		if got := say(open, "two"); got != "tw" {
			m.Errorf("got %q of a connection that was open, want it cut", got)
		}
		stalled.Close()
		if m.proxy.Summary() {
			m.Error("got no word of the rule that is gone, and has never fired")
		}
		for _, want := range []string{"rules:2: fault c1 server->client data as stall: fired once", "rules:3: shape c9 server->client data as delay:1ms: never fired"} {
			if strings.Count(m.log.String(), want) != 1 {
				m.Errorf("got the log\n%s\nwant in it once\n%s", &m.log, want)
			}
		}
	})
}

// Without a rule about events connections are copied as they are; from the first such rule on new
// connections have it, and where the last is gone they have none.
func TestChangeFromNone(t *testing.T) {
	onMachine(t, "", func(m *machine) {
		m.serve("real.test:80", echo)
		for _, tt := range []struct{ rules, want string }{
			{"route api.test:80 real.test:80\n", "yes"},
			{"route api.test:80 real.test:80\nfault dial as refuse always\n", "no"},
			{"route api.test:80 real.test:80\n", "yes"},
		} {
			m.change(tt.rules)
			if got := m.dials(1); got != tt.want {
				m.Errorf("%q: got %s, want %s", tt.rules, got, tt.want)
			}
		}
	})
}

// The rules can be read and replaced by the admin interface. A mistake changes nothing.
func TestAdminRules(t *testing.T) {
	onMachine(t, "route api.test:80 real.test:80\nfault dial as refuse\n", func(m *machine) {
		m.serve("real.test:80", echo)
		before := `{"rules":[{"rule":"rules:2","text":"route api.test:80 real.test:80"},{"rule":"rules:3","text":"fault dial as refuse","fired":1}]}`
		if got := m.dials(2); got != "no yes" {
			m.Errorf("got %s", got)
		}
		for _, tt := range []struct {
			method, body string
			status       int
			want         string
		}{
			{"GET", "", 200, before},
			{"PUT", "# Rules.\nfault dial as\n", 400, "rules:2"},
			{"GET", "", 200, before},
			{"PUT", "# Rules.\nfault dial as refuse\nfault dial * api.test:80 as unreachable always\n", 200,
				`{"rules":[{"rule":"rules:2","text":"fault dial as refuse","fired":1},{"rule":"rules:3","text":"fault dial * api.test:80 as unreachable always","fired":0}]}`},
		} {
			if status, body := m.ask(tt.method, "/rules", tt.body); status != tt.status || !strings.Contains(body, tt.want) {
				m.Errorf("%s %q: got %d %s, want %d %s", tt.method, tt.body, status, body, tt.status, tt.want)
			}
		}
		if got := m.dials(2); got != "no no" {
			m.Errorf("got %s, want the new rule", got)
		}
	})
}

// Rules may change while connections come and go: each event has the old rules or the new ones.
func TestChangeMeanwhile(t *testing.T) {
	onMachine(t, "shape * as delay:1ms\n", func(m *machine) {
		m.serve("api.test:80", echo)
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				for i := range 20 {
					text := fmt.Sprint(i)
					c, err := m.net.Dial("tcp", m.at)
					if err != nil {
						m.Error(err)
						return
					}
					fmt.Fprintf(c, "CONNECT api.test:80 HTTP/1.1\r\nHost: api.test:80\r\n\r\n%s", text)
					c.(interface{ CloseWrite() error }).CloseWrite()
					b, err := io.ReadAll(c)
					if err != nil || !strings.HasSuffix(string(b), "\r\n\r\n"+text) {
						m.Errorf("got %q, %v", b, err)
					}
					c.Close()
				}
			})
		}
		for i := range 100 {
			m.change(fmt.Sprintf("shape * as delay:%dms\nshape * server->client data as delay:1ms\n", i%7))
			m.proxy.Summary()
		}
		all.Wait()
	})
}
