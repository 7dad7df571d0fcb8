package proxy

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// ask sends a request to the API, and returns the status and the body.
func (m *machine) ask(method, path, body string) (int, string) {
	w := httptest.NewRecorder()
	m.proxy.Admin().ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	return w.Code, w.Body.String()
}

// must sends a request to the API that has to succeed.
func (m *machine) must(method, path, body string) {
	m.Helper()
	if code, text := m.ask(method, path, body); code >= 300 {
		m.Fatalf("%s %s: got %d %s", method, path, code, text)
	}
}

// withToxics opens a connection through a mapping with these toxics, and sends "hello" to a
// server that answers with "0123456789" and closes.
func (m *machine) withToxics(toxics ...string) net.Conn {
	m.Helper()
	m.must("POST", "/proxies", `{"name":"api","listen":"127.0.0.1:1080","upstream":"api.test:80"}`)
	for _, x := range toxics {
		m.must("POST", "/proxies/api/toxics", x)
	}
	m.serve("api.test:80", func(c net.Conn) {
		defer c.Close()
		if _, err := io.ReadFull(c, make([]byte, 5)); err == nil {
			io.WriteString(c, "0123456789")
		}
		if strings.Contains(strings.Join(toxics, ""), `"timeout"`) {
			io.Copy(io.Discard, c) // that toxic ends when its source does
		}
	})
	c := m.dial("127.0.0.1:1080")
	io.WriteString(c, "hello")
	return c
}

// arrivals reads until the end, and returns what arrived when: "1s 01234, 2s end".
func arrivals(c net.Conn) string {
	begin := time.Now()
	c.SetReadDeadline(begin.Add(time.Hour))
	var got []string
	for {
		b := make([]byte, 100)
		n, err := c.Read(b)
		at := time.Since(begin).String()
		switch {
		case n > 0:
			got = append(got, at+" "+string(b[:n]))
		case err == io.EOF:
			return strings.Join(append(got, at+" end"), ", ")
		case err != nil:
			return strings.Join(append(got, at+" "+late(err)), ", ")
		}
	}
}

// Each toxic has the effect that toxiproxy's documentation describes, at the time that it says.
func TestToxics(t *testing.T) {
	for _, tt := range []struct{ toxics, want string }{
		{``, "0s 0123456789, 0s end"},
		{`{"type":"latency","attributes":{"latency":1000}}`, "1s 0123456789, 1s end"},
		{`{"type":"latency","stream":"upstream","attributes":{"latency":1000}}`, "1s 0123456789, 1s end"},
		{`{"type":"latency","attributes":{"latency":1000,"jitter":500}}`, "1.016042665s 0123456789, 1.016042665s end"},
		{`{"type":"latency","attributes":{"latency":1000}} {"type":"latency","name":"more","attributes":{"latency":500}}`, "1.5s 0123456789, 1.5s end"},
		{`{"type":"bandwidth","attributes":{"rate":1}}`, "10ms 0123456789, 10ms end"},
		{`{"type":"bandwidth","attributes":{"rate":0}}`, "1h0m0s late"},
		{`{"type":"slow_close","attributes":{"delay":3000}}`, "0s 0123456789, 3s end"},
		{`{"type":"timeout","attributes":{"timeout":2000}}`, "2s end"},
		{`{"type":"timeout","attributes":{"timeout":0}}`, "1h0m0s late"},
		{`{"type":"timeout","stream":"upstream","attributes":{"timeout":2000}}`, "2s end"},
		{`{"type":"reset_peer","attributes":{"timeout":2000}}`, "2s ECONNRESET"},
		{`{"type":"reset_peer","attributes":{}}`, "0s ECONNRESET"},
		{`{"type":"slicer","attributes":{"average_size":4,"delay":1000000}}`, "0s 0123, 1s 4567, 2s 89, 3s end"},
		{`{"type":"slicer","attributes":{"average_size":4,"size_variation":2,"delay":1000000}}`, "0s 01234, 1s 567, 2s 89, 3s end"},
		{`{"type":"limit_data","attributes":{"bytes":3}}`, "0s 012, 0s end"},
		{`{"type":"limit_data","attributes":{"bytes":10}}`, "0s 0123456789, 0s end"},
		{`{"type":"limit_data","attributes":{"bytes":0}}`, "0s end"},
		{`{"type":"limit_data","stream":"upstream","attributes":{"bytes":3}}`, "0s end"},
		{`{"type":"latency","attributes":{"latency":1000}} {"type":"slow_close","attributes":{"delay":500}}`, "1s 0123456789, 1.5s end"},
		{`{"type":"slicer","attributes":{"average_size":5}} {"type":"bandwidth","attributes":{"rate":1}}`, "5ms 01234, 10ms 56789, 10ms end"},
		{`{"type":"slicer","attributes":{"average_size":2,"size_variation":9,"delay":1000000}}`, "0s 01234, 1s 5, 2s 6, 3s 7, 4s 8, 5s 9, 6s end"},
		{`{"type":"latency","toxicity":0,"attributes":{"latency":1000}}`, "0s 0123456789, 0s end"},
		{`{"type":"slicer","attributes":{"average_size":5}} {"type":"latency","attributes":{"latency":1000}} {"type":"limit_data","attributes":{"bytes":7}}`, "1s 01234, 1s 56, 1s end"},
		{`{"type":"slicer","attributes":{"average_size":5,"delay":1000000}} {"type":"bandwidth","attributes":{"rate":1}}`, "5ms 01234, 1.005s 56789, 2s end"},
	} {
		t.Run(tt.toxics, func(t *testing.T) {
			onMachine(t, "", func(m *machine) {
				var toxics []string
				if tt.toxics != "" {
					toxics = strings.SplitAfter(strings.ReplaceAll(tt.toxics, "} {", "}\x00{"), "\x00")
				}
				c := m.withToxics(toxics...)
				defer c.Close()
				if got := arrivals(c); got != tt.want {
					m.Errorf("got %s, want %s", got, tt.want)
				}
			})
		})
	}
}

// A toxic that is added, changed or removed has its effect on connections that are open, and
// what is on its way then arrives.
func TestToxicsChange(t *testing.T) {
	for _, tt := range []struct{ name, toxic, method, path, body, want string }{
		{"remove latency", `{"type":"latency","attributes":{"latency":60000}}`, "DELETE", "/latency_downstream", "", "1s 0123456789, 1s end"},
		{"change latency", `{"type":"latency","attributes":{"latency":60000}}`, "PATCH", "/latency_downstream", `{"attributes":{"latency":1}}`, "1s 0123456789, 1s end"},
		{"remove bandwidth", `{"type":"bandwidth","attributes":{"rate":0}}`, "DELETE", "/bandwidth_downstream", "", "1s 0123456789, 1s end"},
		{"remove timeout", `{"type":"timeout","attributes":{"timeout":0}}`, "DELETE", "/timeout_downstream", "", "1s end"},
		{"change timeout", `{"type":"timeout","attributes":{"timeout":0}}`, "POST", "/timeout_downstream", `{"attributes":{"timeout":2000}}`, "3s end"},
		{"end toxicity", `{"type":"timeout","attributes":{"timeout":5000}}`, "POST", "/timeout_downstream", `{"toxicity":0}`, "1s end"},
		{"add reset", `{"type":"latency","attributes":{"latency":60000}}`, "POST", "", `{"type":"reset_peer","attributes":{}}`, "1s 0123456789, 1s end"},
		{"add upstream", `{"type":"bandwidth","attributes":{"rate":0}}`, "POST", "", `{"type":"reset_peer","stream":"upstream"}`, "1h0m0s late"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onMachine(t, "", func(m *machine) {
				c := m.withToxics(tt.toxic)
				defer c.Close()
				go func() {
					time.Sleep(time.Second) // of virtual time
					m.must(tt.method, "/proxies/api/toxics"+tt.path, tt.body)
				}()
				if got := arrivals(c); got != tt.want {
					m.Errorf("got %s, want %s", got, tt.want)
				}
			})
		})
	}
}

// What passed before a toxic was added counts for it no more, and limit_data counts on when it
// is changed.
func TestToxicsLater(t *testing.T) {
	onMachine(t, "", func(m *machine) {
		m.must("POST", "/proxies", `{"name":"api","listen":"127.0.0.1:1080","upstream":"api.test:7"}`)
		m.serve("api.test:7", echo)
		c := m.dial("127.0.0.1:1080")
		defer c.Close()
		say := func(text string) string {
			io.WriteString(c, text)
			b := make([]byte, 100)
			n, err := c.Read(b)
			return fmt.Sprintf("%s %s", b[:n], short(err))
		}
		got := []string{say("one")}
		m.must("POST", "/proxies/api/toxics", `{"type":"limit_data","attributes":{"bytes":8}}`)
		got = append(got, say("two"))
		m.must("POST", "/proxies/api/toxics/limit_data_downstream", `{"attributes":{"bytes":5}}`)
		got = append(got, say("three"), say("four"))
		if got := strings.Join(got, ", "); got != "one ok, two ok, th ok,  EOF" {
			m.Errorf("got %s", got)
		}
	})
}

// Toxicity is the share of connections that a toxic strikes. Which ones depends on the seed and
// their numbers alone.
func TestToxicity(t *testing.T) {
	struck := func(seed uint64) (which string) {
		onMachine(t, "", func(m *machine) {
			m.proxy.Seed = seed
			m.must("POST", "/proxies", `{"name":"api","listen":"127.0.0.1:1080","upstream":"api.test:7"}`)
			m.must("POST", "/proxies/api/toxics", `{"type":"limit_data","toxicity":0.5,"attributes":{"bytes":0}}`)
			m.serve("api.test:7", echo)
			for range 40 {
				c := m.dial("127.0.0.1:1080")
				io.WriteString(c, "x")
				n, _ := c.Read(make([]byte, 1))
				which += fmt.Sprint(n)
				c.Close()
				synctest.Wait()
			}
		})
		return which
	}
	one := struck(1)
	if n := strings.Count(one, "0"); n < 10 || n > 30 || struck(1) != one || struck(2) == one {
		t.Errorf("got %s, want about half, the same with the same seed, and others with another", one)
	}
}

// A toxic that is changed draws again whether it strikes a connection.
func TestToxicityChanged(t *testing.T) {
	onMachine(t, "", func(m *machine) {
		m.must("POST", "/proxies", `{"name":"api","listen":"127.0.0.1:1080","upstream":"api.test:7"}`)
		m.must("POST", "/proxies/api/toxics", `{"type":"latency","toxicity":0.5,"attributes":{"latency":1}}`)
		m.serve("api.test:7", echo)
		c := m.dial("127.0.0.1:1080")
		defer c.Close()
		synctest.Wait()
		for range 40 {
			m.must("PATCH", "/proxies/api/toxics/latency_downstream", `{}`)
		}
		if n := strings.Count(m.log.String(), "c1: toxic latency_downstream"); n < 10 || n > 30 {
			m.Errorf("it struck %d times of 41, want about half", n)
		}
	})
}

// Through a mapping a dial that fails resets the client, whose connection is open already.
func TestMappingRefused(t *testing.T) {
	onMachine(t, "fault dial d1 as unreachable\n", func(m *machine) {
		m.must("POST", "/proxies", `{"name":"api","listen":"127.0.0.1:1080","upstream":"api.test:7"}`)
		for _, why := range []string{"no route to host", "no such host"} { // by the rule, and of the network
			c := m.dial("127.0.0.1:1080")
			if got := arrivals(c); got != "0s ECONNRESET" {
				m.Errorf("%s: got %s", why, got)
			}
			c.Close()
			if synctest.Wait(); !strings.Contains(m.log.String(), why) {
				m.Errorf("got the log\n%s\nwant %s", &m.log, why)
			}
		}
	})
}

// A fast server does not fill the memory of the proxy while its client does not read.
func TestBackpressure(t *testing.T) {
	onMachine(t, "", func(m *machine) {
		m.must("POST", "/proxies", `{"name":"api","listen":"127.0.0.1:1080","upstream":"api.test:7"}`)
		sent := 0
		m.serve("api.test:7", func(c net.Conn) {
			for {
				n, err := c.Write(make([]byte, 10_000))
				if sent += n; err != nil {
					return
				}
			}
		})
		c := m.dial("127.0.0.1:1080")
		synctest.Wait()
		if most := mostQueued + 400<<10; sent < mostQueued || sent > most { // and the buffers of two connections
			m.Errorf("the server has sent %d bytes, want at least %d and at most %d", sent, mostQueued, most)
		}
		c.Close()
	})
}

// Browsers are kept out, as toxiproxy does: a page must not drive the proxy.
func TestAdminBrowser(t *testing.T) {
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "/version", nil)
	r.Header.Set("User-Agent", "Mozilla/5.0")
	new(Proxy).Admin().ServeHTTP(w, r)
	if w.Code != http.StatusForbidden {
		t.Errorf("got %d", w.Code)
	}
}

// The proxy ends although bytes wait for a toxic to change, and both programs have gone.
func TestCloseWhileHeld(t *testing.T) {
	onMachine(t, "", func(m *machine) {
		c := m.withToxics(`{"type":"bandwidth","attributes":{"rate":0}}`)
		synctest.Wait()
		c.Close()
		synctest.Wait()
	})
}

// The time of the toxic timeout is that since it struck, also while bytes come.
func TestTimeoutWhileBytesCome(t *testing.T) {
	onMachine(t, "", func(m *machine) {
		c := m.withToxics(`{"type":"timeout","stream":"upstream","attributes":{"timeout":2000}}`)
		var writer sync.WaitGroup
		defer writer.Wait()
		defer c.Close()
		writer.Go(func() {
			for {
				if _, err := io.WriteString(c, "more"); err != nil {
					return
				}
				time.Sleep(300 * time.Millisecond) // of virtual time
			}
		})
		if got := arrivals(c); got != "2s end" && got != "2s ECONNRESET" { // an RST if a write came behind the FIN
			m.Errorf("got %s", got)
		}
	})
}
