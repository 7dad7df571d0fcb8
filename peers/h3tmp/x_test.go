package h3tmp

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"
	"sort"
	"testing"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"github.com/halfopen/halfopen/harness"
)

func serve(t *harness.T, addr string, h http.Handler) {
	t.ServeUDP(addr, h, func(c net.PacketConn, config *tls.Config, h http.Handler) func() {
		s := &http3.Server{Handler: h, TLSConfig: http3.ConfigureTLSConfig(config)}
		go s.Serve(c)
		return func() { s.Close() }
	})
}

func maker(t *harness.T) *http3.Transport {
	tr := &http3.Transport{TLSClientConfig: &tls.Config{RootCAs: harness.TrustedRoots()}}
	tr.Dial = func(ctx context.Context, addr string, tc *tls.Config, qc *quic.Config) (*quic.Conn, error) {
		pc, err := t.Net.ListenPacket("udp", ":0")
		if err != nil {
			return nil, err
		}
		d, err := t.Net.Raw().DialPacket("udp", addr)
		if err != nil {
			pc.Close()
			return nil, err
		}
		a := d.RemoteAddr()
		d.Close()
		c, err := quic.DialEarly(ctx, pc, a.(*net.UDPAddr), tc, qc)
		if err != nil {
			pc.Close()
			return nil, err
		}
		go func() { <-c.Context().Done(); pc.Close() }()
		return c, nil
	}
	t.Cleanup(func() { tr.Close() })
	return tr
}

func TestX(t *testing.T) {
	seen := map[string]int{}
	n := 3
	if os.Getenv("N") != "" {
		fmt.Sscan(os.Getenv("N"), &n)
	}
	for range n {
		r := harness.TestReport("x", func(t *harness.T) {
			serve(t, "api.test:443", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hello") }))
			tr := maker(t)
			a := t.Get("r1", tr, "https://api.test/")
			t.Rest()
			a.WantBody("hello")
			b := t.Get("r2", tr, "https://api.test/")
			c := t.Get("r3", tr, "https://api.test/")
			t.Rest()
			b.WantBody("hello")
			c.WantBody("hello")
		})
		if r.Failed() {
			t.Error(r)
			return
		}
		seen[r.Trace()]++
	}
	var counts []int
	for _, c := range seen {
		counts = append(counts, c)
	}
	sort.Ints(counts)
	t.Log(len(seen), counts)
	for k := range seen {
		t.Log(k)
		break
	}
}
