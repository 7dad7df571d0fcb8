package pool_test

import (
	"crypto/tls"
	"slices"
	"time"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/pool"
)

// books compares the counts and the ledger of a transport with the network.
type books struct {
	t  *harness.T
	tr *pool.Transport

	// tunnel is an address that only the proxy dials. With one, a dial of the
	// transport goes on after the network's part of it.
	tunnel string
}

// transport is tr on the network of the test, with its books checked at every
// quiet point.
func transport(t *harness.T, tr *pool.Transport) *pool.Transport {
	return audited(t, tr, "")
}

// overTLS does the same where a dial is not over when its connection is open. Unless
// tr has a TLS configuration, it trusts the servers of the harness.
func overTLS(t *harness.T, tr *pool.Transport) *pool.Transport {
	if tr.TLSClientConfig == nil {
		tr.TLSClientConfig = &tls.Config{RootCAs: harness.TrustedRoots()}
	}
	return audited(t, tr, "none")
}

func audited(t *harness.T, tr *pool.Transport, tunnel string) *pool.Transport {
	tr.DialContext = t.Net.DialContext
	b := &books{t, tr, tunnel}
	t.AtQuiet(b.check)
	t.Cleanup(func() {
		t.Settle()
		b.check()
		b.checkEnd()
	})
	return tr
}

// check compares every gauge, and every total that the network knows too.
func (b *books) check() {
	dialing := 0
	for _, e := range slices.Concat(b.t.Net.Pending(), b.t.Net.Raw().Delayed()) {
		if e.Kind == faultnet.Dial && e.Addr != b.tunnel {
			dialing++
		}
	}
	open := make(map[string]*faultnet.Conn)
	for _, c := range b.t.Net.Conns() {
		if !c.IsClosed() && c.Address() != b.tunnel {
			open[c.LocalAddr().String()] = c
		}
	}
	st := b.tr.Stats()
	made := int(st.Dials-st.DialErrors) - st.Dialing
	pooled := st.Idle + st.Active + st.Draining
	b.equal("dials and connections", pooled+st.Upgraded+st.Dialing, len(open)+dialing)
	b.equal("connections closed", sum(st.Closed), made-pooled)
	b.equal("dials whose request is gone", st.Orphans, min(st.Orphans, st.Dialing))
	if b.tunnel == "" {
		b.equal("dials", st.Dialing, dialing)
		b.equal("connections ever", made, b.t.Net.Opened())
	}
	b.checkLedger(st, open)
}

// checkLedger compares each entry with its connection.
func (b *books) checkLedger(st pool.Stats, open map[string]*faultnet.Conn) {
	var n [pool.Upgraded + 1]int
	for _, e := range b.tr.Ledger() {
		n[e.State]++
		if e.State == pool.Dialing {
			continue
		}
		c := open[e.Local.String()]
		if c == nil {
			b.t.Errorf("connection %d: the ledger has it %s, the network closed\n%s", e.ID, e.State, b.tr.Ledger())
			return
		}
		if e.State == pool.Idle && (c.State() != "ESTABLISHED" || c.Unread() > 0) {
			b.t.Errorf("connection %d: the ledger has it idle, the network %s with %d bytes unread", e.ID, c.State(), c.Unread())
		}
	}
	b.equal("ledger: dialing", n[pool.Dialing], st.Dialing)
	b.equal("ledger: active", n[pool.Active], st.Active)
	b.equal("ledger: draining", n[pool.Draining], st.Draining)
	b.equal("ledger: idle", n[pool.Idle], st.Idle)
	b.equal("ledger: upgraded", n[pool.Upgraded], st.Upgraded)
}

// checkEnd is for the end: no request is under way any more, and time enough
// has passed for every drain.
func (b *books) checkEnd() {
	b.tr.CloseIdleConnections()
	time.Sleep(pool.DrainTime) // virtual
	b.t.Settle()
	b.check()
	st := b.tr.Stats()
	b.equal("at the end, held", st.Dialing+st.Idle+st.Active+st.Draining+st.Waiting+st.InLine+st.Orphans, 0)
}

func (b *books) equal(what string, books, network int) {
	if books != network && !b.t.Failed() {
		b.t.Errorf("%s: got %d in the books, want %d as on the network\n%s%s", what, books, network, b.tr.Stats(), b.tr.Ledger())
	}
}

func sum(closed pool.Closed) (n int) {
	for _, k := range closed {
		n += int(k)
	}
	return n
}
