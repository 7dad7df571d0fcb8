package pool

// Stage 6: tryPutIdleConn.
//
// A connection without a request comes back: from a body that was read to its
// end, by its caller or by a drain, from a dial whose request was served
// otherwise, or unused from a request that was called off. It goes to the request that has waited longest,
// else to the idle list if the limits allow, else it is closed.

import "time"

// putOrClose puts pc back or closes it.
func (t *Transport) putOrClose(pc *persistConn) {
	if why := t.tryPutIdleConn(pc); why != NotClosed {
		pc.close(why, errNotKept)
	}
}

// tryPutIdleConn returns NotClosed if pc has a new owner, or else the cause
// for which the caller must close it.
func (t *Transport) tryPutIdleConn(pc *persistConn) Cause {
	if !t.keepsAlive() {
		return NoKeepAlive
	}
	now := t.clock().Now()
	t.mu.Lock()
	pc.reused = true
	taken, why := t.offer(pc, now)
	if !taken && why == NotClosed && t.IdleConnTimeout > 0 {
		// The idle timer is armed before a request can take the connection, so
		// that arming and stopping it have an order; and without the lock.
		pc.pooling, pc.expired, pc.idleAt = true, false, now
		t.mu.Unlock()
		pc.armIdleTimer()
		t.mu.Lock()
		taken, why = t.offer(pc, now)
	}
	var evicted *persistConn
	if !taken && why == NotClosed {
		evicted = t.enterIdle(pc, now)
	}
	t.mu.Unlock()
	if why != NotClosed {
		pc.stopIdleTimer()
	}
	if evicted != nil {
		evicted.close(IdleLimit, errNotKept)
	}
	return why
}

// offer gives pc to the request that has waited longest, or says whether it
// may be idle. Transport.mu must be held.
func (t *Transport) offer(pc *persistConn, now time.Time) (taken bool, why Cause) {
	expired := pc.pooling && pc.expired
	pc.pooling = false
	if pc.broken.Load() {
		return false, ReadFailed // it was closed: the cause given then stands
	}
	if pc.flushed {
		return false, ClosedIdle
	}
	if w := pc.host.waiting.front(); w != nil {
		pc.host.reuses++
		t.tryDeliver(w, pc, nil, now)
		return true, NotClosed
	}
	if expired {
		return false, IdleTimeout
	}
	return false, t.mayIdle(pc.host)
}

// mayIdle returns NotClosed if h may have one more idle connection. Transport.mu
// must be held.
func (t *Transport) mayIdle(h *host) Cause {
	switch {
	case !t.keepsAlive():
		return NoKeepAlive
	case t.flushIdle:
		return ClosedIdle
	case len(h.idle)+h.idleShared() >= t.maxIdlePerHost():
		return HostIdleLimit
	}
	return NotClosed
}
