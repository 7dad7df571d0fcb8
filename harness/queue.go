package harness

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
)

// Queue is a server that gives the answers that a test has enqueued, in order, and keeps the
// requests for the test to take. A request for which no answer is left fails the test, and so does
// an answer that no request has asked for when the body ends.
type Queue struct {
	t    *T
	addr string

	mu      sync.Mutex
	answers []http.HandlerFunc
	arrived []*http.Request // that were not taken
}

// ServeQueue runs an [net/http.Server] on addr ("host:port") that answers from a queue.
func (t *T) ServeQueue(addr string) *Queue {
	q := &Queue{t: t, addr: addr}
	t.Serve(addr, q)
	t.Cleanup(func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		if n := len(q.answers); n > 0 && !t.Failed() {
			t.Errorf("queue of %s: %s never asked for", addr, countOf(n, "answer"))
		}
	})
	return q
}

// Enqueue adds answers for the next requests, one for each.
func (q *Queue) Enqueue(answers ...http.HandlerFunc) {
	if slices.ContainsFunc(answers, func(h http.HandlerFunc) bool { return h == nil }) {
		q.t.fatal(KindUsage, "Enqueue: an answer is nil")
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.answers = append(q.answers, answers...)
}

// Take returns the request that has waited longest to be taken, with its whole body. It lets
// happen what may, and fails the test if no request has come.
func (q *Queue) Take() *http.Request {
	q.t.Settle()
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.arrived) == 0 {
		q.t.fatal(KindWant, fmt.Sprintf("queue of %s: got no request to take, want one", q.addr))
	}
	r := q.arrived[0]
	q.arrived = q.arrived[1:]
	return r
}

// ServeHTTP implements [net/http.Handler].
func (q *Queue) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client has gone before its request was whole
	}
	kept := r.Clone(q.t.ctx)
	kept.Body = io.NopCloser(bytes.NewReader(body))
	r.Body = io.NopCloser(bytes.NewReader(body))
	q.mu.Lock()
	q.arrived = append(q.arrived, kept)
	var answer http.HandlerFunc
	if len(q.answers) > 0 {
		answer, q.answers = q.answers[0], q.answers[1:]
	}
	q.mu.Unlock()
	if answer == nil {
		q.t.Errorf("queue of %s: no answer is left for %s %s", q.addr, r.Method, r.URL)
		http.Error(w, "halfopen: no answer is left", http.StatusInternalServerError)
		return
	}
	answer(w, r)
}
