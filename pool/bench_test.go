package pool

import (
	"context"
	"flag"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/halfopen/halfopen/faultnet"
)

// benchRows lists the conditions in which the two transports are compared.
var benchRows = []struct {
	name string
	f    func(*testing.B, http.RoundTripper, string)
}{
	{"get", benchGet},
	{"64KiB", benchBody},
	{"parallel64", benchParallel},
	{"dial", benchGet},
	{"limit8", benchParallel},
	{"post", benchPost},
}

var benchNetworks = []string{"tcp", "faultnet"}

// The rows compare the two transports in one run, against one server each, over
// loopback TCP and over the network in memory.
func Benchmark(b *testing.B) {
	for _, network := range benchNetworks {
		for _, row := range benchRows {
			for _, subject := range benchSubjects {
				b.Run(network+"/"+row.name+"/"+subject, func(b *testing.B) {
					benchOne(b, network, row.name, subject, row.f)
				})
			}
		}
	}
}

var benchSubjects = []string{"nethttp", "pool"}

func benchOne(b *testing.B, network, row, subject string, f func(*testing.B, http.RoundTripper, string)) {
	url, dial := benchServer(b, network)
	rt, done := benchTransport(subject, row, dial)
	defer done()
	b.ReportAllocs()
	f(b, rt, url)
}

var beside = flag.Int("beside", 0, "how often TestBeside runs each benchmark; 0 means not at all")

// No row takes more than 1.05 times as long as net/http's, or more allocations;
// where 64 clients share eight connections it takes less time. Only over HTTP/2, which
// is not ours, one connection for each request may take 1.5 times as long. The two
// transports run in turns, so that whatever else the machine does meets both,
// and the median of the turns' ratios counts. Shorter turns are better:
//
//	go test ./pool -run Beside -v -beside=15 -test.benchtime=200ms
func TestBeside(t *testing.T) {
	if *beside == 0 {
		t.Skip("say -beside=5")
	}
	for _, network := range append(benchNetworks, "parrot") {
		for _, row := range benchRows {
			if network == "parrot" && (row.name == "64KiB" || row.name == "post") {
				continue
			}
			t.Run(network+"/"+row.name, func(t *testing.T) {
				most := 1.05
				if row.name == "limit8" {
					most = 1
				}
				allocs := runBeside(t, most, func(b *testing.B, subject string) { benchOne(b, network, row.name, subject, row.f) })
				if allocs[1] > allocs[0] {
					t.Errorf("beside net/http: got %.0f allocations, want at most %.0f", allocs[1], allocs[0])
				}
			})
		}
	}
	t.Run("tcp/http2line", func(t *testing.T) {
		srv := http2Server(t)
		runBeside(t, 1.5, func(b *testing.B, subject string) { http2Line(b, subject, srv) })
	})
}

// runBeside runs a benchmark with the two transports in turns, fails if the pool takes
// more than that many times as long, and returns how often each of them allocates.
func runBeside(t *testing.T, most float64, f func(b *testing.B, subject string)) [2]float64 {
	var times, allocs [2][]float64
	var ratios []float64
	for range *beside {
		for i, subject := range benchSubjects {
			r := testing.Benchmark(func(b *testing.B) { f(b, subject) })
			times[i] = append(times[i], float64(r.T.Nanoseconds())/float64(r.N))
			allocs[i] = append(allocs[i], float64(r.AllocsPerOp()))
		}
		ratios = append(ratios, times[1][len(times[1])-1]/times[0][len(times[0])-1])
	}
	ratio := median(ratios)
	t.Logf("net/http %.0f ns %.0f allocs, pool %.0f ns %.0f allocs: %.2f x the time",
		median(times[0]), median(allocs[0]), median(times[1]), median(allocs[1]), ratio)
	if ratio > most {
		t.Errorf("beside net/http: got %.2f x the time, want at most %.2f", ratio, most)
	}
	return [2]float64{median(allocs[0]), median(allocs[1])}
}

func median(s []float64) float64 {
	slices.Sort(s)
	return s[len(s)/2]
}

// BenchmarkPool measures the pool alone: the peer is a goroutine that answers without
// parsing, so that what is left is the transport.
func BenchmarkPool(b *testing.B) {
	for _, row := range benchRows {
		if row.name == "64KiB" || row.name == "post" {
			continue
		}
		for _, subject := range benchSubjects {
			b.Run(row.name+"/"+subject, func(b *testing.B) { benchOne(b, "parrot", row.name, subject, row.f) })
		}
	}
}

type dialFunc = func(ctx context.Context, network, addr string) (net.Conn, error)

func benchTransport(subject, row string, dial dialFunc) (http.RoundTripper, func()) {
	limit, noKeep := 0, row == "dial"
	if row == "limit8" {
		limit = 8
	}
	if subject == "pool" {
		tr := &Transport{MaxIdleConnsPerHost: 100, MaxConnsPerHost: limit, DisableKeepAlives: noKeep, DialContext: dial}
		return tr, tr.CloseIdleConnections
	}
	tr := &http.Transport{MaxIdleConnsPerHost: 100, MaxConnsPerHost: limit, DisableKeepAlives: noKeep, DialContext: dial}
	return tr, tr.CloseIdleConnections
}

// benchServer runs a server on that network, and returns the way to it.
func benchServer(b *testing.B, network string) (url string, dial dialFunc) {
	var l net.Listener
	var err error
	switch network {
	case "parrot":
		return "http://api.test/", dialParrot
	case "faultnet":
		n := new(faultnet.Net)
		dial = n.DialContext
		l, err = n.Listen("tcp", "api.test:80")
		url = "http://api.test/"
	default:
		if l, err = net.Listen("tcp", "127.0.0.1:0"); err == nil {
			url = "http://" + l.Addr().String() + "/"
		}
		dial = new(net.Dialer).DialContext
	}
	if err != nil {
		b.Fatal(err)
	}
	big := make([]byte, 64<<10)
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/big" {
			w.Write(big)
			return
		}
		io.Copy(io.Discard, r.Body)
		io.WriteString(w, "hello")
	})}
	go srv.Serve(l)
	b.Cleanup(func() { srv.Close() })
	return url, dial
}

func once(b *testing.B, rt http.RoundTripper, req *http.Request) {
	resp, err := rt.RoundTrip(req)
	if err != nil {
		b.Error(err)
		return
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		b.Error(err)
	}
	resp.Body.Close()
}

func benchGet(b *testing.B, rt http.RoundTripper, url string) {
	req, _ := http.NewRequest("GET", url, nil)
	for b.Loop() {
		once(b, rt, req)
	}
}

func benchBody(b *testing.B, rt http.RoundTripper, url string) {
	b.SetBytes(64 << 10)
	benchGet(b, rt, url+"big")
}

func benchPost(b *testing.B, rt http.RoundTripper, url string) {
	for b.Loop() {
		req, _ := http.NewRequest("POST", url, strings.NewReader("payload"))
		once(b, rt, req)
	}
}

// benchParallel has 64 clients, however many processors there are.
func benchParallel(b *testing.B, rt http.RoundTripper, url string) {
	var wg sync.WaitGroup
	work := make(chan struct{}, 1024)
	for range 64 {
		wg.Go(func() {
			req, _ := http.NewRequest("GET", url, nil)
			for range work {
				once(b, rt, req)
			}
		})
	}
	for b.Loop() {
		work <- struct{}{}
	}
	close(work)
	wg.Wait()
}

// parrot answers each write with one response: requests of these benchmarks
// fit in one.
type parrot struct {
	net.Conn
	heard  chan struct{}
	closed chan struct{}
	once   sync.Once
	left   []byte
}

func dialParrot(context.Context, string, string) (net.Conn, error) {
	return &parrot{heard: make(chan struct{}, 1), closed: make(chan struct{})}, nil
}

const parroted = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

func (p *parrot) Write(b []byte) (int, error) {
	select {
	case p.heard <- struct{}{}:
		return len(b), nil
	case <-p.closed:
		return 0, net.ErrClosed
	}
}

func (p *parrot) Read(b []byte) (int, error) {
	if len(p.left) == 0 {
		select {
		case <-p.heard:
			p.left = []byte(parroted)
		case <-p.closed:
			return 0, net.ErrClosed
		}
	}
	n := copy(b, p.left)
	p.left = p.left[n:]
	return n, nil
}

func (p *parrot) Close() error         { p.once.Do(func() { close(p.closed) }); return nil }
func (p *parrot) LocalAddr() net.Addr  { return &net.TCPAddr{} }
func (p *parrot) RemoteAddr() net.Addr { return &net.TCPAddr{} }
