//go:build toxiproxy

package proxy

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"

	toxiproxy "github.com/Shopify/toxiproxy/v2/client"
)

// effects are toxics, and what a client sees of an answer of 1,000 bytes behind which the server
// closes. Differs says why the two servers differ, where they do.
var effects = []struct {
	kind, stream string
	attributes   toxiproxy.Attributes
	open         bool // the server does not close
	later        bool // the toxic is added when the connection is open
	half         bool // the client ends its direction behind its request
	differs      string
}{
	{half: true, differs: "toxiproxy closes both directions at a FIN (link.go, write), so that the answer to a client that has sent all it has is lost; halfopen passes the FIN on"},
	{kind: "latency", attributes: toxiproxy.Attributes{"latency": 5, "jitter": 2}},
	{kind: "latency", stream: "upstream", attributes: toxiproxy.Attributes{"latency": 5}},
	{kind: "bandwidth", attributes: toxiproxy.Attributes{"rate": 100}},
	{kind: "slow_close", attributes: toxiproxy.Attributes{"delay": 5}},
	{kind: "timeout", attributes: toxiproxy.Attributes{"timeout": 5}},
	{kind: "timeout", attributes: toxiproxy.Attributes{"timeout": 5}, open: true},
	{kind: "timeout", stream: "upstream", attributes: toxiproxy.Attributes{"timeout": 5}},
	{kind: "reset_peer", attributes: toxiproxy.Attributes{"timeout": 5}},
	{kind: "reset_peer", stream: "upstream", attributes: toxiproxy.Attributes{"timeout": 0}},
	{kind: "reset_peer", attributes: toxiproxy.Attributes{"timeout": 0}, later: true,
		differs: "toxiproxy sets the linger time of connections that are opened later, so that it closes this one with a FIN; halfopen resets it"},
	{kind: "slicer", attributes: toxiproxy.Attributes{"average_size": 100, "size_variation": 50, "delay": 1}},
	{kind: "limit_data", attributes: toxiproxy.Attributes{"bytes": 100}},
	{kind: "limit_data", attributes: toxiproxy.Attributes{"bytes": 1000}, open: true},
	{kind: "limit_data", attributes: toxiproxy.Attributes{"bytes": 0}},
	{kind: "limit_data", attributes: toxiproxy.Attributes{"bytes": 100}, later: true},
	{kind: "limit_data", stream: "upstream", attributes: toxiproxy.Attributes{"bytes": 2}},
}

// A client sees the same of each toxic through the proxy as through toxiproxy's server: how many
// bytes arrive, and how the connection ends.
func TestCompareEffects(t *testing.T) {
	ours, theirs := toxiproxy.NewClient(start(t).admin), toxiproxy.NewClient(startToxiproxy(t))
	for _, tt := range effects {
		var saw [2]string
		for i, client := range []*toxiproxy.Client{ours, theirs} {
			l := answering(t, tt.open, tt.half)
			proxy, err := client.CreateProxy("api", "127.0.0.1:0", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			add := func() {
				if _, err := proxy.AddToxic("", tt.kind, tt.stream, 1, tt.attributes); err != nil {
					t.Fatal(err)
				}
			}
			if !tt.later && tt.kind != "" {
				add()
			}
			saw[i] = look(t, proxy.Listen, tt.later, tt.half, add)
			if err := proxy.Delete(); err != nil {
				t.Fatal(err)
			}
			l.Close()
		}
		switch {
		case saw[0] != saw[1] && tt.differs != "":
			t.Logf("%s %s %v: %s\n  halfopen:  %s\n  toxiproxy: %s", tt.kind, tt.stream, tt.attributes, tt.differs, saw[0], saw[1])
		case saw[0] != saw[1] || tt.differs != "":
			t.Errorf("%s %s %v (%s)\n  halfopen:  %s\n  toxiproxy: %s", tt.kind, tt.stream, tt.attributes, tt.differs, saw[0], saw[1])
		}
	}
	wantOnPage(t, fmt.Sprintf("%d connections see the same", len(effects)))
}

// answering answers each five bytes: "hello" with 1,000 bytes, behind which it closes, and "first" with
// one byte. With half it answers when its client has sent all it has.
func answering(t *testing.T, open, half bool) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				b := make([]byte, 5)
				for {
					if half {
						io.ReadAll(c)
						io.WriteString(c, strings.Repeat("0123456789", 100))
						return
					}
					if _, err := io.ReadFull(c, b); err != nil {
						return
					}
					if string(b) == "first" {
						c.Write([]byte{1})
						continue
					}
					io.WriteString(c, strings.Repeat("0123456789", 100))
					if !open {
						return
					}
				}
			}()
		}
	}()
	return l
}

// look sends a request, and returns what arrives. If the toxic comes later, the connection is in
// use before.
func look(t *testing.T, addr string, later, half bool, add func()) string {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if later {
		io.WriteString(c, "first")
		if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		add()
	}
	io.WriteString(c, "hello")
	if half {
		c.(*net.TCPConn).CloseWrite()
	}
	b, err := io.ReadAll(c)
	how := "FIN"
	if errors.Is(err, syscall.ECONNRESET) {
		how = "RST"
	} else if err != nil {
		how = err.Error()
	}
	return fmt.Sprintf("%d bytes, %s", len(b), how)
}
