package proxy

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"

	toxiproxy "github.com/Shopify/toxiproxy/v2/client"
	"github.com/alicebob/miniredis/v2"
	"github.com/gomodule/redigo/redis"
)

// long is the value of the key.
var long = strings.Repeat("0123456789", 300)

// behindProxy runs a server of Redis behind a mapping of the proxy, and returns the mapping and a
// function that opens a connection and asks for the key.
func behindProxy(t *testing.T, server *server) (proxy *toxiproxy.Proxy, get func() (string, error)) {
	t.Helper()
	backend := miniredis.RunT(t)
	backend.Set("key", long)
	client := toxiproxy.NewClient(server.admin)
	if _, err := client.Populate([]toxiproxy.Proxy{{Name: "redis", Listen: "localhost:0", Upstream: backend.Addr(), Enabled: true}}); err != nil {
		t.Fatal(err)
	}
	proxy, err := client.Proxy("redis")
	if err != nil {
		t.Fatal(err)
	}
	return proxy, func() (string, error) {
		c, err := redis.Dial("tcp", proxy.Listen)
		if err != nil {
			return "", err
		}
		defer c.Close()
		return redis.String(c.Do("GET", "key"))
	}
}

// A client of Redis that knows nothing of proxies goes through a mapping to a server of Redis,
// as in the examples of toxiproxy's client: the service goes down and comes back, and each toxic
// does to its answers what it says.
func TestRedis(t *testing.T) {
	server := start(t)
	proxy, get := behindProxy(t, server)
	if got, err := get(); got != long || err != nil {
		t.Fatalf("got %d bytes, %v", len(got), err)
	}

	if err := proxy.Disable(); err != nil {
		t.Fatal(err)
	}
	if _, err := get(); !errors.Is(err, syscall.ECONNREFUSED) && !strings.Contains(fmt.Sprint(err), "refused") {
		t.Errorf("while it is disabled: got %v, want it refused", err)
	}
	if err := proxy.Enable(); err != nil {
		t.Fatal(err)
	}

	for _, tt := range []struct {
		kind       string
		attributes toxiproxy.Attributes
		err        error // nil if the answer arrives whole
	}{
		{"latency", toxiproxy.Attributes{"latency": 20, "jitter": 10}, nil},
		{"bandwidth", toxiproxy.Attributes{"rate": 1000}, nil},
		{"slicer", toxiproxy.Attributes{"average_size": 100, "size_variation": 50}, nil},
		{"slow_close", toxiproxy.Attributes{"delay": 10}, nil},
		{"timeout", toxiproxy.Attributes{"timeout": 10}, io.EOF},
		{"limit_data", toxiproxy.Attributes{"bytes": 1000}, io.EOF},
		{"reset_peer", toxiproxy.Attributes{"timeout": 0}, syscall.ECONNRESET},
	} {
		if _, err := proxy.AddToxic("", tt.kind, "", 1, tt.attributes); err != nil {
			t.Fatal(err)
		}
		got, err := get()
		if ends := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || fmt.Sprint(err) == "unexpected EOF"; tt.err == io.EOF && ends {
			err = io.EOF
		}
		if !errors.Is(err, tt.err) || err == nil && got != long {
			t.Errorf("%s: got %d bytes, %v, want %v", tt.kind, len(got), err, tt.err)
		}
		server.until(": toxic " + tt.kind + "_downstream: " + tt.kind + " {")
		if err := proxy.RemoveToxic(tt.kind + "_downstream"); err != nil {
			t.Fatal(err)
		}
		if got, err := get(); got != long || err != nil {
			t.Fatalf("%s was removed: got %d bytes, %v", tt.kind, len(got), err)
		}
	}
}

// A toxic whose toxicity is 0 strikes no connection; one that is added strikes those that are
// open as well. When the mapping is deleted nothing listens any more.
func TestRedisOpen(t *testing.T) {
	proxy, get := behindProxy(t, start(t))
	if _, err := proxy.AddToxic("", "timeout", "", 0, toxiproxy.Attributes{"timeout": 0}); err != nil {
		t.Fatal(err)
	}
	if got, err := get(); got != long || err != nil {
		t.Errorf("toxicity 0: got %d bytes, %v", len(got), err)
	}

	c, err := redis.Dial("tcp", proxy.Listen)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := proxy.AddToxic("cut", "limit_data", "", 1, toxiproxy.Attributes{"bytes": 0}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Do("GET", "key"); err == nil {
		t.Error("an open connection: got an answer, want it closed")
	}
	if err := proxy.Delete(); err != nil {
		t.Fatal(err)
	}
	if _, err := get(); err == nil {
		t.Error("after Delete: got an answer")
	}
}
