package harness_test

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"hash"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/halfopen/halfopen/harness"
)

// insideSearches is how many repeated searches TestInsideHTTP2 makes of each variant.
var insideSearches = flag.Int("searches", 2, "how often TestInsideHTTP2 repeats the search of each variant")

// variant is one use of HTTP/2.
type variant struct {
	secure  bool // over TLS
	streams int
	size    int    // of each response; above 64 KiB it needs the window to open again
	cancel  bool   // each request may be cancelled
	post    string // the body of a request, or ""
}

// variants returns the 22 variants.
func variants() (all []variant) {
	for _, secure := range []bool{false, true} {
		for _, streams := range []int{2, 3} {
			for _, size := range []int{10, 20_000, 100_000} {
				all = append(all, variant{secure: secure, streams: streams, size: size})
			}
			all = append(all, variant{secure: secure, streams: streams, size: 1000, cancel: true},
				variant{secure: secure, streams: streams, size: 10, post: strings.Repeat("x", 80_000)})
		}
		all = append(all, variant{secure: secure, streams: 3, size: 70_000, cancel: true})
	}
	return all
}

// tapped is a connection of which all bytes are hashed, in the order of the calls.
type tapped struct {
	net.Conn
	mu   *sync.Mutex
	sum  hash.Hash
	name string
}

func (c tapped) add(what string, b []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fmt.Fprintf(c.sum, "%s %s %d ", c.name, what, len(b))
	c.sum.Write(b)
}

func (c tapped) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.add("read", b[:n])
	return n, err
}

func (c tapped) Write(b []byte) (int, error) {
	c.add("wrote", b)
	return c.Conn.Write(b)
}

// body returns the body of a test of the variant. Its outcome has a hash of all bytes.
func (v variant) body(cert tls.Certificate, roots *x509.CertPool) func(t *harness.T) {
	return func(t *harness.T) {
		tr := t.Net.Transport()
		url := "http://api.test/bytes/"
		if v.secure {
			url = "https://example.com/bytes/"
			t.ServeTLS("example.com:443", nil, &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2"}})
			tr.TLSClientConfig, tr.ForceAttemptHTTP2 = &tls.Config{RootCAs: roots}, true
		} else {
			t.Serve("api.test:80", nil)
			tr.Protocols = new(http.Protocols)
			tr.Protocols.SetUnencryptedHTTP2(true)
		}
		var mu sync.Mutex
		sum, dials, dial := sha256.New(), 0, tr.DialContext
		tr.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := dial(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			mu.Lock()
			defer mu.Unlock()
			dials++
			return tapped{c, &mu, sum, fmt.Sprint(dials)}, nil
		}
		for i := range v.streams {
			var r *harness.Request
			if v.post != "" {
				r = t.Post(fmt.Sprint("r", i+1), tr, strings.Replace(url, "bytes/", "echo", 1), v.post)
			} else {
				r = t.Get(fmt.Sprint("r", i+1), tr, url+fmt.Sprint(v.size))
			}
			if v.cancel {
				r.MayCancel()
			}
		}
		t.Rest()
		mu.Lock()
		defer mu.Unlock()
		t.Outcome("%x", sum.Sum(nil)[:8])
	}
}

// A repeated search over HTTP/2 comes to the same outcomes and the same bytes, with inner
// choices and without.
func TestInsideHTTP2(t *testing.T) {
	needsDeep(t)
	cert, roots := certificate(t)
	for _, v := range variants() {
		t.Run(fmt.Sprintf("%t/%d/%d/%t/%d", v.secure, v.streams, v.size, v.cancel, len(v.post)), func(t *testing.T) {
			for _, bounds := range []harness.Bounds{{Inner: harness.None}, {Inner: 1}} {
				bounds.Schedules, bounds.KeepGoing, bounds.AsFound = 12, true, true
				first := ""
				for i := range *insideSearches {
					x, err := harness.ExploreReport("HTTP/2", bounds, nil, v.body(cert, roots))
					if err != nil {
						t.Fatal(err)
					}
					if slices.ContainsFunc(x.Findings, func(f *harness.Finding) bool { return f.Report.Failures[0].Kind == harness.KindUncontrolled }) {
						t.Errorf("search %d: %s", i+1, x)
					}
					if text := x.String(); first == "" {
						first = text
					} else if text != first {
						t.Fatalf("search %d: got\n%s\nat first\n%s", i+1, text, first)
					}
				}
			}
		})
	}
}
