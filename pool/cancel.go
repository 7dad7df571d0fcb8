package pool

import "net/http"

// CancelRequest calls off the request that was given to RoundTrip, by closing its
// connection. Call it only after RoundTrip has returned, while the response's body is
// read. It finds a request that waits for a connection or for its response too, but none
// that waits before it is sent again, and none on an HTTP/2 connection.
//
// Deprecated: use a request with a context that can be cancelled.
func (t *Transport) CancelRequest(req *http.Request) {
	now := t.clock().Now()
	var waiting []*want
	var holding []*persistConn
	t.mu.Lock()
	for _, h := range t.hosts { // in any order: connections are sorted below
		for w := range h.waiting.all {
			if w.attempt.caller == req {
				waiting = append(waiting, w)
			}
		}
		for pc := range h.conns.all {
			if a := pc.holder; a != nil && a.caller == req {
				a.canceled.Store(true)
				holding = append(holding, pc)
			}
		}
	}
	for _, w := range waiting {
		t.tryDeliver(w, nil, errCanceledInLine, now)
	}
	t.mu.Unlock()

	sortByID(holding, func(pc *persistConn) uint64 { return pc.id })
	for _, pc := range holding {
		pc.cancelHolder(req)
	}
}

// cancelHolder closes pc if it belongs to req, or to a request that has not begun.
func (pc *persistConn) cancelHolder(req *http.Request) {
	pc.mu.Lock()
	ex := pc.cur
	pc.mu.Unlock()
	switch {
	case ex == nil:
		pc.close(Canceled, errCanceled)
	case ex.attempt.caller == req:
		why := legacyCause(ex.ctx)
		if !pc.cancel(ex, why, false) {
			pc.cancel(ex, why, true)
		}
	}
}
