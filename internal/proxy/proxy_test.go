package proxy

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"golang.org/x/net/proxy"

	"github.com/halfopen/halfopen/faultnet"
)

// machine is a machine of virtual time with a proxy on it: its sockets are those of a network
// in memory.
type machine struct {
	*testing.T
	net   *faultnet.Net
	proxy *Proxy
	log   bytes.Buffer
	at    string // the forward proxy
}

// onMachine runs body in a bubble, on a machine whose proxy has those rules, and closes all at
// the end: the bubble fails for a goroutine that is left.
func onMachine(t *testing.T, rules string, body func(m *machine)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		m := &machine{T: t, net: new(faultnet.Net)}
		m.proxy = &Proxy{Seed: 1, Log: NewLog(&m.log, false), Listen: m.net.Listen, DialContext: m.net.DialContext}
		if rules != "" {
			parsed, err := ParseRules("rules", []byte("# Rules.\n"+rules))
			if err != nil {
				t.Fatal(err)
			}
			m.proxy.Rules = parsed
		}
		addr, err := m.proxy.Forward("127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		m.at = addr.String()
		body(m)
		m.proxy.Close()
		m.net.Close()
	})
}

// serve serves each connection to an address with a function.
func (m *machine) serve(addr string, handle func(c net.Conn)) {
	m.Helper()
	l, err := m.net.Listen("tcp", addr)
	if err != nil {
		m.Fatal(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go handle(c)
		}
	}()
}

// echo sends back what it gets, and ends when its client does.
func echo(c net.Conn) {
	defer c.Close()
	io.Copy(c, c)
}

// dial opens a connection on the machine.
func (m *machine) dial(addr string) net.Conn {
	m.Helper()
	c, err := m.net.Dial("tcp", addr)
	if err != nil {
		m.Fatal(err)
	}
	return c
}

// socks opens a tunnel to an address by a SOCKS5 client that is not ours.
func (m *machine) socks(addr string) (net.Conn, error) {
	m.Helper()
	d, err := proxy.SOCKS5("tcp", m.at, nil, dialerOf{m.net})
	if err != nil {
		m.Fatal(err)
	}
	return d.Dial("tcp", addr)
}

type dialerOf struct{ net *faultnet.Net }

func (d dialerOf) Dial(network, addr string) (net.Conn, error) { return d.net.Dial(network, addr) }

// tunnel opens a tunnel by SOCKS5 that has to open.
func (m *machine) tunnel(addr string) net.Conn {
	m.Helper()
	c, err := m.socks(addr)
	if err != nil {
		m.Fatal(err)
	}
	return c
}

// client returns an HTTP client that has the proxy.
func (m *machine) client() *http.Client {
	via := &url.URL{Scheme: "http", Host: m.at}
	return &http.Client{Transport: &http.Transport{DialContext: m.net.DialContext, Proxy: http.ProxyURL(via)}}
}

// wantLog checks that the log has these lines, in this order.
func (m *machine) wantLog(lines ...string) {
	m.Helper()
	synctest.Wait()
	rest := m.log.String()
	for _, line := range lines {
		_, after, ok := strings.Cut(rest, line+"\n")
		if !ok {
			m.Errorf("got the log\n%s\nwant, in this order, %q", m.log.String(), line)
			return
		}
		rest = after
	}
}

// short names an error of a connection.
func short(err error) string {
	var errno syscall.Errno
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &errno):
		return faultnet.ErrnoName(errno)
	}
	return err.Error()
}

// An HTTP client reaches a server through the proxy by absolute URLs: the server gets them as
// from a client without a proxy.
func TestForward(t *testing.T) {
	onMachine(t, "", func(m *machine) {
		m.serve("api.test:80", func(c net.Conn) {
			defer c.Close()
			in := bufio.NewReader(c)
			for {
				req, err := http.ReadRequest(in)
				if err != nil {
					return
				}
				body, _ := io.ReadAll(req.Body)
				text := fmt.Sprintf("%s %s host %s: %s%v", req.Method, req.RequestURI, req.Host, body, req.Header["Proxy-Connection"])
				fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(text), text)
			}
		})
		client := m.client()
		get := func(req *http.Request) string {
			resp, err := client.Do(req)
			if err != nil {
				return err.Error()
			}
			defer resp.Body.Close()
			b, err := io.ReadAll(resp.Body)
			if err != nil {
				return err.Error()
			}
			return string(b)
		}
		req, _ := http.NewRequest("GET", "http://api.test/a?b=c", nil)
		req.Header.Set("Proxy-Connection", "keep-alive")
		if got := get(req); got != "GET /a?b=c host api.test: []" {
			m.Errorf("got %q", got)
		}
		req, _ = http.NewRequest("POST", "http://api.test/long", io.MultiReader(strings.NewReader("in "), strings.NewReader("chunks"))) // of unknown length
		if got := get(req); got != "POST /long host api.test: in chunks[]" {
			m.Errorf("got %q", got)
		}
		client.CloseIdleConnections()
		m.wantLog("c1: GET http://api.test/a?b=c")

	})
}

// Tunnels carry bytes of any protocol: by SOCKS5 to a name and to an address, and by CONNECT, also
// bytes that are sent with its head. A FIN in one direction leaves the other open.
func TestForwardTunnel(t *testing.T) {
	onMachine(t, "", func(m *machine) {
		for _, at := range []string{"echo.test:7", "127.0.0.1:7"} {
			m.serve(at, echo)
			c := m.tunnel(at)
			io.WriteString(c, "hello")
			c.(interface{ CloseWrite() error }).CloseWrite()
			if b, err := io.ReadAll(c); string(b) != "hello" || err != nil {
				m.Errorf("%s: got %q, %v", at, b, err)
			}
			c.Close()
		}

		c := m.dial(m.at)
		fmt.Fprintf(c, "CONNECT echo.test:7 HTTP/1.1\r\nHost: echo.test:7\r\n\r\nat once")
		in := bufio.NewReader(c)
		resp, err := http.ReadResponse(in, &http.Request{Method: "CONNECT"})
		if err != nil || resp.StatusCode != 200 {
			m.Fatalf("got %v, %v", resp, err)
		}
		c.(interface{ CloseWrite() error }).CloseWrite()
		if b, err := io.ReadAll(in); string(b) != "at once" || err != nil {
			m.Errorf("got %q, %v: what was sent behind the head of CONNECT must arrive", b, err)
		}
		c.Close()
		m.wantLog("c1: SOCKS5 echo.test:7", "c2: SOCKS5 127.0.0.1:7", "c3: CONNECT echo.test:7")
	})
}

// One connection of a client to the proxy can serve several servers, one after the other. The
// later dials have the next numbers.
func TestForwardOtherServer(t *testing.T) {
	onMachine(t, "fault dial d2 as refuse\n", func(m *machine) {
		for _, host := range []string{"a.test:80", "b.test:80", "[::1]:80", "[::1]:8080"} {
			l, _ := m.net.Listen("tcp", host)
			srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Host) })}
			go srv.Serve(l)
			defer srv.Close()
		}
		client := m.client()
		for _, want := range []string{"a.test 200", "b.test 502", "b.test 200", "a.test 200", "[::1] 200", "[::1]:8080 200"} {
			host, _, _ := strings.Cut(want, " ")
			resp, err := client.Get("http://" + host + "/")
			if err != nil {
				m.Fatal(err)
			}
			b, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			if got := fmt.Sprintf("%s %d", host, resp.StatusCode); got != want || resp.StatusCode == 200 && string(b) != host {
				m.Errorf("got %s %q, want %s", got, b, want)
			}
		}
		client.CloseIdleConnections()
		m.wantLog("c1: GET http://a.test/", "c1: GET http://b.test/, on the connection of c2", "rules:2: dial d2 b.test:80 as refuse",
			"c3: GET http://b.test/", "c3: GET http://a.test/, on the connection of c4",
			"c3: GET http://[::1]/, on the connection of c5", "c3: GET http://[::1]:8080/, on the connection of c6")
	})
}

// Dials that fail are answered in the words of each protocol.
func TestForwardRefused(t *testing.T) {
	for _, tt := range []struct {
		verdict, http, socks string
	}{
		{"refuse", "502 connection_refused", "connection refused"},
		{"timeout", "504 connection_timeout", "TTL expired"},
		{"unreachable", "502 destination_ip_unroutable", "host unreachable"},
		{"net-unreachable", "502 destination_ip_unroutable", "network unreachable"},
		{"no-host", "502 dns_error", "host unreachable"},
		{"server-failure", "502 dns_error", "host unreachable"},
		{"try-again", "502 dns_error", "host unreachable"},
		{"resolve-timeout", "504 dns_timeout", "TTL expired"},
		{"empty-answer", "502 dns_error", "host unreachable"},
		{"no-address", "502 destination_unavailable", "general SOCKS server failure"},
		{"no-descriptor", "502 destination_unavailable", "general SOCKS server failure"},
		{"black-hole", "504 connection_timeout", "TTL expired"}, // after 127 s
	} {
		onMachine(t, "fault dial as "+tt.verdict+" always\n", func(m *machine) {
			m.serve("api.test:80", echo)
			client := m.client()
			resp, err := client.Get("http://api.test/")
			if err != nil {
				m.Fatal(err)
			}
			resp.Body.Close()
			_, kind, _ := strings.Cut(resp.Header.Get("Proxy-Status"), "error=")
			if got := fmt.Sprintf("%d %s", resp.StatusCode, kind); got != tt.http {
				m.Errorf("%s: got %s, want %s", tt.verdict, got, tt.http)
			}
			client.CloseIdleConnections()
			if _, err := m.socks("api.test:80"); err == nil || !strings.HasSuffix(err.Error(), tt.socks) {
				m.Errorf("%s: got %v, want %s", tt.verdict, err, tt.socks)
			}
		})
	}
}

// A context of a program that ends does not reach the proxy: a dial goes on until the proxy
// ends, which leaves nothing.
func TestCloseWhileDialing(t *testing.T) {
	onMachine(t, "fault dial as black-hole\n", func(m *machine) {
		ctx, cancel := context.WithCancel(m.Context())
		req, _ := http.NewRequestWithContext(ctx, "GET", "http://api.test/", nil)
		got := make(chan error)
		go func() {
			_, err := m.client().Do(req)
			got <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-got; !errors.Is(err, context.Canceled) {
			m.Errorf("got %v", err)
		}
		m.wantLog("rules:2: dial d1 api.test:80 as black-hole")
	})
}
