package pool

// Stage 3: queueForIdleConn.
//
// An idle connection belongs to its host's list; its read loop watches it for
// the server's FIN. What takes it off the list, under Transport.mu, owns
// it: a request, the idle timer, a limit, or CloseIdleConnections.

import "time"

// queueForIdleConn takes the newest idle connection for an attempt, or returns nil.
// The newest is the least likely to have been given up by the server. It skips
// what is broken, and what is older than the idle timer would have allowed:
// that timer stands still while a laptop sleeps, so that the age is that by the
// wall clock. Transport.mu must be held.
func (t *Transport) queueForIdleConn(h *host, a *attempt, now time.Time) *persistConn {
	t.flushIdle = false
	if t.DisableKeepAlives {
		return nil
	}
	if pc := h.takeShared(a, now); pc != nil {
		return pc
	}
	for len(h.idle) > 0 {
		pc := h.idle[len(h.idle)-1]
		t.removeFromIdle(pc)
		if pc.broken.Load() {
			continue
		}
		if t.IdleConnTimeout > 0 && now.Round(0).Sub(pc.idleAt.Round(0)) > t.IdleConnTimeout {
			go pc.close(IdleTimeout, errIdleTimeout) // not here: closing is I/O
			continue
		}
		h.reuses++
		pc.hold(a, now, pc.idleAt)
		return pc
	}
	return nil
}

// enterIdle puts pc at the newest end of its host's list. It returns the
// connection that thereby exceeds MaxIdleConns, if there is one, for the caller
// to close. Transport.mu must be held.
func (t *Transport) enterIdle(pc *persistConn, now time.Time) (evicted *persistConn) {
	h := pc.host
	if pc.shared == nil {
		h.idle = append(h.idle, pc)
	}
	t.lru.push(&pc.lru, pc)
	pc.state, pc.idleAt, pc.since, pc.holder = Idle, now, now, nil
	if t.MaxIdleConns > 0 && t.lru.n > t.MaxIdleConns {
		evicted = t.lru.front()
		t.evict(evicted)
	}
	return evicted
}

// removeFromIdle takes pc off the idle list and reports whether it was there.
// Transport.mu must be held.
func (t *Transport) removeFromIdle(pc *persistConn) bool {
	if !t.lru.remove(&pc.lru) {
		return false
	}
	h := pc.host
	for i := len(h.idle) - 1; i >= 0; i-- {
		if h.idle[i] == pc {
			copy(h.idle[i:], h.idle[i+1:])
			h.idle[len(h.idle)-1] = nil
			h.idle = h.idle[:len(h.idle)-1]
			break
		}
	}
	pc.state = Active
	return true
}

// evict takes an idle connection off every list: it is the caller's, which has to
// close it. Transport.mu must be held.
func (t *Transport) evict(pc *persistConn) {
	t.removeFromIdle(pc)
	pc.host.removeFromSharing(pc)
}

// armIdleTimer starts IdleConnTimeout. The caller is the only owner of pc: calls of the clock are not made under a lock, and need another order.
func (pc *persistConn) armIdleTimer() {
	pc.idleArmed = true
	if timer := pc.idleTimer.Load(); timer != nil {
		timer.Reset(pc.t.IdleConnTimeout)
		return
	}
	pc.idleTimer.Store(pc.t.clock().AfterFunc(pc.t.IdleConnTimeout, pc.onIdleTimeout))
}

// stopIdleTimer stops the timer, for the owner of a connection that is no longer
// idle.
func (pc *persistConn) stopIdleTimer() {
	if pc.idleArmed {
		pc.idleArmed = false
		pc.idleTimer.Load().Stop()
	}
}

// onIdleTimeout runs when the idle timer fires. A request may have taken the
// connection in the same instant, used it and brought it back: then the timer
// has been armed again and this call is a leftover (golang/go#25621).
func (pc *persistConn) onIdleTimeout() {
	t := pc.t
	now := t.clock().Now()
	t.mu.Lock()
	due := now.Sub(pc.idleAt) >= t.IdleConnTimeout
	mine := due && pc.state == Idle
	if mine {
		t.evict(pc)
	}
	pc.expired = due && pc.pooling
	t.mu.Unlock()
	if mine {
		pc.close(IdleTimeout, errIdleTimeout)
	}
}
