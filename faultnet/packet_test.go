package faultnet_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/halfopen/halfopen/faultnet"
)

// packetPair returns a socket that listens on api.test:53, and one that has dialed it.
func packetPair(t *testing.T, n *faultnet.Net) (server, client *faultnet.PacketConn) {
	t.Helper()
	l, err := n.ListenPacket("udp", "api.test:53")
	if err != nil {
		t.Fatal(err)
	}
	c, err := n.DialPacket("udp", "api.test:53")
	if err != nil {
		t.Fatal(err)
	}
	return l.(*faultnet.PacketConn), c.(*faultnet.PacketConn)
}

// readPackets returns what arrives at a socket within a second, and when.
func readPackets(c *faultnet.PacketConn) string {
	began := time.Now()
	c.SetReadDeadline(began.Add(2 * time.Second))
	defer c.SetReadDeadline(time.Time{})
	var got []string
	for {
		b := make([]byte, 2000)
		n, err := c.Read(b)
		at := time.Since(began)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return strings.Join(got, " ")
		case err != nil:
			what := err.Error()
			if errors.Is(err, syscall.ECONNREFUSED) {
				what = "refused"
			}
			got = append(got, fmt.Sprintf("%s@%v", what, at))
		default:
			got = append(got, fmt.Sprintf("%q@%v", b[:n], at))
		}
	}
}

// Each verdict about datagrams is carried out on the second of three.
func TestPacketVerdicts(t *testing.T) {
	for _, tt := range []struct{ verdict, server, client string }{
		{"pass", `"one"@0s "two"@0s "three"@0s`, ""},
		{"drop", `"one"@0s "three"@0s`, ""},
		{"duplicate", `"one"@0s "two"@0s "two"@0s "three"@0s`, ""},
		{"delay:1s", `"one"@0s "three"@0s "two"@1s`, ""},
		{"reorder", `"one"@0s "three"@0s "two"@0s`, ""},
		{"truncate:1", `"one"@0s "t"@0s "three"@0s`, ""},
		{"truncate", `"one"@0s ""@0s "three"@0s`, ""},
		{"truncate:9", `"one"@0s "two"@0s "three"@0s`, ""},
		{"too-big:2", `"one"@0s "three"@0s`, ""},
		{"too-big:3", `"one"@0s "two"@0s "three"@0s`, ""},
		{"corrupt:1", `"one"@0s "tvo"@0s "three"@0s`, ""},
		{"extra:2", `"one"@0s "twoXX"@0s "three"@0s`, ""},
		{"jitter:1s,3", `"one"@0s "three"@0s "two"@823.944693ms`, ""},
		{"refuse", `"one"@0s`, ""},
		{"unreachable", `"one"@0s`, ""},
		{"net-unreachable", `"one"@0s`, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			var n faultnet.Net
			server, client := packetPair(t, &n)
			v, err := faultnet.ParseVerdict(tt.verdict)
			if err != nil && tt.verdict != "pass" {
				t.Fatal(err)
			}
			_, fired := n.Arm("packet u1 client->server 2", v)
			var errs []string
			for _, text := range []string{"one", "two", "three"} {
				if _, err := client.Write([]byte(text)); err != nil {
					errs = append(errs, err.Error())
				}
			}
			if got := readPackets(server); got != tt.server {
				t.Errorf("%s: got %s, want %s", tt.verdict, got, tt.server)
			}
			wantErr := map[string]string{"refuse": "connection refused", "unreachable": "no route to host", "net-unreachable": "network is unreachable"}[tt.verdict]
			if len(errs) > 1 || (len(errs) == 1) != (wantErr != "") || wantErr != "" && !strings.HasSuffix(errs[0], "write: "+wantErr) {
				t.Errorf("%s: got errors %q of writes, want %q", tt.verdict, errs, wantErr)
			}
			if got := readPackets(client); got != tt.client {
				t.Errorf("%s: the client got %s, want %s", tt.verdict, got, tt.client)
			}
			if !fired() && tt.verdict != "pass" {
				t.Errorf("%s: did not fire", tt.verdict)
			}
		})
	}
}

// A datagram that is to arrive behind the next one does not wait for ever.
func TestPacketReorderWithoutNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n faultnet.Net
		server, client := packetPair(t, &n)
		n.Arm("packet", faultnet.Reorder(300*time.Millisecond))
		client.Write([]byte("one"))
		if got, want := readPackets(server), `"one"@300ms`; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

// A path has a small MTU: what is larger is lost.
func TestPacketShape(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n faultnet.Net
		server, client := packetPair(t, &n)
		lift := n.Shape(faultnet.On("packet * client->server", faultnet.TooBig(1000)))
		client.Write(make([]byte, 1001))
		client.Write(make([]byte, 1000))
		lift()
		client.Write(make([]byte, 1001))
		for _, want := range []int{1000, 1001} {
			if n, err := server.Read(make([]byte, 2000)); n != want || err != nil {
				t.Errorf("got %d bytes, %v, want %d", n, err, want)
			}
		}
	})
}

// Each datagram is an event with a name, and they are let go in any order.
func TestPacketEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n faultnet.Net
		n.Record(true)
		release := n.Hold("packet")
		server, client := packetPair(t, &n)
		second, err := n.DialPacket("udp", "api.test:53")
		if err != nil {
			t.Fatal(err)
		}
		client.Write([]byte("one"))
		client.Write([]byte("two"))
		second.Write([]byte("other"))
		var names []string
		for _, e := range n.Pending() {
			flow, number, side := e.Flow()
			names = append(names, fmt.Sprintf("%s to %s: %q %d %d %s", e, e.Addr, e.Bytes(), flow, number, side))
		}
		want := []string{
			`packet u1 client->server 1 to api.test:53: "one" 1 1 client`,
			`packet u1 client->server 2 to api.test:53: "two" 1 2 client`,
			`packet u2 client->server 1 to api.test:53: "other" 2 1 client`,
		}
		if !slices.Equal(names, want) {
			t.Errorf("got %q, want %q", names, want)
		}
		pending := n.Pending()
		table := "flow  to           client  server  ->server  ->client\n" +
			"u1    api.test:53  open    open    2+0       0+0\n" +
			"u2    api.test:53  open    open    1+0       0+0\n"
		if got := n.String(); got != table {
			t.Errorf("got the table\n%s\nwant\n%s", got, table)
		}
		n.Release(pending[1])
		n.Apply(pending[2], faultnet.Drop)
		release()
		b := make([]byte, 10)
		k, from, _ := server.ReadFrom(b)
		if server.WriteTo([]byte("answer"), from); string(b[:k]) != "two" {
			t.Errorf("got %q, want what was let go first", b[:k])
		}
		var got []string
		for _, r := range n.Events() {
			got = append(got, r.String())
		}
		want = []string{"packet u1 client->server 2", "packet u2 client->server 1 drop", "packet u1 client->server 1", "packet u1 server->client 1"}
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// The trace says why a datagram did not arrive.
func TestPacketOutcomes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := faultnet.Net{ReceiveBuffer: 1000}
		n.Record(true)
		server, client := packetPair(t, &n)
		client.Write([]byte("one"))
		client.Write([]byte("no room for it"))
		readPackets(server)
		n.Partition("api.test", faultnet.ToServer)
		client.Write([]byte("three"))
		n.Heal("api.test")
		n.Partition("api.test", faultnet.ToClient)
		client.Write([]byte("four"))
		_, from, _ := server.ReadFrom(make([]byte, 10))
		server.WriteTo([]byte("no answer"), from)
		n.Heal("api.test")
		resume := n.Pause("api.test:53")
		client.Write([]byte("five"))
		if got := readPackets(server); got != "" {
			t.Errorf("got %s from a program that stands still", got)
		}
		resume()
		if got := readPackets(server); got != `"five"@0s` {
			t.Errorf("got %s, want what came meanwhile", got)
		}
		n.Crash("api.test")
		if _, err := server.Read(make([]byte, 10)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("got %v from a socket whose machine has crashed", err)
		}
		client.Write([]byte("six"))
		n.Restart("api.test")
		client.Write([]byte("seven"))
		if got := readPackets(client); got != "refused@0s" {
			t.Errorf("got %s, want ECONNREFUSED", got)
		}
		stranger, _ := n.ListenPacket("udp", ":0")
		stranger.WriteTo([]byte("eight"), &net.UDPAddr{IP: net.IPv4(203, 0, 113, 1), Port: 9})
		var got []string
		for _, r := range n.Events() {
			got = append(got, strings.TrimPrefix(r.String(), "packet "))
		}
		want := []string{
			"u1 client->server 1", "u1 client->server 2 no room", "u1 client->server 3 lost", "u1 client->server 4",
			"u1 server->client 1 lost", "u1 client->server 5", "u1 client->server 6 lost", "u1 client->server 7 refused",
			"u2 client->server 1 lost",
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %q\nwant %q", got, want)
		}
	})
}

// Kill and Unlisten close the socket of a program, Close that of each.
func TestPacketSocketsClosed(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(n *faultnet.Net)
	}{
		{"kill", func(n *faultnet.Net) { n.Kill("api.test:53") }},
		{"unlisten", func(n *faultnet.Net) { n.Unlisten("api.test:53") }},
		{"close", func(n *faultnet.Net) { n.Close() }},
	} {
		synctest.Test(t, func(t *testing.T) {
			var n faultnet.Net
			server, _ := packetPair(t, &n)
			done := make(chan error)
			go func() {
				_, err := server.Read(make([]byte, 1))
				done <- err
			}()
			synctest.Wait()
			open := len(n.PacketConns())
			tt.end(&n)
			if err := <-done; !errors.Is(err, net.ErrClosed) || open != 2 {
				t.Errorf("%s: got %v of %d sockets, want ErrClosed of 2", tt.name, err, open)
			}
		})
	}
}

// A socket on every address answers from the address that a client has sent to, and a name
// leads to the host that Resolve says.
func TestPacketAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n faultnet.Net
		if _, err := n.DialPacket("udp", "nowhere.test:53"); err == nil || err.Error() != "dial udp: lookup nowhere.test: no such host" {
			t.Errorf("got %v, want no such host", err)
		}
		server, _ := n.ListenPacket("udp", ":53")
		n.Resolve("alias.test", "real.test")
		for _, name := range []string{"api.test", "alias.test", "127.0.0.1"} {
			client, err := n.DialContext(context.Background(), "udp", name+":53")
			if err != nil {
				t.Fatal(err)
			}
			client.Write([]byte("hi"))
			_, from, err := server.ReadFrom(make([]byte, 10))
			if err != nil || from.String() != client.LocalAddr().String() {
				t.Errorf("%s: got a packet from %v, %v, want one from %v", name, from, err, client.LocalAddr())
			}
			server.WriteTo([]byte("ho"), from)
			if got := readPackets(client.(*faultnet.PacketConn)); got != `"ho"@0s` {
				t.Errorf("%s: got %s, want the answer", name, got)
			}
		}
		n.Resolve("alias.test")
		if _, err := n.DialPacket("udp", "alias.test:53"); err == nil || !strings.Contains(err.Error(), "no suitable address") {
			t.Errorf("got %v, want an answer without an address", err)
		}
	})
}

// net.Resolver asks a server of names on the network, and asks again when an answer is lost.
func TestPacketResolver(t *testing.T) {
	net.LookupHost("localhost") // package net keeps a channel of its first look-up, which must be of no bubble
	synctest.Test(t, func(t *testing.T) {
		var n faultnet.Net
		server, _ := n.ListenPacket("udp", "dns.test:53")
		go func() {
			b := make([]byte, 512)
			for {
				k, from, err := server.ReadFrom(b)
				if err != nil {
					return
				}
				b[2] |= 0x80 // it is an answer: there is no such name
				b[3] |= 3
				server.WriteTo(b[:k], from)
			}
		}()
		r := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return n.DialContext(ctx, network, "dns.test:53")
		}}
		n.Arm("packet * client->server", faultnet.Drop)
		began := time.Now()
		_, err := r.LookupHost(context.Background(), "api.test.")
		var dns *net.DNSError
		if !errors.As(err, &dns) || !dns.IsNotFound || time.Since(began) == 0 {
			t.Errorf("got %v after %v, want that there is no such host, after a retry", err, time.Since(began))
		}
		server.Close()
	})
}
