package proxy

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// On real sockets many connections at once carry what they are given, through rules and through
// toxics, and each direction ends by itself.
func TestRealSockets(t *testing.T) {
	rules, err := ParseRules("rules", []byte("# Pieces.\nshape * server->client data as split:1000 nth 3\nfault c* client->server data as delay:1ms nth 7\n"))
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{Rules: rules, Log: NewLog(io.Discard, true)}
	defer p.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go echo(c)
		}
	}()
	forward, err := p.Forward("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Map("echo", "127.0.0.1:0", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	m, err := p.mappings.get("echo")
	if err != nil {
		t.Fatal(err)
	}
	m.mu.Lock()
	m.setToxics("downstream", []*toxic{{Attributes: &slicer{AverageSize: 5000, SizeVariation: 100}, Name: "slices", Toxicity: 1}})
	m.setToxics("upstream", []*toxic{{Attributes: &latency{Latency: 1}, Name: "lag", Toxicity: 1}})
	m.mu.Unlock()

	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			sent := bytes.Repeat([]byte{byte(i)}, 300_000)
			got, err := throughSockets(forward.String(), m.shown().Listen, l.Addr().String(), i%2 == 0, sent)
			if err != nil || !bytes.Equal(got, sent) {
				t.Errorf("%d: got %d bytes, %v, want %d", i, len(got), err, len(sent))
			}
		})
	}
	all.Wait()
}

// throughSockets sends bytes to a server that sends them back, by CONNECT or by a mapping.
func throughSockets(forward, mapped, server string, connect bool, b []byte) ([]byte, error) {
	at := mapped
	if connect {
		at = forward
	}
	c, err := net.Dial("tcp", at)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	in := bufio.NewReader(c)
	if connect {
		fmt.Fprintf(c, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", server, server)
		if resp, err := http.ReadResponse(in, &http.Request{Method: "CONNECT"}); err != nil || resp.StatusCode != 200 {
			return nil, fmt.Errorf("got %v, %v", resp, err)
		}
	}
	go func() {
		c.Write(b)
		c.(*net.TCPConn).CloseWrite()
	}()
	return io.ReadAll(in)
}

// What HTTP does besides requests and answers passes through the proxy: an interim answer before
// the body is sent, requests one behind the other without waiting, a body in chunks with a
// trailer, and a change of protocol.
func TestForwardHTTP(t *testing.T) {
	onMachine(t, "", func(m *machine) {
		l, err := m.net.Listen("tcp", "api.test:80")
		if err != nil {
			m.Fatal(err)
		}
		srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Upgrade") != "" {
				c, rw, _ := http.NewResponseController(w).Hijack()
				defer c.Close()
				fmt.Fprintf(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n")
				io.CopyN(c, rw, 5)
				return
			}
			b, _ := io.ReadAll(r.Body)
			fmt.Fprintf(w, "%s %s%v", r.URL, b, r.Trailer)
		})}
		go srv.Serve(l)
		defer srv.Close()
		c := m.dial(m.at)
		in := bufio.NewReader(c)
		say := func(format string, args ...any) { fmt.Fprintf(c, strings.ReplaceAll(format, "\n", "\r\n"), args...) }
		want := func(status int, text string) {
			m.Helper()
			resp, err := http.ReadResponse(in, nil)
			if err != nil {
				m.Fatal(err)
			}
			b := []byte{}
			if status >= 200 {
				b, _ = io.ReadAll(resp.Body)
			}
			if resp.StatusCode != status || string(b) != text {
				m.Errorf("got %d %s, want %d %s", resp.StatusCode, b, status, text)
			}
		}
		say("POST http://api.test/a HTTP/1.1\nHost: api.test\nExpect: 100-continue\nContent-Length: 4\n\n")
		want(100, "")
		say("body")
		want(200, "/a bodymap[]")
		say("GET http://api.test/b HTTP/1.1\nHost: api.test\n\nGET http://api.test/c?d HTTP/1.1\nHost: api.test\n\n")
		want(200, "/b map[]")
		want(200, "/c?d map[]")
		say("POST http://api.test/e HTTP/1.1\nHost: api.test\nTransfer-Encoding: chunked\nTrailer: Sum\n\n5;x=y\nhello\n1\n!\n0\nSum: 6\n\n")
		want(200, "/e hello!map[Sum:[6]]")
		say("GET http://api.test/f HTTP/1.1\nHost: api.test\nConnection: Upgrade\nUpgrade: echo\n\n")
		want(101, "")
		say("12345")
		if b, err := io.ReadAll(in); string(b) != "12345" || err != nil {
			m.Errorf("got %q, %v", b, err)
		}
		c.Close()
		m.wantLog("c1: POST http://api.test/a")
	})
}
