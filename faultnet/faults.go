package faultnet

import (
	"math"
	"net"
	"os"
	"syscall"
	"time"
)

// effect is a row of the table of verdicts: what a verdict is called, which
// events it is for, and the functions that carry it out. To add a fault is to
// add a row below; TestEffects says what of one is missing.
type effect struct {
	name     string
	doc      string // a sentence for the manual, with the values of parameters left out in brackets
	kinds    Kind
	params   string     // as the manual shows them: "[:BYTES]"
	defaults parameters // what is meant where they are left out
	positive bool       // BYTES is at least 1
	lawful   bool       // a sound connection may do it, and a program has to bear it

	// Of a dial. Either it fails, or it opens, no program accepts it, and
	// something is done to the client's end.
	fail   func(e *Event) error
	opened func(client *Conn)

	// Of a dial, and of what arrives: it happens later.
	later func(e *Event, v Verdict) delay

	// Of what arrives at an end, with the link's mutex held. Of bytes no more than
	// v.bytes arrive if firstOnly is set, or what change makes of them. Then does
	// something to the end.
	firstOnly bool
	change    func(v Verdict, b []byte) []byte
	then      func(to *Conn)

	// Of a datagram: what arrives in its place, if change does not say it, or the error that
	// an answer of the network (ICMP) gives the socket that sent it.
	packets     func(v Verdict, b []byte) [][]byte
	unreachable syscall.Errno

	// Of calls that are not closed yet. Accept has the listener's mutex held, and
	// returns nil where the backlog is to be looked at again.
	read, write func(c *Conn, e *Event, v Verdict, b []byte) (int, error)
	close       func(c *Conn, e *Event, v Verdict) error
	accept      func(l *listener, e *Event, v Verdict) (*Conn, error)
	blocks      bool // the call waits for its rule to be lifted
}

// parameters are the values behind a verdict's name.
type parameters struct {
	bytes int           // how many, or which
	d     time.Duration // how long
	seed  uint64
	errno syscall.Errno
}

// verdictTable lists all rows, in the order of the manual.
var verdictTable = []Verdict{Hold,
	NoHost, ServerFailure, TryAgain, ResolveTimeout, EmptyAnswer, lookupRow,
	Refuse, TimeOut, Unreachable, NetUnreachable, NoAddress, NoDescriptor, BlackHole, deafRow, Ignored, CloseAtOnce, ResetAtOnce,
	delayRow, jitterRow, tailRow, rateRow, dribbleRow,
	splitRow, cutRow, stallRow, Reset, Lose, ackLostRow, corruptRow, extraRow,
	Drop, Duplicate, reorderRow, truncateRow, tooBigRow,
	errorRow, Expire, Block, shortRow, chunkRow, NoBytes, DataEOF, Twice}

// row returns the verdict of a row of the table, with its default parameters.
func row(e effect) Verdict { return Verdict{effect: &e, name: e.name, parameters: e.defaults} }

// arriving is the set of kinds of events that arrive at an end.
const arriving = Data | FIN | RST

// Pass lets the event take its normal course, or asks the next rule.
var Pass Verdict

// Hold keeps the event pending until it is released.
var Hold = row(effect{name: "hold", kinds: Dial | arriving | Gate | Packet,
	doc: "keep it pending until it is released"})

// Faults of a name's lookup.
var (
	// NoHost fails the dial's name resolution: no such host.
	NoHost = row(resolveFault("no-host", net.DNSError{Err: "no such host", IsNotFound: true}))
	// ServerFailure fails the dial's name resolution: SERVFAIL.
	ServerFailure = row(resolveFault("server-failure", net.DNSError{Err: "server misbehaving", IsTemporary: true}))
	// TryAgain fails the dial's name resolution: EAI_AGAIN.
	TryAgain = row(resolveFault("try-again", net.DNSError{Err: "Temporary failure in name resolution", IsTemporary: true}))
	// ResolveTimeout fails the dial's name resolution: no server answered.
	ResolveTimeout = row(resolveFault("resolve-timeout", net.DNSError{Err: "i/o timeout", IsTimeout: true, IsTemporary: true}))
	// EmptyAnswer fails the dial's name resolution: the answer has no address
	// that the network can use.
	EmptyAnswer = row(effect{name: "empty-answer", kinds: Dial,
		doc: "the resolver's answer has no address of the kind that is asked for",
		fail: func(e *Event) error {
			host, _, _ := net.SplitHostPort(e.Addr)
			return dialError(e.dial.network, nil, noSuitableAddress(host))
		}})

	lookupRow = row(effect{name: "lookup", lawful: true, kinds: Dial, params: "[:DURATION]", defaults: parameters{d: time.Second},
		doc:   "the lookup of the name takes so long (1s); a context that ends meanwhile ends the lookup",
		later: (*Event).lookUp})
)

// Lookup makes the name's lookup take d.
func Lookup(d time.Duration) Verdict { return lookupRow.with(parameters{d: d}) }

// Faults of a dial.
var (
	// Refuse answers the dial with a reset: no program listens.
	Refuse = row(packetFault("refuse", syscall.ECONNREFUSED, "no program listens there (ECONNREFUSED)"))
	// TimeOut fails the dial as after the last SYN was not answered.
	TimeOut = row(dialFault("timeout", syscall.ETIMEDOUT, "no answer to any SYN (ETIMEDOUT)"))
	// Unreachable fails the dial with "no route to host".
	Unreachable = row(packetFault("unreachable", syscall.EHOSTUNREACH, "no route to the host (EHOSTUNREACH)"))
	// NetUnreachable fails the dial with "network is unreachable".
	NetUnreachable = row(packetFault("net-unreachable", syscall.ENETUNREACH, "no route to the network (ENETUNREACH)"))
	// NoAddress fails the dial for want of a local port.
	NoAddress = row(dialFault("no-address", syscall.EADDRNOTAVAIL, "no local port is left (EADDRNOTAVAIL)"))
	// NoDescriptor fails the dial for want of a file descriptor.
	NoDescriptor = row(effect{name: "no-descriptor", kinds: Dial,
		doc: "no file descriptor is left (EMFILE)",
		fail: func(e *Event) error {
			return dialError(e.dial.network, nil, os.NewSyscallError("socket", syscall.EMFILE))
		}})

	// BlackHole answers no SYN: the dial ends with its context, or with
	// ETIMEDOUT when the kernel gives up after 127 s (tcp_syn_retries 6).
	BlackHole = row(effect{name: "black-hole", kinds: Dial,
		doc:   "no SYN is answered: the context ends the dial, or ETIMEDOUT after 127s",
		later: func(*Event, Verdict) delay { return delay{d: synTimeout, final: TimeOut} }})

	deafRow = row(effect{name: "deaf", lawful: true, kinds: Dial, params: "[:DURATION]", defaults: parameters{d: time.Second},
		doc:   "it takes so long (1s) and does not heed its context: it opens although that has ended",
		later: (*Event).ignoreContext})

	// Ignored opens the connection, which waits in the backlog for ever.
	Ignored = row(effect{name: "ignored", kinds: Dial,
		doc:    "the backlog accepts it, and no program ever does",
		opened: func(*Conn) {}})
	// CloseAtOnce opens the connection, and the server's end closes it before
	// its first byte.
	CloseAtOnce = row(effect{name: "close-at-once", kinds: Dial | Accept,
		doc:    "it is accepted and closed at once (FIN)",
		opened: func(client *Conn) { client.Peer().closeNow() },
		accept: (*listener).acceptClosed})
	// ResetAtOnce opens the connection, and the server's end resets it before
	// its first byte.
	ResetAtOnce = row(effect{name: "reset-at-once", kinds: Dial | Accept,
		doc:    "it is accepted and reset at once (RST)",
		opened: (*Conn).resetByPeer,
		accept: (*listener).acceptReset})
)

// Deaf makes the dial take d and not heed its context.
func Deaf(d time.Duration) Verdict { return deafRow.with(parameters{d: d}) }

// Delays.
var (
	delayRow = row(effect{name: "delay", lawful: true, kinds: Dial | arriving | Packet | Accept | Close, params: "[:DURATION]", defaults: parameters{d: time.Second},
		doc:   "it happens so much later (1s); bytes keep their distance",
		later: func(_ *Event, v Verdict) delay { return delay{d: v.d} },
		close: (*Conn).closeLater, accept: (*listener).acceptLater})

	jitterRow = row(effect{name: "jitter", lawful: true, kinds: Dial | arriving | Packet, params: "[:DURATION,SEED]", defaults: parameters{d: 10 * time.Millisecond, seed: 1},
		doc:   "it happens up to so much later (10ms), drawn from the seed (1)",
		later: (*Event).drawUniform})
	tailRow = row(effect{name: "tail", lawful: true, kinds: Dial | arriving | Packet, params: "[:DURATION,SEED]", defaults: parameters{d: 10 * time.Millisecond, seed: 1},
		doc:   "it happens later, by an exponentially distributed time with that mean (10ms), drawn from the seed (1)",
		later: (*Event).drawExponential})

	rateRow = row(effect{name: "rate", lawful: true, kinds: Data, params: "[:BYTES]", defaults: parameters{bytes: 1000}, positive: true,
		doc:   "from now on this direction brings so many bytes a second (1000)",
		later: (*Event).segment})
	dribbleRow = row(effect{name: "dribble", lawful: true, kinds: Data, params: "[:BYTES,DURATION]", defaults: parameters{bytes: 1, d: time.Millisecond}, positive: true,
		doc:   "from now on this direction brings so many bytes (1) at a time, so much apart (1ms)",
		later: func(_ *Event, v Verdict) delay { return delay{d: v.d, limit: v.bytes} }})
)

// Delay lets the event happen d later.
func Delay(d time.Duration) Verdict { return delayRow.with(parameters{d: d}) }

// Jitter lets the event happen up to d later, drawn from the seed and the
// event's name.
func Jitter(d time.Duration, seed uint64) Verdict {
	return jitterRow.with(parameters{d: d, seed: seed})
}

// ExponentialDelay lets the event happen later, by an exponentially distributed
// time with that mean, drawn from the seed and the event's name.
func ExponentialDelay(mean time.Duration, seed uint64) Verdict {
	return tailRow.with(parameters{d: mean, seed: seed})
}

// Rate lets so many bytes a second arrive from then on.
func Rate(bytes int) Verdict { return rateRow.with(parameters{bytes: bytes}) }

// Dribble lets n bytes arrive at a time, d apart, from then on.
func Dribble(n int, d time.Duration) Verdict { return dribbleRow.with(parameters{bytes: n, d: d}) }

// Faults of what arrives.
var (
	splitRow = row(effect{name: "split", lawful: true, kinds: Data, params: "[:BYTES]", defaults: parameters{bytes: 1},
		doc:       "so many bytes of it arrive (1), and the rest by itself",
		firstOnly: true})
	cutRow = row(effect{name: "cut", kinds: Data, params: "[:BYTES]",
		doc:       "so many bytes of it arrive (none), and then a FIN: the sender has died or was cut off",
		firstOnly: true, then: (*Conn).cutOff})
	stallRow = row(effect{name: "stall", kinds: arriving, params: "[:BYTES]",
		doc:       "so many bytes of it arrive (none), and nothing more in this direction until it is healed",
		firstOnly: true, then: (*Conn).stall})

	// Reset breaks the connection at this event: both ends are reset, and what
	// was on its way is lost.
	Reset = row(effect{name: "reset", kinds: arriving, params: "[:BYTES]",
		doc:       "so many bytes of it arrive (none); then both ends are reset and what was on its way is lost",
		firstOnly: true, then: (*Conn).breakBoth})
	// Lose makes the network between both ends disappear without a word.
	Lose = row(effect{name: "lose", kinds: arriving,
		doc:       "it is lost, and so is everything on that connection from then on, in both directions",
		firstOnly: true, then: (*Conn).lose})

	ackLostRow = row(effect{name: "ack-lost", kinds: Data, params: "[:BYTES]", defaults: parameters{bytes: allBytes},
		doc:       "so many bytes of it arrive (all) and no acknowledgement comes back: nothing arrives any more in either direction, and 15m24.6s later the sender has ETIMEDOUT",
		firstOnly: true, then: (*Conn).loseAcks})
	corruptRow = row(effect{name: "corrupt", kinds: Data | Packet, params: "[:BYTE]",
		doc: "a bit of that byte of it (0) is wrong, as a middlebox leaves it",
		change: func(v Verdict, b []byte) []byte {
			if len(b) > 0 {
				b[min(v.bytes, len(b)-1)] ^= 1
			}
			return b
		}})
	extraRow = row(effect{name: "extra", kinds: Data | Packet, params: "[:BYTES]", defaults: parameters{bytes: 1},
		doc: "so many bytes more (1) arrive behind it",
		change: func(v Verdict, b []byte) []byte {
			for range min(v.bytes, largeBuffer) {
				b = append(b, 'X')
			}
			return b
		}})
)

// Split lets n bytes arrive by themselves.
func Split(n int) Verdict { return splitRow.with(parameters{bytes: n}) }

// Cut ends the direction with a FIN behind n bytes.
func Cut(n int) Verdict { return cutRow.with(parameters{bytes: n}) }

// Stall stops the direction behind n bytes, until [Conn.Unclog].
func Stall(n int) Verdict { return stallRow.with(parameters{bytes: n}) }

// ResetAfter resets both ends, as [Reset] does, behind n bytes.
func ResetAfter(n int) Verdict { return Reset.with(parameters{bytes: n}) }

// AckLost lets n bytes arrive, and nothing behind them or on the way back. The
// sender gets no acknowledgement, and no error before its kernel gives up.
func AckLost(n int) Verdict { return ackLostRow.with(parameters{bytes: n}) }

// loseAcks gives the sender up after the last of the 15 retransmissions that
// Linux makes (tcp_retries2), 924.6 s after the first byte. The mutex is held.
func (c *Conn) loseAcks() {
	c.lose()
	c.link.clock.AfterFunc(924_600*time.Millisecond, func() { c.Peer().Break(syscall.ETIMEDOUT) })
}

// Corrupt changes a bit of the byte with that index.
func Corrupt(index int) Verdict { return corruptRow.with(parameters{bytes: index}) }

// ExtraBytes lets n bytes more arrive than were sent.
func ExtraBytes(n int) Verdict { return extraRow.with(parameters{bytes: n}) }

// Faults of calls.
var (
	errorRow = row(effect{name: "error", kinds: Calls, params: "[:ERRNO]", defaults: parameters{errno: syscall.ETIMEDOUT},
		doc:    "the call fails with that number (ETIMEDOUT); one that ends a connection ends it",
		read:   func(c *Conn, _ *Event, v Verdict, _ []byte) (int, error) { return c.fail("read", v.errno) },
		write:  func(c *Conn, _ *Event, v Verdict, _ []byte) (int, error) { return c.fail("write", v.errno) },
		close:  (*Conn).closeFails,
		accept: (*listener).acceptFails})
	// Expire fails a call as after its deadline.
	Expire = row(effect{name: "expire", kinds: Read | Write,
		doc: "the call fails as if its deadline had passed (os.ErrDeadlineExceeded)",
		read: func(c *Conn, _ *Event, _ Verdict, _ []byte) (int, error) {
			return 0, c.opError("read", os.ErrDeadlineExceeded)
		},
		write: func(c *Conn, _ *Event, _ Verdict, _ []byte) (int, error) {
			return 0, c.opError("write", os.ErrDeadlineExceeded)
		}})
	// Block makes a call wait until the rule is lifted, the end is closed or the
	// deadline passes.
	Block = row(effect{name: "block", kinds: Calls, blocks: true,
		doc:  "the call waits until the rule is lifted, the end is closed or its deadline passes",
		read: (*Conn).readBlocked, write: (*Conn).writeBlocked, close: (*Conn).closeBlocked, accept: (*listener).acceptBlocked})

	shortRow = row(effect{name: "short", kinds: Write, params: "[:BYTES]",
		doc:   "so many bytes (none) are written, and then the connection is reset",
		write: (*Conn).writeShort})
	chunkRow = row(effect{name: "chunk", lawful: true, kinds: Read | Write, params: "[:BYTES]", defaults: parameters{bytes: 1}, positive: true,
		doc:   "the call moves at most so many bytes (1); a write is made in pieces",
		read:  func(c *Conn, _ *Event, v Verdict, b []byte) (int, error) { return c.readNow(b[:min(len(b), v.bytes)]) },
		write: (*Conn).writeInPieces})
	// NoBytes makes a Read return 0 and no error, as [io.Reader] allows.
	NoBytes = row(effect{name: "no-bytes", lawful: true, kinds: Read,
		doc:  "the read returns no bytes and no error, as io.Reader allows",
		read: func(*Conn, *Event, Verdict, []byte) (int, error) { return 0, nil }})
	// DataEOF makes a Read return the last bytes together with [io.EOF], as
	// [io.Reader] allows.
	DataEOF = row(effect{name: "data-eof", lawful: true, kinds: Read,
		doc:  "a read that takes the last bytes returns io.EOF with them, as io.Reader allows",
		read: (*Conn).readWithEnd})
	// Twice makes a Close that is called once be called twice.
	Twice = row(effect{name: "twice", kinds: Close,
		doc: "the end is closed twice; the second error is returned (net.ErrClosed)",
		close: func(c *Conn, _ *Event, _ Verdict) error {
			c.closeNow()
			return c.closeNow()
		}})
)

// Fail fails a call with errno.
func Fail(errno syscall.Errno) Verdict { return errorRow.with(parameters{errno: errno}) }

// Short resets the connection when n bytes of a Write are written.
func Short(n int) Verdict { return shortRow.with(parameters{bytes: n}) }

// Chunk moves at most n bytes at a time.
func Chunk(n int) Verdict { return chunkRow.with(parameters{bytes: n}) }

// allBytes is more bytes than any event brings.
const allBytes = math.MaxInt

func dialFault(name string, errno syscall.Errno, doc string) effect {
	return effect{name: name, kinds: Dial, doc: doc,
		fail: func(e *Event) error {
			return connectError(e.dial.network, e.dial.remote(), errno)
		}}
}

func resolveFault(name string, dns net.DNSError) effect {
	return effect{name: name, kinds: Dial, doc: "the resolver says: " + dns.Err,
		fail: func(e *Event) error {
			err := dns
			err.Name, _, _ = net.SplitHostPort(e.Addr)
			return dialError(e.dial.network, nil, &err)
		}}
}
