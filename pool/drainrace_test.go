package pool_test

import (
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/pool"
)

// Response and request are the caller's from Close on: the trailer that a drain
// finds is dropped, and the request is not read again.
func TestDrainTouchesNothing(t *testing.T) {
	// On a network without a driver: the race detector sees it if the transport
	// touches them at the same time.
	synctest.Test(t, func(t *testing.T) {
		n := &faultnet.Net{}
		l, _ := n.Listen("tcp", api)
		tr := &pool.Transport{DialContext: n.DialContext}
		accepted := make(chan net.Conn, 1)
		go func() {
			c, _ := l.Accept()
			c.Read(make([]byte, 4096))
			io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Sum\r\n\r\n5\r\nhel")
			accepted <- c
		}()
		req, cancel := cancelable(request("GET", nil))
		resp, err := tr.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		server, announced := <-accepted, resp.Trailer
		resp.Body.Close()
		begun := make(chan bool)
		go func() {
			io.WriteString(server, "lo\r\n0\r\nSum: 5\r\nOther: 6\r\n\r\n")
			close(begun)
		}()
		cancel()
		announced["Mine"] = []string{"x"}
		resp.ContentLength, resp.Trailer["Sum"] = 7, nil
		*resp.Request = http.Request{}
		<-begun
		synctest.Wait()
		if len(announced) != 2 || announced["Sum"] != nil {
			t.Errorf("trailer: got %v, want it as the caller left it", announced)
		}
		if st := tr.Stats(); st.Idle != 1 {
			t.Errorf("after the rest: got\n%s, want it idle", st)
		}
		tr.CloseIdleConnections()
		server.Close()
		l.Close()
	})
	harness.Test(t, func(t *harness.T) {
		tr := scripted(t, &pool.Transport{})
		r1 := t.Get("r1", tr, url1)
		c1 := t.Net.WantDial().Open()
		c1.Send(headChunks + "5\r\nhello\r\n0\r\nOther: 6\r\n\r\n")
		r1.WantDone(nil)
		resp := r1.Response()
		io.Copy(io.Discard, resp.Body)
		if got := resp.Trailer.Get("Other"); got != "6" {
			t.Errorf("trailer of a body that was read: got %v, want it whole", resp.Trailer)
		}
	})
}

// Many callers close their bodies early at once, while the books are read and
// idle connections are closed; each is answered, and nothing is left.
func TestDrainStress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &faultnet.Net{}
		l, _ := n.Listen("tcp", api)
		srv := &http.Server{ErrorLog: log.New(io.Discard, "", 0), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, strings.Repeat("x", 5000))
			w.(http.Flusher).Flush()
			if r.URL.Path == "/late" {
				time.Sleep(time.Millisecond) // virtual
			}
			w.Write(make([]byte, 5000))
		})}
		go srv.Serve(l)
		defer srv.Close()
		tr := &pool.Transport{DialContext: n.DialContext, MaxConnsPerHost: 3, IdleConnTimeout: time.Minute}
		done := make(chan bool)
		for i := range 8 {
			go func() {
				defer func() { done <- true }()
				for j := range 20 {
					resp, err := (&http.Client{Transport: tr, Timeout: time.Minute}).Get("http://api.test/" + [...]string{"", "late"}[j%2])
					if err != nil {
						t.Error(err)
						return
					}
					io.CopyN(io.Discard, resp.Body, int64(i*1000))
					resp.Body.Close()
					if tr.Stats(); i == 0 && j%8 == 7 {
						tr.CloseIdleConnections()
					}
				}
			}()
		}
		for range 8 {
			<-done
		}
		time.Sleep(pool.DrainTime) // virtual
		tr.CloseIdleConnections()
		synctest.Wait()
		if st := tr.Stats(); st.Draining+st.Active+st.Idle+st.Dialing+st.Waiting != 0 || st.Reuses == 0 || st.Dials > 20 {
			t.Errorf("at the end: got\n%s, want nothing left, and connections that served again", st)
		}
	})
}
