package pool

// Stage 7: the persistent connection.
//
// What a connection consists of, how it begins, and how it ends: any goroutine
// may close it, and the cause of the first one counts.

import (
	"bufio"
	"crypto/tls"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/halfopen/halfopen/clock"
)

type persistConn struct {
	t        *Transport
	host     *host
	id       uint64
	opened   time.Time
	conn     net.Conn
	tlsState *tls.ConnectionState

	shared *sharedConn // HTTP/2 and other protocols; then the loops do not exist

	plainProxy bool   // whole requests go to a proxy
	proxyAuth  string // Proxy-Authorization for them

	br           *bufio.Reader
	bw           *bufio.Writer
	writech      chan *exchange // to the write loop; has room for one
	responseOver chan struct{}  // to the read loop: the response is over; has room for one
	watching     chan struct{}  // from the read loop: it reads again; has room for one
	closech      chan struct{}  // closed with the connection
	wrote        chan struct{}  // closed when the write loop has ended

	reading readSide
	writing writeSide

	broken atomic.Bool // set before anything else happens to a connection that closes

	// Timers are armed and stopped without a lock, by the owner of what they
	// are for; close stops both once more.
	idleTimer   atomic.Pointer[clock.Timer]
	idleArmed   bool // belongs to the owner
	headerTimer atomic.Pointer[clock.Timer]

	mu        sync.Mutex
	cur       *exchange // nil: idle
	sending   *exchange // what the write loop has not done with
	cause     Cause
	err       error     // why it was closed
	headerDue time.Time // zero: not waiting for a header

	// Guarded by Transport.mu; the owner may read what it set.

	node    node[*persistConn] // in host.conns
	lru     node[*persistConn] // in Transport.lru, while idle
	state   State
	since   time.Time // of state
	holder  *attempt
	served  int
	reused  bool // has been given back before
	idleAt  time.Time
	pooling bool // on its way to the idle list
	flushed bool // CloseIdleConnections came while it was drained
	expired bool // and its idle timer has fired already
}

// hold makes the attempt the owner of pc, which has been idle since then, or was not if
// that is zero. Transport.mu must be held.
func (pc *persistConn) hold(a *attempt, now, idleSince time.Time) {
	if pc.shared == nil {
		pc.holder = a
	}
	if pc.shared == nil || !idleSince.IsZero() {
		pc.state, pc.since = Active, now // one that is shared stays what it was
	}
	a.reused, a.used, a.idleSince = pc.reused, pc.served > 0, idleSince
	pc.served++
	if s := pc.shared; s != nil && s.cc != nil && (pc.t.DisableKeepAlives || wantsClose(a.req)) {
		s.last = true
		pc.t.withdraw(s, now)
	}
}

// newConn returns a connection that is ready to be started.
func (t *Transport) newConn(conn net.Conn, state *tls.ConnectionState) *persistConn {
	return &persistConn{
		t:            t,
		conn:         conn,
		tlsState:     state,
		writech:      make(chan *exchange, 1),
		responseOver: make(chan struct{}, 1),
		watching:     make(chan struct{}, 1),
		closech:      make(chan struct{}),
		wrote:        make(chan struct{}),
	}
}

// start runs the loops of an HTTP/1 connection.
func (pc *persistConn) start() {
	pc.br = getReader(readSideOf{pc}, orDefault(pc.t.ReadBufferSize, 4<<10))
	pc.bw = getWriter(writeSideOf{pc}, orDefault(pc.t.WriteBufferSize, 4<<10))
	go pc.readLoop()
	go pc.writeLoop()
}

// close closes the connection for a reason, unless it was closed for another one
// before.
func (pc *persistConn) close(cause Cause, err error) {
	pc.mu.Lock()
	if pc.cause != NotClosed {
		pc.mu.Unlock()
		return
	}
	pc.broken.Store(true)
	pc.cause, pc.err = cause, err
	var body *sentBody // whose caller has its response, and does not wait here
	if ex := pc.sending; ex != nil && ex.resp != nil {
		body = ex.body
	}
	pc.headerDue = time.Time{}
	pc.mu.Unlock()

	close(pc.closech)
	pc.stopTimers()
	switch {
	case cause == HandedOver:
	case pc.shared != nil:
		pc.shared.close()
	default:
		pc.hangUp(cause)
	}
	// Only now is the place free: dialing and open connections together never
	// exceed the limit, not for an instant (golang/go#29889).
	pc.t.removeClosed(pc, cause)
	if body != nil {
		body.stop()
	}
}

func (pc *persistConn) stopTimers() {
	if timer := pc.idleTimer.Load(); timer != nil {
		timer.Stop()
	}
	if timer := pc.headerTimer.Load(); timer != nil {
		timer.Stop()
	}
}

// hangUp closes the network's connection. TLS would say good-bye first, and
// wait up to five seconds for a peer that does not read: not where a request
// was called off, and its caller waits for us.
func (pc *persistConn) hangUp(cause Cause) {
	if cause == Canceled || cause == HeaderTimeout {
		closeBluntly(pc.conn)
		return
	}
	pc.conn.Close()
}

// closeBluntly closes conn without TLS's good-bye.
func closeBluntly(conn net.Conn) {
	if tc, ok := conn.(*tls.Conn); ok {
		conn = tc.NetConn()
	}
	conn.Close()
}
