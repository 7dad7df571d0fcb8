package pool

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/halfopen/halfopen/faultnet"
)

var (
	stressRequests = flag.Int("stress.requests", 2000, "requests of TestStress")
	stressSeed     = flag.Uint64("stress.seed", 1, "seed of TestStress")
)

// Many clients, a server that is restarted, requests called off at random: no
// answer is wrong, nothing is left, and the books agree with the server's. A
// last tenth of the requests is left in peace, so that the books can be
// compared to the request.
func TestStress(t *testing.T) {
	t.Logf("-stress.requests=%d -stress.seed=%d", *stressRequests, *stressSeed)
	synctest.Test(t, stress)
}

func stress(t *testing.T) {
	s := &restarting{}
	s.start()
	var served atomic.Int64 // requests that closed connections were given to
	tr := &Transport{
		MaxConnsPerHost: 16, MaxIdleConnsPerHost: 8, DialContext: s.dial,
		OnClose: func(e Entry, _ Cause) { served.Add(int64(e.Served)) },
	}
	peace := *stressRequests / 10
	answered := stressAll(t, *stressRequests-peace, func(i int) (bool, error) {
		if i%500 == 499 {
			s.restart()
		}
		return stressOne(tr, i, true)
	})
	tr.CloseIdleConnections()
	synctest.Wait() // each connection that was dialed has been closed
	handled, given := s.handled.Load(), served.Load()
	if handled < answered || handled > given {
		t.Errorf("requests: got %d at the server, want from %d that were answered to %d that had a connection", handled, answered, given)
	}
	st := tr.Stats()
	t.Logf("with trouble: %d answered, %d at the server, %d retries; closed: %s", answered, handled, st.Retries, st.Closed)

	calm := stressAll(t, peace, func(i int) (bool, error) { return stressOne(tr, i, false) })
	tr.CloseIdleConnections()
	synctest.Wait()
	if got, had := s.handled.Load()-handled, served.Load()-given; calm != int64(peace) || got != calm || had != calm {
		t.Errorf("left in peace, of %d requests: got %d answered, %d at the server, %d given a connection", peace, calm, got, had)
	}
	s.stop()
	time.Sleep(time.Second) // virtual: net/http's server waits for half of that before it closes a connection

	st = tr.Stats()
	t.Logf("%d requests: %d connections, %d reuses, %d waits in line", *stressRequests, st.Dials, st.Reuses, st.Waits)
	var closed uint64
	for _, n := range st.Closed {
		closed += n
	}
	if accepted := s.accepted.Load(); st.Dials != accepted || closed != accepted || st.DialErrors != 0 {
		t.Errorf("connections: got %d dialed, %d failed, %d closed, want the %d that the server accepted", st.Dials, st.DialErrors, closed, accepted)
	}
	if st.Active+st.Idle+st.Dialing+st.Waiting != 0 {
		t.Errorf("at the end: got\n%s%s", st, tr.Ledger())
	}
}

// stressAll has 64 clients carry out n requests, and counts the answers.
func stressAll(t *testing.T, n int, one func(i int) (bool, error)) (answered int64) {
	var wg sync.WaitGroup
	var count atomic.Int64
	work := make(chan int)
	for range 64 {
		wg.Go(func() {
			for i := range work {
				ok, err := one(i)
				if err != nil {
					t.Error(err)
				}
				if ok {
					count.Add(1)
				}
			}
		})
	}
	for i := range n {
		work <- i
	}
	close(work)
	wg.Wait()
	return count.Load()
}

// stressOne sends one request and checks its answer, if it gets one.
// What it does is drawn from the seed and its number. In peace an error is
// wrong too.
func stressOne(tr *Transport, i int, trouble bool) (ok bool, wrong error) {
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
		if trouble {
			req = cancelAt(rnd.IntN(6), req, cancel)
		}
	case 1:
		req.Header.Set("Expect", "100-continue")
	case 2:
		req.Close = true
	}
	resp, err := tr.RoundTrip(req)
	if err != nil && trouble {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("request %d: %w", i, err)
	}
	defer resp.Body.Close()
	if trouble && rnd.IntN(10) == 0 {
		return true, nil // close unread
	}
	got, err := io.ReadAll(resp.Body)
	if err == nil && string(got) != want {
		return false, fmt.Errorf("request %d: got %d bytes of another answer", i, len(got))
	}
	return err == nil, nil
}

// cancelAt has a request called off in one of its stages.
func cancelAt(stage int, req *http.Request, cancel func()) *http.Request {
	trace := &httptrace.ClientTrace{}
	switch stage {
	case 0:
		go cancel() // some time
	case 1:
		trace.GetConn = func(string) { cancel() }
	case 2:
		trace.GotConn = func(httptrace.GotConnInfo) { cancel() }
	case 3:
		trace.WroteHeaders = cancel
	case 4:
		trace.WroteRequest = func(httptrace.WroteRequestInfo) { cancel() }
	case 5:
		trace.GotFirstResponseByte = cancel
	}
	return req.WithContext(httptrace.WithClientTrace(req.Context(), trace))
}

// restarting is a server in memory that comes and goes, and keeps books of its own.
type restarting struct {
	net      faultnet.Net
	accepted atomic.Uint64
	handled  atomic.Int64

	mu      sync.RWMutex // held for reading while dialing
	srv     *http.Server
	backlog sync.WaitGroup // connections that the kernel has accepted and the server has not
}

func (s *restarting) start() {
	l, err := s.net.Listen("tcp", "api.test:80")
	if err != nil {
		panic(err)
	}
	s.srv = &http.Server{ErrorLog: quiet, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.handled.Add(1)
		if r.Method == "POST" {
			echo(w, r)
		} else {
			io.WriteString(w, r.URL.RawQuery)
		}
	}), ConnState: func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.accepted.Add(1)
			s.backlog.Done()
		}
	}}
	go s.srv.Serve(l)
}

// restart lets the server go down with everything that it has accepted. What is
// in its backlog it accepts first, or it would not know of it.
func (s *restarting) restart() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stop()
	s.start()
}

func (s *restarting) stop() {
	s.backlog.Wait()
	s.srv.Close()
}

// dial ignores the cancellation of ctx: the books could not tell whether the server
// has seen a connection whose dial was cancelled.
func (s *restarting) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	s.backlog.Add(1)
	c, err := s.net.DialContext(context.WithoutCancel(ctx), network, addr)
	if err != nil {
		s.backlog.Done()
	}
	return c, err
}
