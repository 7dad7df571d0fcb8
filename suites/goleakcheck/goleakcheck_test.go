package goleakcheck_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/pool"
	"github.com/halfopen/halfopen/suites/goleakcheck"
)

// keeper keeps the error of goleak's instead of failing.
type keeper struct{ text string }

func (k *keeper) Error(args ...any) { k.text += fmt.Sprint(args...) }

// Over real connections: what is idle in a pool is not leaked, and what is in use
// is, whatever the transport.
func TestVerifyNone(t *testing.T) {
	mine := goleak.IgnoreCurrent()
	for _, tt := range []struct {
		name  string
		http2 bool
		pool  interface {
			http.RoundTripper
			CloseIdleConnections()
		}
	}{
		{"net/http", false, new(http.Transport)},
		{"net/http h2", true, new(http.Transport)},
		{"pool", false, new(pool.Transport)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if io.WriteString(w, "ok"); r.URL.Path == "/open" {
					http.NewResponseController(w).Flush()
					<-r.Context().Done()
				}
			}))
			rt := tt.pool
			if srv.EnableHTTP2 = tt.http2; tt.http2 {
				srv.StartTLS()
				rt = srv.Client().Transport.(*http.Transport)
			} else {
				srv.Start()
			}
			client := &http.Client{Transport: rt}
			get := func(path string) *http.Response {
				resp, err := client.Get(srv.URL + path)
				if err != nil {
					t.Fatal(err)
				}
				return resp
			}
			resp := get("/")
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()

			leaked := get("/open") // and its body is not closed
			var k keeper
			goleakcheck.VerifyNone(&k, goleakcheck.Pooled{client}, mine)
			want := "1 connection in use after the idle ones were closed: a response body was never closed, or its request goes on\n"
			if !strings.HasPrefix(k.text, want) {
				t.Errorf("got %q, want it to begin with %q", k.text, want)
			}
			leaked.Body.Close()
			srv.Close()
			goleakcheck.VerifyNone(t, goleakcheck.Pooled{client}, mine)
		})
	}
}

// In a bubble its own goroutines are no leak, and no time passes; one that the test
// left is found.
func TestVerifyNoneInBubble(t *testing.T) {
	mine := goleak.IgnoreCurrent()
	for _, leaks := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			start, stop := time.Now(), make(chan bool)
			defer close(stop)
			if leaks {
				go func() { <-stop }()
			}
			var k keeper
			goleakcheck.VerifyNone(&k, nil, mine)
			if leaked := strings.Contains(k.text, "found unexpected goroutines"); leaked != leaks {
				t.Errorf("got %q", k.text)
			}
			if passed := time.Since(start); !leaks && passed > 0 {
				t.Errorf("got %s passed", passed)
			}
		})
	}
}

// tests is the tests of a package.
type tests func() int

func (f tests) Run() int { return f() }

// What an undecided run leaves is not taken for a leak of the tests, and what else
// they leave is.
func TestVerifyTestMain(t *testing.T) {
	const env = "HALFOPEN_TEST_LEAVES"
	if leaves := os.Getenv(env); leaves != "" {
		goleakcheck.VerifyTestMain(tests(func() int {
			r := harness.TestReport("locked", func(t *harness.T) {
				var mu sync.Mutex
				mu.Lock()
				go func() {
					time.Sleep(time.Second) // virtual, and it never comes
					mu.Unlock()
				}()
				mu.Lock()
			})
			if !r.Undecided() {
				return 3
			}
			if leaves == "more" {
				go func() { select {} }()
			}
			return 0
		}), goleak.IgnoreAnyFunction("testing.tRunner"))
	}
	for _, tt := range []struct {
		leaves string
		code   int
		prints string
	}{{"frozen", 0, ""}, {"more", 1, "goleak: found unexpected goroutines:"}} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestVerifyTestMain$")
		cmd.Env = append(os.Environ(), env+"="+tt.leaves)
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != tt.code || !strings.HasPrefix(string(out), tt.prints) || strings.Contains(string(out), "sync.Mutex.Lock") {
			t.Errorf("%s: got %v\n%s", tt.leaves, err, out)
		}
	}
}
