package pool

//lint:file-ignore SA1019 Request.Cancel is part of what net/http promises, deprecated or not.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// What an http.Client with a Timeout says is what it says over net/http, wherever the
// time ends, and each time. Over a transport that is not net/http's it ends the context
// and Request.Cancel at the same instant, and adds its own words only once it has done
// the second. (Over net/http it asks whether the deadline is past: not so in virtual
// time, in which it is exactly now. That is why the texts are written out here.)
func TestClientTimeoutText(t *testing.T) {
	const (
		headers = `Get "http://api.test/": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`
		body    = `context deadline exceeded (Client.Timeout or context cancellation while reading body)`
	)
	for where, want := range map[string]string{
		"dial": headers, "line": headers, "response": headers, "body": body,
		"HTTP/2 response": headers, "HTTP/2 body": body,
	} {
		t.Run(where, func(t *testing.T) {
			for i := range 60 {
				if got := timeoutText(t, where); got != want {
					t.Fatalf("time %d: got\n%s\nwant\n%s", i+1, got, want)
				}
			}
		})
	}
}

// timeoutText returns the error of a request whose Client.Timeout ends there.
func timeoutText(t *testing.T, where string) (text string) {
	synctest.Test(t, func(t *testing.T) {
		mem, l := memory("api.test:80")
		proto := new(http.Protocols)
		proto.SetHTTP1(!strings.HasPrefix(where, "HTTP/2"))
		proto.SetUnencryptedHTTP2(strings.HasPrefix(where, "HTTP/2"))
		release := make(chan struct{})
		srv := &http.Server{Protocols: proto, ErrorLog: quiet, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(where, "body") {
				io.WriteString(w, "some")
				w.(http.Flusher).Flush()
			}
			<-release
		})}
		go srv.Serve(l)
		tr := &Transport{MaxConnsPerHost: 1, Protocols: proto, DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if where == "dial" {
				<-release
				return nil, errRefused
			}
			return mem.DialContext(ctx, network, addr)
		}}
		client := &http.Client{Transport: tr, Timeout: time.Second}
		defer synctest.Wait()
		defer client.CloseIdleConnections()
		defer srv.Close()
		defer close(release)
		if where == "line" {
			first, _ := http.NewRequest("GET", "http://api.test/", nil)
			go tr.RoundTrip(first)
			synctest.Wait()
		}
		resp, err := client.Get("http://api.test/")
		if err == nil {
			_, err = io.ReadAll(resp.Body)
			resp.Body.Close()
		}
		var timeout net.Error
		if !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("got %v, want a timeout", err)
		}
		text = fmt.Sprint(err)
	})
	return text
}

// Of a deadline and Request.Cancel each may come without the other. A deadline that an
// http.Client has not set is its own error, a moment later.
func TestDeadlineWithoutCancel(t *testing.T) {
	mem, l := memory("api.test:80")
	defer l.Close()
	for _, first := range []string{"deadline", "Cancel"} {
		synctest.Test(t, func(t *testing.T) {
			tr := &Transport{DialContext: mem.DialContext}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			req, _ := http.NewRequestWithContext(ctx, "GET", "http://api.test/", nil)
			never := make(chan struct{})
			want, after := error(context.DeadlineExceeded), time.Minute+clientGrace
			if req.Cancel = never; first == "Cancel" {
				time.AfterFunc(time.Second, func() { close(never) })
				want, after = errCanceled, time.Second
			}
			begin := time.Now()
			_, err := tr.RoundTrip(req)
			if took := time.Since(begin); err != want || took != after {
				t.Errorf("%s: got %v after %v, want %v after %v", first, err, took, want, after)
			}
		})
	}
}
