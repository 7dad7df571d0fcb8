package pool

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

var (
	stressRequests = flag.Int("halfopen.requests", 4000, "requests of TestStress")
	stressSeed     = flag.Uint64("halfopen.seed", 1, "seed of TestStress")
)

// Many clients, a server that is restarted, requests called off at random: no
// answer is wrong, nothing is left, and the books agree with the server's.
func TestStress(t *testing.T) {
	t.Logf("-halfopen.requests=%d -halfopen.seed=%d", *stressRequests, *stressSeed)
	s := &restarting{t: t}
	s.start()
	tr := &Transport{
		MaxConnsPerHost: 16, MaxIdleConnsPerHost: 8, DialContext: s.dial,
		OnClose: func(Entry, Cause) { s.open.Done() },
	}
	var wg sync.WaitGroup
	var served, failed atomic.Int64
	work := make(chan int)
	for range 64 {
		wg.Go(func() {
			for i := range work {
				ok, err := stressOne(tr, i)
				if err != nil {
					t.Error(err)
				}
				if ok {
					served.Add(1)
				} else {
					failed.Add(1)
				}
			}
		})
	}
	for i := range *stressRequests {
		if i%1000 == 999 {
			s.stop()
			s.start()
		}
		work <- i
	}
	close(work)
	wg.Wait()
	s.stop()
	tr.CloseIdleConnections()
	s.open.Wait() // each connection that was dialed has been closed
	st := tr.Stats()
	if st.Active+st.Idle+st.Waiting != 0 {
		t.Errorf("at the end: got\n%s%s", st, tr.Ledger())
	}
	var closed uint64
	for _, n := range st.Closed {
		closed += n
	}
	if made := st.Dials - st.DialErrors - uint64(st.Dialing); closed != made {
		t.Errorf("connections: got %d closed of %d", closed, made)
	}
	t.Logf("%d served, %d not; %s", served.Load(), failed.Load(), st.Closed)
}

// stressOne sends one request and checks its answer, if it gets one.
func stressOne(tr *Transport, i int) (ok bool, wrong error) {
	rnd := rand.New(rand.NewPCG(*stressSeed, uint64(i)))
	want := strings.Repeat(fmt.Sprintf("%d.", i), 1+rnd.IntN(2000))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var req *http.Request
	if rnd.IntN(2) == 0 {
		req, _ = http.NewRequestWithContext(ctx, "POST", "http://api.test/echo", strings.NewReader(want))
	} else {
		req, _ = http.NewRequestWithContext(ctx, "GET", "http://api.test/?"+want[:min(len(want), 500)], nil)
		want = req.URL.RawQuery
	}
	switch rnd.IntN(10) {
	case 0:
		go cancel()
	case 1:
		req.Header.Set("Expect", "100-continue")
	case 2:
		req.Close = true
	}
	resp, err := tr.RoundTrip(req)
	if err != nil {
		return false, nil
	}
	defer resp.Body.Close()
	if rnd.IntN(10) == 0 {
		return false, nil // close unread
	}
	got, err := io.ReadAll(resp.Body)
	if err == nil && string(got) != want {
		return false, fmt.Errorf("request %d: got %d bytes of another answer", i, len(got))
	}
	return err == nil, nil
}

// restarting is a server that comes and goes.
type restarting struct {
	t    *testing.T
	mu   sync.Mutex
	addr string
	srv  *http.Server
	open sync.WaitGroup // dials in flight, and connections
}

func (s *restarting) start() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	srv := &http.Server{ErrorLog: quiet, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "POST" {
			echo(w, r)
		} else {
			io.WriteString(w, r.URL.RawQuery)
		}
	})}
	go srv.Serve(l)
	s.mu.Lock()
	s.addr, s.srv = l.Addr().String(), srv
	s.mu.Unlock()
}

func (s *restarting) stop() { s.srv.Close() }

func (s *restarting) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	s.mu.Lock()
	addr := s.addr
	s.mu.Unlock()
	s.open.Add(1)
	var d net.Dialer
	c, err := d.DialContext(ctx, network, addr)
	if err != nil {
		s.open.Done()
	}
	return c, err
}
