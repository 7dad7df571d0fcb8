package harness_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness"
)

// quote is the client of an SDK: a variable of its package, which has no place for a dialer.
var quote = &http.Client{}

// A program whose clients are variables of packages is tested as it is: for this one run
// http.DefaultTransport dials the network of the test.
func ExampleT_SetDefaultTransport() {
	r := harness.TestReport("sdk", func(t *harness.T) {
		t.SetDefaultTransport()
		t.Serve("api.test:80", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "42") }))
		resp, err := quote.Get("http://api.test/price")
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(io.LimitReader(resp.Body, 1))
		t.Logf("%s", b)
	})
	for _, f := range r.Failures {
		fmt.Println(f)
	}
	// Output:
	// call1: response body of GET http://api.test/price never closed  (default_transport_test.go:24)
	// c1 to api.test:80: still open after the idle connections were closed, opened for call1, last used by call1  (default_transport_test.go:24)
}

// A handler is served as httptest does, on the network of the test, and the program under test,
// which has only the server's URL, reaches it with http.DefaultClient.
func ExampleT_NewServer_defaultClient() {
	r := harness.TestReport("bridge", func(t *harness.T) {
		t.SetDefaultTransport()
		srv := t.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "42") }))
		defer srv.Close()
		t.Net.Fault("c1 server->client data", faultnet.Cut(0))
		_, err := http.Get(srv.URL)
		fmt.Println(err)
	})
	fmt.Print(r)
	// Output:
	// Get "http://127.0.0.1:1001": EOF
	// bridge: held
}

// The variable is replaced for one run, also in an exploration and when the body fails, by a
// transport of the same type and with the same settings. A Clone of it dials the network too.
func TestSetDefaultTransport(t *testing.T) {
	before := http.DefaultTransport
	var saw *http.Transport
	r := harness.TestReport("replaced", func(t *harness.T) {
		t.SetDefaultTransport()
		t.ServeTLS("api.test:443", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) }), nil)
		t.Serve("api.test:80", nil)
		saw = http.DefaultTransport.(*http.Transport)
		clone := &http.Client{Transport: saw.Clone()}
		t.Cleanup(clone.CloseIdleConnections)
		for url, client := range map[string]*http.Client{"http://api.test/": clone, "https://api.test/": http.DefaultClient} {
			resp, err := client.Get(url)
			if err != nil {
				t.Fatal(err)
			}
			b, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			if url[:5] == "https" && string(b) != "HTTP/2.0" {
				t.Errorf("got %s, want HTTP/2, which http.DefaultTransport speaks over TLS", b)
			}
		}
		t.Fatal("the end")
	})
	if len(r.Failures) != 1 || !strings.Contains(r.Failures[0].Text, "the end") {
		t.Errorf("got %s", r)
	}
	if http.DefaultTransport != before {
		t.Fatal("http.DefaultTransport was not put back")
	}
	now := before.(*http.Transport)
	type settings struct {
		a, b, c, d, e any
		f             bool
	}
	of := func(tr *http.Transport) settings {
		return settings{tr.MaxIdleConns, tr.IdleConnTimeout, tr.TLSHandshakeTimeout, tr.ExpectContinueTimeout, tr.MaxIdleConnsPerHost, tr.ForceAttemptHTTP2}
	}
	if of(saw) != of(now) {
		t.Errorf("got the settings %v, want those of http.DefaultTransport, %v", of(saw), of(now))
	}

	x, err := harness.ExploreReport("explored", harness.Bounds{Schedules: 50}, nil, func(t *harness.T) {
		t.SetDefaultTransport()
		t.Serve("api.test:80", nil)
		t.Get("r1", http.DefaultTransport, "http://api.test/").MayCancel()
		t.Get("r2", http.DefaultTransport, "http://api.test/")
	})
	if err != nil || len(x.Findings) > 0 || x.Schedules < 10 {
		t.Errorf("got %v, %v", x, err)
	}
	if http.DefaultTransport != before {
		t.Error("http.DefaultTransport was not put back behind an exploration")
	}
}

// A run that would share the variable with another one is refused: in a parallel test, and while
// it is replaced.
func TestSetDefaultTransportRefused(t *testing.T) {
	refused := func(t *testing.T, r *harness.Report, want string) {
		t.Helper()
		if len(r.Failures) != 1 || r.Failures[0].Kind != harness.KindUsage || !strings.Contains(r.Failures[0].Text, want) {
			t.Errorf("got %s, want a mistake of usage with %q", r, want)
		}
	}
	t.Run("parallel", func(t *testing.T) {
		t.Parallel()
		refused(t, harness.RunIn(t, "parallel", func(t *harness.T) { t.SetDefaultTransport() }), "is parallel (t.Parallel)")
	})
	t.Run("twice", func(t *testing.T) {
		before := http.DefaultTransport
		refused(t, harness.RunIn(t, "twice", func(t *harness.T) {
			t.SetDefaultTransport()
			t.SetDefaultTransport()
		}), "replaced already")
		if http.DefaultTransport != before {
			t.Error("http.DefaultTransport was not put back")
		}
		defer func() {
			if recover() == nil {
				t.Error("the test could become parallel, after it has replaced http.DefaultTransport")
			}
		}()
		t.Parallel()
	})
}

// A client whose TLS settings are its own still dials the network by http.DefaultTransport's
// Clone.
func TestSetDefaultTransportClone(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		t.SetDefaultTransport()
		t.ServeTLS("api.test:443", nil, nil)
		tr := http.DefaultTransport.(*http.Transport).Clone()
		tr.TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
		defer tr.CloseIdleConnections()
		resp, err := (&http.Client{Transport: tr}).Get("https://api.test/")
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	})
}
