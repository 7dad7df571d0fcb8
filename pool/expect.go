package pool

// "Expect: 100-continue": the body stays with the caller until the server, or
// the timeout, says that it may come.

import "golang.org/x/net/http/httpguts"

// expectContinue makes the body of ex wait for the server's consent, if its
// header asks for that.
func (ex *exchange) expectContinue() {
	d := ex.pc.t.ExpectContinueTimeout
	if d <= 0 || ex.body == nil || !httpguts.HeaderValuesContainsToken(ex.req.Header["Expect"], "100-continue") {
		return
	}
	ex.mayContinue = make(chan bool, 1)
	ex.body.mu.Lock()
	ex.body.gate = ex.awaitContinue
	ex.body.mu.Unlock()
}

// awaitContinue runs in the write loop, in place of the body's first Read. The
// header has been flushed by then.
func (ex *exchange) awaitContinue() error {
	if trace := ex.attempt.trace; trace != nil && trace.Wait100Continue != nil {
		trace.Wait100Continue()
	}
	patience := ex.pc.t.clock().NewTimer(ex.pc.t.ExpectContinueTimeout)
	defer patience.Stop()
	select {
	case yes := <-ex.mayContinue:
		if !yes {
			return errBodyWithheld
		}
	case <-ex.pc.closech:
		return errBodyStopped
	case <-patience.C:
		// In a tie the server's word counts.
		select {
		case yes := <-ex.mayContinue:
			if !yes {
				return errBodyWithheld
			}
		default:
		}
	}
	return nil
}

// sendBody answers awaitContinue; the first answer counts.
func (ex *exchange) sendBody(yes bool) {
	if ex.mayContinue == nil {
		return
	}
	select {
	case ex.mayContinue <- yes:
	default:
	}
}
