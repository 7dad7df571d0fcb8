package harness_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/harness"
)

// Requests for example.com go to the server of the client, and a pool has other
// connections for that name than for the address: none of them is accused.
func TestNewServerExampleCom(t *testing.T) {
	eachBridge(t, hello, func(t *harness.T, srv *httptest.Server) {
		scheme, _, _ := strings.Cut(srv.URL, ":")
		for _, url := range []string{srv.URL, scheme + "://example.com/", scheme + "://www.example.com/", scheme + "://example.com/", srv.URL} {
			if got := read(srv.Client().Get(url)); !strings.HasPrefix(got, "hello ") {
				t.Errorf("%s: got %q", url, got)
			}
		}
		t.Net.WantConns(3)
	})
}

// The client and another transport have pools of their own: neither waits for a
// connection of the other.
func TestNewServerOtherPool(t *testing.T) {
	eachBridge(t, hello, func(t *harness.T, srv *httptest.Server) {
		tr := t.Net.Transport()
		tr.TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
		read((&http.Client{Transport: tr}).Get(srv.URL)) // which nothing watches
		read(srv.Client().Get(srv.URL))
		read(t.Client(tr).Get(srv.URL))
		t.Net.WantConns(2)
	})
}

// Each pool has its own limit, and its own line in front of it.
func TestNewServerLimits(t *testing.T) {
	for _, tt := range []struct {
		name          string
		other, client int // the limits of another transport and of the client
		want          string
		body          func(t *harness.T, url string, other, client *http.Transport)
	}{
		{"other", 1, 0, "", func(t *harness.T, url string, other, client *http.Transport) {
			r1 := t.Get("r1", other, url+"/hang")
			r2 := t.Get("r2", other, url)
			r3 := t.Get("r3", client, url+"/hang")
			t.Get("r4", client, url).Finish()
			t.Get("r5", client, url).Finish() // while r2 waits
			r1.Cancel()
			r3.Cancel()
			r2.Finish()
		}},
		{"client", 0, 1, "", func(t *harness.T, url string, other, client *http.Transport) {
			r1 := t.Get("r1", other, url+"/hang")
			t.Get("r2", client, url).Finish()
			t.Get("r3", other, url).Finish()
			r1.Cancel()
		}},
		{"exceeded", 0, 1, "127.0.0.1:1001: more connections and dials than the limit, which is 1", func(t *harness.T, url string, other, client *http.Transport) {
			t.Get("r1", client, url).Finish()
			c, _ := client.DialContext(t.Context(), "tcp", "127.0.0.1:1001")
			t.Settle()
			c.Close()
		}},
	} {
		r := harness.TestReport("x", func(t *harness.T) {
			srv := t.NewServer(http.HandlerFunc(harness.Pages))
			other, client := t.Net.Transport(), srv.Client().Transport.(*http.Transport)
			other.MaxConnsPerHost, client.MaxConnsPerHost = tt.other, tt.client
			tt.body(t, srv.URL, other, client)
		})
		if r.Failed() != (tt.want != "") || !strings.Contains(r.String(), tt.want) {
			t.Errorf("%s: got:\n%s\nwant: %s", tt.name, r, tt.want)
		}
	}
}

// A request of the client that waits while a connection of its own is idle is
// accused as any other is.
func TestNewServerWaits(t *testing.T) {
	r := harness.TestReport("x", func(t *harness.T) {
		srv := t.NewServer(http.HandlerFunc(hello))
		read(srv.Client().Get(srv.URL))
		never := &httptrace.ClientTrace{GetConn: func(string) { <-t.Context().Done() }}
		req, _ := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), never), "GET", srv.URL, nil)
		t.Start("r1", srv.Client().Transport, req)
	})
	if want := "r1: waits while c1 to 127.0.0.1:1001 is idle"; !strings.Contains(r.String(), want) {
		t.Errorf("got:\n%s\nwant it to contain %q", r, want)
	}
}
