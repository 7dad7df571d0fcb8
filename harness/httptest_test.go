package harness_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/halfopen/halfopen/harness"
)

// bridged is a server in each way to start one.
var bridged = []struct {
	name, url, proto string
	start            func(*harness.T, http.Handler) *httptest.Server
}{
	{"http", "http://127.0.0.1:1001", "HTTP/1.1", (*harness.T).NewServer},
	{"tls", "https://127.0.0.1:1001", "HTTP/1.1", (*harness.T).NewTLSServer},
	{"h2", "https://127.0.0.1:1001", "HTTP/2.0", func(t *harness.T, h http.Handler) *httptest.Server {
		srv := t.NewUnstartedServer(h)
		srv.EnableHTTP2 = true
		srv.StartTLS()
		return srv
	}},
}

// eachBridge runs body with each kind of server, twice: it must hold, with the
// same steps. TLS sends other bytes in other pieces, but the same events.
func eachBridge(t *testing.T, h http.HandlerFunc, body func(t *harness.T, srv *httptest.Server)) {
	t.Helper()
	for _, b := range bridged {
		t.Run(b.name, func(t *testing.T) {
			run := func() *harness.Report {
				return harness.TestReport("x", func(t *harness.T) { body(t, b.start(t, h)) })
			}
			r := run()
			if r.Failed() {
				t.Fatal(r)
			}
			if again := run(); again.Trace() != r.Trace() {
				t.Errorf("got:\n%s\nand then:\n%s", r.Trace(), again.Trace())
			}
		})
	}
}

func hello(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello "+r.Proto) }

// read returns the body of the answer, or the error in brackets.
func read(resp *http.Response, err error) string {
	if err != nil {
		return "(" + err.Error() + ")"
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return "(" + err.Error() + ")"
	}
	return string(b)
}

// The URL and the client of a server work on t.Net, and each request is one that
// the harness watches, on a connection that is used again.
func TestNewServer(t *testing.T) {
	for _, b := range bridged {
		t.Run(b.name, func(t *testing.T) {
			harness.Test(t, func(t *harness.T) {
				srv := b.start(t, http.HandlerFunc(hello))
				if srv.URL != b.url || srv.Listener.Addr().(*net.TCPAddr).Port != 1001 {
					t.Errorf("got %s on %s, want %s", srv.URL, srv.Listener.Addr(), b.url)
				}
				for range 2 {
					if got := read(srv.Client().Get(srv.URL + "/x")); got != "hello "+b.proto {
						t.Errorf("got %q, want %q", got, "hello "+b.proto)
					}
				}
				r1 := t.Get("r1", srv.Client().Transport, srv.URL)
				r1.WantBody("hello " + b.proto)
				// A client around the client is no second request.
				read(t.Client(srv.Client().Transport).Get(srv.URL))
				var names []string
				for i, r := range t.Requests() {
					names = append(names, r.Name())
					if r.Sent() != 1 || r.Reused() != (i > 0) {
						t.Errorf("%s: got it sent %d times, reused %v", r, r.Sent(), r.Reused())
					}
				}
				if got := strings.Join(names, " "); got != "call1 call2 r1 call3" {
					t.Errorf("got the requests %s", got)
				}
				t.Net.WantConns(1)
			})
		})
	}
}

// Several servers of a test have addresses of their own. Other transports on t.Net
// reach them, over TLS with their certificate.
func TestNewServerFromElsewhere(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		first := t.NewServer(http.HandlerFunc(hello))
		second := t.NewTLSServer(nil) // which is http.DefaultServeMux
		if second.URL != "https://127.0.0.1:1002" {
			t.Errorf("got %s for the second server", second.URL)
		}
		tr := t.Net.Transport()
		tr.TLSClientConfig = &tls.Config{RootCAs: x509.NewCertPool()}
		tr.TLSClientConfig.RootCAs.AddCert(second.Certificate())
		t.Get("r1", tr, first.URL).WantBody("hello HTTP/1.1")
		t.Get("r2", tr, second.URL).WantBody("404 page not found\n")
		r3 := t.Get("r3", first.Client().Transport, second.URL)
		if unknown := new(x509.UnknownAuthorityError); !errors.As(r3.Err(), unknown) {
			t.Errorf("got %v from a client that does not trust the server", r3.Err())
		}
	})
}

// The client is changed as that of httptest is: by the fields of its Transport,
// which is an *http.Transport, and by a Dial that goes first.
func TestNewServerClientSettings(t *testing.T) {
	for _, b := range bridged[:2] {
		harness.Test(t, func(t *harness.T) {
			srv := b.start(t, http.HandlerFunc(hello))
			tr := srv.Client().Transport.(*http.Transport)
			tr.DisableKeepAlives = true
			read(srv.Client().Get(srv.URL))
			read(srv.Client().Get(srv.URL))
			if n := t.Net.Dialed(); n != 2 {
				t.Errorf("%s: got %d dials without keep-alives, want 2", b.name, n)
			}
			refused := errors.New("not today")
			//lint:ignore SA1019 package httptest heeds it
			tr.Dial = func(string, string) (net.Conn, error) { return nil, refused }
			if _, err := srv.Client().Get(srv.URL); !errors.Is(err, refused) {
				t.Errorf("%s: got %v, want the error of Dial", b.name, err)
			}
		})
	}
}

// A body that is never closed is reported with the line that received it; over
// HTTP/1 it keeps its connection.
func TestNewServerLeak(t *testing.T) {
	for _, b := range bridged {
		r := harness.TestReport("x", func(t *harness.T) {
			srv := b.start(t, http.HandlerFunc(hello))
			srv.Client().Get(srv.URL + "/x") // the line
		})
		wants := []string{"call1: response body of GET " + b.url + "/x never closed  (httptest_test.go:"}
		if b.proto == "HTTP/1.1" {
			wants = append(wants, "c1 to 127.0.0.1:1001: still open after the idle connections were closed, "+
				"opened for call1, last used by call1  (httptest_test.go:")
		}
		for _, want := range wants {
			if !strings.Contains(r.String(), want) {
				t.Errorf("%s: got:\n%s\nwant it to contain %q", b.name, r, want)
			}
		}
	}
}

// A handler that panics ends its connection and fails the test. The log of the server
// is part of the steps, unless the test has a log of its own.
func TestNewServerPanic(t *testing.T) {
	mop := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { panic("mop") })
	for _, b := range bridged {
		r := harness.TestReport("x", func(t *harness.T) {
			srv := b.start(t, mop)
			if _, err := srv.Client().Get(srv.URL); err == nil {
				t.Errorf("got an answer")
			}
		})
		if len(r.Failures) != 1 || r.Failures[0].Text != "a handler: panic: mop" ||
			!strings.Contains(r.Trace(), "| server: http") || !strings.Contains(r.Trace(), ": mop\n") {
			t.Errorf("%s: got:\n%s%s", b.name, r, r.Trace())
		}
	}
	var text strings.Builder
	r := harness.TestReport("x", func(t *harness.T) {
		srv := t.NewUnstartedServer(mop)
		srv.Config.ErrorLog = log.New(&text, "", 0)
		srv.Start()
		srv.Client().Get(srv.URL)
	})
	if !strings.Contains(text.String(), "mop") || strings.Contains(r.Trace(), ": mop\n") {
		t.Errorf("got %q in the log of the test, and:\n%s", text.String(), r.Trace())
	}
}

// Close may be called in the body, more than once, and from a clean-up function.
// It waits for what is being handled; then nothing listens.
func TestNewServerClose(t *testing.T) {
	slow := func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(4 * time.Second) // virtual
		io.WriteString(w, "late")
	}
	eachBridge(t, slow, func(t *harness.T, srv *httptest.Server) {
		t.Cleanup(srv.Close)
		r1 := t.Get("r1", srv.Client().Transport, srv.URL)
		before := t.Clock.Now()
		srv.Close()
		srv.Close()
		if d := t.Clock.Since(before); d != 4*time.Second {
			t.Errorf("Close took %s, want 4s", d)
		}
		r1.Await()
		if !srv.EnableHTTP2 { // the server closes before it has flushed the last frame
			r1.WantBody("late")
		} else if r1.Response() != nil {
			r1.CloseBody()
		}
		if _, err := srv.Client().Get(srv.URL); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("got %v after Close, want %v", err, syscall.ECONNREFUSED)
		}
	})
}

// Close waits for ever for a handler that does not return, which is a run that is
// stuck and says where.
func TestNewServerCloseNeverReturns(t *testing.T) {
	log.SetOutput(io.Discard) // httptest's own word about it
	defer log.SetOutput(os.Stderr)
	r := harness.TestReport("x", func(t *harness.T) {
		srv := t.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
		t.Get("r1", srv.Client().Transport, srv.URL)
		srv.Close()
	})
	for _, want := range []string{"stuck: nothing moved for 24h0m0s", "httptest.(*Server).Close < harness_test.TestNewServerCloseNeverReturns"} {
		if !strings.Contains(r.String(), want) {
			t.Errorf("got:\n%s\nwant it to contain %q", r, want)
		}
	}
}

// CloseClientConnections closes what is idle; the next request dials.
func TestNewServerCloseClientConnections(t *testing.T) {
	eachBridge(t, hello, func(t *harness.T, srv *httptest.Server) {
		read(srv.Client().Get(srv.URL))
		srv.CloseClientConnections()
		t.Settle()
		read(srv.Client().Get(srv.URL))
		if n := t.Net.Dialed(); n != 2 {
			t.Errorf("got %d dials, want 2", n)
		}
	})
}

// What is configured before the start stays: the handler, the context of
// connections and the settings of the server.
func TestNewUnstartedServer(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		type key struct{}
		srv := t.NewUnstartedServer(nil)
		srv.Listener.Addr() // which is no start
		srv.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, key{}, c.RemoteAddr().String())
		}
		srv.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Context().Value(key{}) != r.RemoteAddr {
				t.Errorf("got %v from ConnContext, want %s", r.Context().Value(key{}), r.RemoteAddr)
			}
		})
		srv.Start()
		t.Net.KeepAlive("127.0.0.1:1001", time.Second)
		read(srv.Client().Get(srv.URL))
		t.Advance(time.Second)
		t.Net.WantConns(0, "the server keeps an idle connection for a second")
	})
}

// A server whose program is killed comes back with its host; one that was closed
// does not.
func TestNewServerRestart(t *testing.T) {
	eachBridge(t, hello, func(t *harness.T, srv *httptest.Server) {
		for range 2 {
			t.Net.Kill("127.0.0.1:1001")
			if _, err := srv.Client().Get(srv.URL); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("got %v while it was dead, want %v", err, syscall.ECONNREFUSED)
			}
			t.Net.Restart("127.0.0.1")
			if got := read(srv.Client().Get(srv.URL)); !strings.HasPrefix(got, "hello ") {
				t.Errorf("got %q after the restart", got)
			}
		}
		srv.Close()
		t.Net.Restart("127.0.0.1")
		if _, err := srv.Client().Get(srv.URL); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("got %v after Close, want %v", err, syscall.ECONNREFUSED)
		}
	})
}

// Every order of two requests of a server's client is tried, and a leak is found
// in each.
func TestNewServerExplored(t *testing.T) {
	for _, b := range bridged[:2] {
		t.Run(b.name, func(t *testing.T) {
			search := func(body func(*harness.T, *httptest.Server)) *harness.Exploration {
				x, err := harness.ExploreReport("x", harness.Bounds{Schedules: 200}, nil, func(t *harness.T) {
					srv := b.start(t, http.HandlerFunc(hello))
					t.Cleanup(srv.Close)
					body(t, srv)
				})
				if err != nil {
					t.Fatal(err)
				}
				return x
			}
			x := search(func(t *harness.T, srv *httptest.Server) {
				t.Get("r1", srv.Client().Transport, srv.URL).MayCancel()
				t.Get("r2", srv.Client().Transport, srv.URL)
			})
			if len(x.Findings) > 0 || x.Schedules < 50 {
				t.Errorf("got:\n%s", x)
			}
			x = search(func(t *harness.T, srv *httptest.Server) {
				t.Get("r1", srv.Client().Transport, srv.URL)
				srv.Client().Get(srv.URL)
			})
			if len(x.Findings) != 1 || !strings.Contains(x.String(), "call1: response body of GET "+b.url+" never closed") {
				t.Errorf("got:\n%s", x)
			}
		})
	}
}

// A test of httptest's, with one line changed: the body that was left open shows.
func ExampleT_NewServer() {
	r := harness.TestReport("ported", func(t *harness.T) {
		srv := t.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintln(w, "hello")
		}))
		defer srv.Close()
		resp, err := srv.Client().Get(srv.URL + "/page")
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Errorf("got %v and %v", resp, err)
		}
	})
	fmt.Println(r.Failures[0].Text)
	// Output:
	// call1: response body of GET http://127.0.0.1:1001/page never closed
}
