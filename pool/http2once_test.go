package pool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Without keep-alives each HTTP/2 connection serves one request, also where many
// wait in line for the next: none of them is given a connection that is spent, and
// is turned away by it.
func TestHTTP2NoKeepAlive(t *testing.T) {
	cert := certServer(t)
	const requests = 20
	for _, limit := range []int{0, 1, 3} {
		t.Run(fmt.Sprint("limit ", limit), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tr := h2Bubble(t, cert, nil, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.RemoteAddr) })
				tr.DisableKeepAlives, tr.MaxConnsPerHost = true, limit
				begin := time.Now()
				var peers sync.Map
				var wg sync.WaitGroup
				for range requests {
					wg.Go(func() {
						resp, from := fetch(t, tr, "https://api.test/")
						if _, again := peers.LoadOrStore(from, true); again || resp.ProtoMajor != 2 {
							t.Errorf("got %s on the connection of another request: %v; want HTTP/2 on one of its own", resp.Proto, again)
						}
					})
				}
				wg.Wait()
				synctest.Wait()
				if took := time.Since(begin); took != 0 {
					t.Errorf("took %v, want no time at all", took)
				}
				if st := tr.Stats(); st.Dials != requests || st.Retries+st.Reuses != 0 || st.Closed[HTTP2Closed] != requests {
					t.Errorf("got closed %s and\n%swant a connection for each of %d requests", st.Closed, st, requests)
				}
			})
		})
	}
}

// A request with Close is the last on its HTTP/2 connection: of the requests in
// line none is given that connection any more, and of those that had a stream of
// it already none waits before it is sent elsewhere.
func TestHTTP2CloseContended(t *testing.T) {
	cert := certServer(t)
	for _, limit := range []int{0, 1, 3} {
		for _, every := range []int{1, 2, 5} {
			t.Run(fmt.Sprint("limit ", limit, ", every ", every), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					tr := h2Bubble(t, cert, nil, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.RemoteAddr) })
					tr.MaxConnsPerHost = limit
					fetch(t, tr, "https://api.test/")
					begin := time.Now()
					var wg sync.WaitGroup
					for i := range 20 {
						wg.Go(func() {
							req, _ := http.NewRequest("GET", "https://api.test/", nil)
							req.Close = i%every == 0
							resp, err := tr.RoundTrip(req)
							if err != nil {
								t.Error(err)
								return
							}
							resp.Body.Close()
						})
					}
					wg.Wait()
					synctest.Wait()
					st := tr.Stats()
					if took := time.Since(begin); took != 0 || st.Closed[HTTP2Closed]+st.Closed[Finished] != uint64(20/every) {
						t.Errorf("took %v, closed %s and\n%swant no time at all, and one connection for each request with Close", took, st.Closed, st)
					}
				})
			})
		}
	}
}

// A request that has a stream, and finds that another one with Close was faster, is
// sent again at once, however often that happens to it.
func TestHTTP2CloseOvertakes(t *testing.T) {
	cert := certServer(t)
	synctest.Test(t, func(t *testing.T) {
		tr := h2Bubble(t, cert, nil, echo)
		fetch(t, tr, "https://api.test/")
		begin, got := time.Now(), 0
		trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) {
			if got++; got > 2*maxTurnedAway {
				return
			}
			req, _ := http.NewRequest("GET", "https://api.test/", nil)
			req.Close = true
			if resp, err := tr.RoundTrip(req); err != nil {
				t.Error(err)
			} else {
				resp.Body.Close()
			}
			synctest.Wait()
		}}
		req, _ := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), "GET", "https://api.test/", nil)
		resp, err := tr.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if took := time.Since(begin); took != 0 || got != 2*maxTurnedAway+1 {
			t.Errorf("got %d connections in %v, want %d at once", got, took, 2*maxTurnedAway+1)
		}
	})
}

// A connection whose last request was called off before it was sent is closed.
func TestHTTP2LastCalledOff(t *testing.T) {
	cert := certServer(t)
	for _, never := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			tr := h2Bubble(t, cert, nil, nil)
			tr.DisableKeepAlives = never
			ctx, cancel := context.WithCancel(t.Context())
			ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { cancel() }})
			req, _ := http.NewRequestWithContext(ctx, "GET", "https://api.test/", nil)
			req.Close = true
			if _, err := tr.RoundTrip(req); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want it cancelled", err)
			}
			synctest.Wait()
			want := Finished
			if never {
				want = NoKeepAlive
			}
			if st := tr.Stats(); st.Closed[want] != 1 || st.Idle+st.Active != 0 {
				t.Errorf("closed %s and\n%swant one: %s", st.Closed, st, want)
			}
		})
	}
}
