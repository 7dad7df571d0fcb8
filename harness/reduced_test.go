package harness_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness"
)

// gets is n requests at once with a transport of net/http.
func gets(n int, change ...func(t *harness.T, tr *http.Transport, r []*harness.Request)) func(*harness.T) {
	return func(t *harness.T) {
		tr := t.Net.Transport()
		t.Serve("api.test:80", nil)
		var requests []*harness.Request
		for i := range n {
			requests = append(requests, t.Get(fmt.Sprint("r", i+1), tr, "http://api.test/"))
		}
		for _, f := range change {
			f(t, tr, requests)
		}
	}
}

func firstMayCancel(t *harness.T, tr *http.Transport, r []*harness.Request) { r[0].MayCancel() }

func idleMayClose(t *harness.T, tr *http.Transport, r []*harness.Request) { t.MayCloseIdle(tr) }

func limitTo(n int) func(*harness.T, *http.Transport, []*harness.Request) {
	return func(t *harness.T, tr *http.Transport, r []*harness.Request) { tr.MaxConnsPerHost = n }
}

// paths is requests for these paths at once, and one for "/" behind them.
func paths(list ...string) func(*harness.T) {
	return func(t *harness.T) {
		tr := t.Net.Transport()
		t.Serve("api.test:80", nil)
		t.Serve("other.test:80", nil)
		var all []*harness.Request
		for i, p := range list {
			r := t.Get(fmt.Sprint("r", i+1), tr, "http://"+p)
			all = append(all, r.MayCancel())
		}
		for _, r := range all {
			r.Await()
		}
		t.Get("last", tr, "http://api.test/")
	}
}

// pipeline is a client that sends each request at once, on one connection.
type pipeline struct {
	dial func(ctx context.Context, network, addr string) (net.Conn, error)

	mu      sync.Mutex
	conn    net.Conn
	waiting []chan error
	answers []*http.Response
}

func (p *pipeline) RoundTrip(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	if p.conn == nil {
		p.mu.Unlock()
		c, err := p.dial(context.Background(), "tcp", r.URL.Host+":80")
		if err != nil {
			return nil, err
		}
		p.mu.Lock()
		if p.conn == nil {
			p.conn = c
			go p.read(c)
		} else {
			c.Close()
		}
	}
	done := make(chan error, 1)
	i := len(p.waiting)
	p.waiting, p.answers = append(p.waiting, done), append(p.answers, nil)
	err := r.Write(p.conn)
	p.mu.Unlock()
	if err == nil {
		err = <-done
	}
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.answers[i], nil
}

// read reads the answers, each whole.
func (p *pipeline) read(c net.Conn) {
	b := bufio.NewReader(c)
	var err error
	for i := 0; ; i++ {
		var answer *http.Response
		var body []byte
		if answer, err = http.ReadResponse(b, nil); err == nil {
			body, err = io.ReadAll(answer.Body)
		}
		p.mu.Lock()
		if err != nil {
			for _, done := range p.waiting[i:] {
				done <- err
			}
			p.mu.Unlock()
			return
		}
		answer.Body = io.NopCloser(bytes.NewReader(body))
		p.answers[i] = answer
		p.waiting[i] <- nil
		p.mu.Unlock()
	}
}

func (p *pipeline) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conn != nil {
		p.conn.Close()
	}
}

// behindFirst returns a program that sends two requests at once, and does something when the first has ended.
func behindFirst(then func(t *harness.T, tr *http.Transport, r2 *harness.Request)) func(*harness.T) {
	return func(t *harness.T) {
		tr := t.Net.Transport()
		t.Serve("api.test:80", nil)
		r1 := t.Get("r1", tr, "http://api.test/")
		r2 := t.Get("r2", tr, "http://api.test/").MayCancel()
		r1.Await()
		then(t, tr, r2)
	}
}

// doubled is a client that sends each request on two connections, and takes the answer that comes first.
type doubled struct{ t *harness.T }

func (c doubled) RoundTrip(r *http.Request) (*http.Response, error) {
	type answer struct {
		*http.Response
		error
	}
	answers := make(chan answer, 2)
	var conns [2]net.Conn
	for i := range conns {
		var err error
		if conns[i], err = c.t.Net.DialContext(r.Context(), "tcp", "api.test:80"); err != nil {
			return nil, err
		}
		defer conns[i].Close()
		defer context.AfterFunc(r.Context(), func() { conns[i].Close() })()
		go func() {
			r.Clone(r.Context()).Write(conns[i])
			resp, err := http.ReadResponse(bufio.NewReader(conns[i]), r)
			if err == nil {
				resp.Body = http.NoBody
			}
			answers <- answer{resp, err}
		}()
	}
	a := <-answers
	if why := r.Context().Err(); why != nil && a.error != nil {
		return nil, why // both fail then, and which does first is chance under the race detector
	}
	return a.Response, a.error
}

// lookingScenarios is programs to which the order shows in which requests reach servers.
func lookingScenarios() map[string]func(*harness.T) {
	return map[string]func(*harness.T){
		"a fact in the middle": behindFirst(func(t *harness.T, _ *http.Transport, r2 *harness.Request) { t.Outcome("sent %d times", r2.Sent()) }),
		"a want in the middle": behindFirst(func(t *harness.T, _ *http.Transport, r2 *harness.Request) { r2.WantSent(0) }),
		"a rule in the middle": behindFirst(func(t *harness.T, _ *http.Transport, _ *harness.Request) {
			t.Net.Fault("data c2 client->server", faultnet.Reset)
		}),
		"a server that is killed in the middle": behindFirst(func(t *harness.T, _ *http.Transport, _ *harness.Request) { t.Net.Kill("api.test:80") }),
		"a server that restarts in the middle": behindFirst(func(t *harness.T, tr *http.Transport, _ *harness.Request) {
			t.Net.Kill("api.test:80")
			t.Net.Restart("api.test")
			t.Get("r3", tr, "http://api.test/")
		}),
		"a goroutine that closes a server": func(t *harness.T) {
			tr := t.Net.Transport()
			s := t.Serve("api.test:80", nil)
			r1 := t.Get("r1", tr, "http://api.test/")
			t.Post("r2", tr, "http://api.test/", "one").MayCancel()
			go func() {
				r1.Await()
				s.Close()
			}()
		},
		"a check at each quiet point": gets(2, func(t *harness.T, _ *http.Transport, _ []*harness.Request) {
			t.AtQuiet(func() {
				if c := t.Net.Conns(); len(c) == 2 && c[1].Peer().Arrived() > 0 && c[0].Peer().Arrived() == 0 {
					t.Error("c2 first")
				}
			})
		}),
		"a client that sends each request twice": func(t *harness.T) {
			t.Serve("api.test:80", nil)
			t.Get("r1", doubled{t}, "http://api.test/").MayCancel()
		},
	}
}

// reducedScenarios is programs with servers of Pages.
func reducedScenarios() map[string]func(*harness.T) {
	all := map[string]func(*harness.T){
		"three":                          gets(3),
		"three, one may be cancelled":    gets(3, firstMayCancel),
		"three at a limit of one":        gets(3, limitTo(1), firstMayCancel),
		"three at a limit of two":        gets(3, limitTo(2), firstMayCancel),
		"two, idle may be closed":        gets(2, firstMayCancel, idleMayClose),
		"two at a limit, idle may close": gets(2, limitTo(1), firstMayCancel, idleMayClose),
		"no keep-alives":                 gets(2, firstMayCancel, func(t *harness.T, tr *http.Transport, r []*harness.Request) { tr.DisableKeepAlives = true }),
		"a response header in time":      gets(2, func(t *harness.T, tr *http.Transport, r []*harness.Request) { tr.ResponseHeaderTimeout = time.Second }),
		"two hosts":                      paths("api.test/", "other.test/"),
		"a server that closes":           paths("api.test/close", "api.test/"),
		"a server that hangs":            paths("api.test/hang", "api.test/"),
		"more than a window":             paths("api.test/bytes/100000", "api.test/"),
		"no body":                        paths("api.test/status/204", "api.test/status/304"),
		"an answer that is no HTTP":      paths("api.test/answer/garbage", "api.test/"),
		"time may pass": func(t *harness.T) {
			gets(2)(t)
			t.MayPass(time.Second)
		},
		"a body is never closed": func(t *harness.T) {
			tr := t.Net.Transport()
			t.Serve("api.test:80", nil)
			t.Get("r1", tr, "http://api.test/bytes/10").Forget()
			t.Get("r2", tr, "http://api.test/").MayCancel()
		},
		"posts": func(t *harness.T) {
			tr := t.Net.Transport()
			t.Serve("api.test:80", nil)
			t.Post("r1", tr, "http://api.test/echo", "one").MayCancel()
			t.Post("r2", tr, "http://api.test/echo", strings.Repeat("x", 100_000))
		},
		"the limit of the small transport": func(t *harness.T) { threeAtLimit(t, newMini(t, "", 1)) },
		"TLS": func(t *harness.T) {
			tr := t.Net.Transport()
			t.ServeTLSAs("example.com:443")
			tr.TLSClientConfig.RootCAs = harness.TrustedRoots()
			t.Get("r1", tr, "https://example.com/").MayCancel()
			t.Get("r2", tr, "https://example.com/")
		},
		"h2c": h2c,
		"a client that pipelines": func(t *harness.T) {
			t.Serve("api.test:80", nil)
			tr := &pipeline{dial: t.Net.DialContext}
			t.Get("r1", tr, "http://api.test/")
			t.Get("r2", tr, "http://api.test/bytes/10")
			t.Get("r3", tr, "http://api.test/echo")
			t.Rest()
			tr.close()
		},
		"one at a time":   func(t *harness.T) { fourPosts(t, newMini(t, "", 0)) },
		"three, then two": func(t *harness.T) { threeFree(t, newMini(t, "", 0)) },
	}
	maps.Copy(all, lookingScenarios())
	for _, d := range defects {
		if d.bug == "idle conn used twice" || d.bug == "put back twice" {
			continue // two goroutines read from one connection: chance decides which of them gets an answer
		}
		all["defect: "+d.bug] = func(t *harness.T) { d.scenario(t, newMini(t, d.bug, d.limit)) }
	}
	return all
}

// Equal schedules are left out, and nothing else: with them, by brute force, the outcomes
// and the failures are the same, within the same bounds.
func TestReduced(t *testing.T) {
	t.Parallel()
	all, few, compared := 0, 0, 0
	scenarios := reducedScenarios()
	for _, name := range slices.Sorted(maps.Keys(scenarios)) {
		for _, b := range []harness.Bounds{{Delays: 1, Faults: harness.None}, {Delays: harness.None, Faults: 1}, {Delays: 1, Faults: 1, Gates: []string{}}} {
			b.Strategy, b.Schedules, b.KeepGoing, b.AsFound, b.Effects = "exhaustive", 400, true, true, []string{"refuse", "reset"}
			whole, reduced := exploreWhole(t, name, b, scenarios[name])
			if whole == nil {
				continue
			}
			compared++
			all, few = all+whole.Schedules, few+reduced.Schedules
			if got, want := slices.Sorted(maps.Keys(reduced.Outcomes)), slices.Sorted(maps.Keys(whole.Outcomes)); !slices.Equal(got, want) {
				t.Errorf("%s, %+v: got outcomes\n%s\nwant\n%s", name, b, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			if got, want := harness.Accounts(reduced), harness.Accounts(whole); !slices.Equal(got, want) {
				t.Errorf("%s, %+v: got the failures %q, want %q", name, b, got, want)
			}
		}
	}
	t.Logf("%d schedules of %d, in %d explorations", few, all, compared)
	if 10*few > 7*all || compared < 60 {
		t.Errorf("got %d schedules of %d in %d explorations, want at most seven in ten, in at least 60", few, all, compared)
	}
}

// exploreWhole explores with all schedules, and without those that are equal to others. It
// returns nil if there are too many.
func exploreWhole(t *testing.T, name string, b harness.Bounds, body func(*harness.T)) (whole, reduced *harness.Exploration) {
	t.Helper()
	explore := func(b harness.Bounds) *harness.Exploration {
		x, err := harness.ExploreReport(name, b, nil, body)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return x
	}
	if whole = explore(harness.WholeOf(b)); !whole.Complete {
		return nil, nil
	}
	if reduced = explore(b); !reduced.Complete || reduced.Schedules > whole.Schedules {
		t.Errorf("%s, %+v: got %s, want at most %d schedules", name, b, reduced, whole.Schedules)
	}
	return whole, reduced
}
