package harness_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/halfopen/halfopen/harness"
)

var (
	fullOutside  = make(chan bool)
	groupOutside = func() *sync.WaitGroup { var g sync.WaitGroup; g.Add(1); return &g }()
	mutexOutside = func() *sync.Mutex { var mu sync.Mutex; mu.Lock(); return &mu }()
	condOutside  = func() *sync.Cond { return sync.NewCond(new(sync.Mutex)) }()
)

// keep keeps sockets and pipes, which would be closed if they were collected. A program that
// hangs may do so while the next one runs.
func keep(files ...any) {
	keeping.Lock()
	defer keeping.Unlock()
	kept = append(kept, files...)
}

var (
	keeping sync.Mutex
	kept    []any // guarded by keeping
)

// silentPort returns the address of a real socket that accepts and says nothing.
var silentPort = sync.OnceValue(func() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	keep(l)
	return l.Addr().String()
})

// waits is programs that wait for something outside their bubble.
var waits = []program{
	{does: "the body receives from outside", run: once(func(*harness.T) { <-neverOutside }), want: "outside: a goroutine waits for a channel that was made outside the bubble"},
	{does: "the body sends outside", run: once(func(*harness.T) { fullOutside <- true }), want: "outside: a goroutine waits for a channel"},
	{does: "a goroutine ranges over a channel from outside", run: once(func(*harness.T) {
		go func() {
			for range neverOutside {
			}
		}()
	}), want: "outside: a goroutine waits for a channel"},
	{does: "the body selects from outside", run: once(func(t *harness.T) {
		select {
		case <-neverOutside:
		case <-t.Context().Done():
		}
	}), want: "outside: a goroutine waits for a channel"},
	{does: "the body waits for a group from outside", run: once(func(*harness.T) { groupOutside.Wait() }), want: "outside: a goroutine waits for a sync.WaitGroup"},
	{does: "the body waits for a mutex from outside", run: once(func(*harness.T) { mutexOutside.Lock() }), want: "undecided: a goroutine waits for a mutex"},
	{does: "the body waits for a condition from outside", run: once(func(*harness.T) { condOutside.L.Lock(); condOutside.Wait() }), want: "stuck: nothing moved"},
	{does: "a real socket is dialed, and says nothing", run: once(func(t *harness.T) { http.Get("http://" + silentPort()) }), want: "outside: a goroutine waits for a real socket"},
	{does: "a real connection is read", run: once(func(t *harness.T) {
		if c, err := net.Dial("tcp", silentPort()); err == nil {
			keep(c)
			c.Read(make([]byte, 1))
		}
	}), want: "outside: a goroutine waits for a real socket"},
	{does: "a request goes to a real port where nothing listens", run: once(func(t *harness.T) {
		t.Get("r1", new(http.Transport), "http://127.0.0.1:1/").WantStatus(200)
	}), want: "r1 never dialed this network: does its transport have DialContext: t.Net.DialContext?"},
	{does: "a server of httptest is made in the body", run: once(func(t *harness.T) {
		s := httptest.NewServer(nil)
		if resp, err := s.Client().Get(s.URL); err == nil {
			resp.Body.Close()
		}
	}), want: "outside: a goroutine waits for a real socket"},
	{does: "a server of httptest is made in the body, and its client given", run: once(func(t *harness.T) {
		t.Get("r1", httptest.NewServer(nil).Client().Transport, apiURL)
	}), want: "this transport is that of an httptest.Server"},
	{does: "a real listener accepts", run: once(func(t *harness.T) {
		if l, err := net.Listen("tcp", "127.0.0.1:0"); err == nil {
			l.Accept()
		}
	}), want: "outside: a goroutine waits for a real socket"},
	{does: "a pipe of the system is read", run: once(func(t *harness.T) {
		if r, w, err := os.Pipe(); err == nil {
			keep(r, w)
			r.Read(make([]byte, 1))
		}
	}), want: "outside: a goroutine waits for a real socket, pipe or file"},
	{does: "a system call reads a pipe", run: once(func(t *harness.T) {
		var p [2]int
		if syscall.Pipe(p[:]) == nil {
			syscall.Read(p[0], make([]byte, 1))
		}
	}), want: "outside: a goroutine is in a system call that does not return"},
	{does: "a program is run that does not end", run: once(func(t *harness.T) {
		cmd := exec.Command("sleep", "20")
		t.Cleanup(func() { cmd.Process.Kill() })
		cmd.Run()
	}), want: "outside: a goroutine is in a system call that does not return"},
	{does: "a name is looked up", run: once(func(t *harness.T) {
		if _, err := net.LookupHost("localhost"); err != nil {
			t.Error(err)
		}
	}), want: "program: held\n"},
	{does: "the default client is used", run: once(func(t *harness.T) {
		t.Serve("127.0.0.1:1", nil)
		resp, err := http.Get("http://127.0.0.1:1/")
		if err == nil {
			resp.Body.Close()
		}
		t.Do(t.Context(), "a", func(context.Context) error { return err }).WantDone()
	}), want: "a never dialed this network"},
	{does: "an explored request waits outside", run: exploring(func(t *harness.T) {
		t.Get("r1", roundTripper(func(*http.Request) (*http.Response, error) { <-neverOutside; return nil, http.ErrNotSupported }), apiURL)
	}), want: "outside: a goroutine waits for a channel"},
	{does: "an explored request waits for a mutex", run: exploring(lockedAtGate), want: "undecided: "},
	{does: "a timer goes from one bubble to the next", run: func(*testing.T) string { return timersFromBefore().String() }, want: "program: held\n"},
}

// timersFromBefore has a timer of one bubble go to the next, in a pool of the package.
func timersFromBefore() (r *harness.Report) {
	var pool sync.Pool
	for _, name := range []string{"first", "program"} {
		r = harness.TestReport(name, func(*harness.T) {
			timer, _ := pool.Get().(*time.Timer)
			if timer == nil {
				timer = time.NewTimer(time.Hour)
			} else {
				timer.Reset(time.Hour)
			}
			timer.Stop()
			pool.Put(timer)
		})
	}
	return r
}
