package faultnet

import (
	"fmt"
	"math"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Verdict is what becomes of an event: a fault's effect. Its zero value is
// [Pass]. Every verdict is something that a real network, kernel or resolver
// does. Those with parameters are written with them: "cut:10", "delay:5ms".
type Verdict struct {
	name   string
	doc    string
	params string // as the manual shows them: "[:BYTES]"
	kinds  Kind
	fail   func(e *Event) error // of a dial
	effect effect

	bytes int           // how many, or which
	d     time.Duration // how long
	seed  uint64
	errno syscall.Errno
}

// effect is what a verdict does to what is not simply a dial that fails.
type effect uint8

const (
	none effect = iota
	// Of dials.
	lookup     // it takes a while, as long as which the name is looked up
	deaf       // it takes a while, and does not heed its context
	blackHole  // no SYN is answered
	ignored    // it opens, and no program ever accepts it
	closeFirst // it opens, and the server's end closes at once
	resetFirst // it opens, and is reset at once
	// Of what arrives.
	delay   // later
	jitter  // later, evenly spread
	tail    // later, exponentially spread
	rate    // so many bytes a second, from now on
	dribble // so many bytes at a time, from now on
	split   // the first bytes, and then the rest
	cut     // the first bytes, and then a FIN
	stall   // the first bytes, and then nothing
	reset   // the first bytes, and then a reset
	lose    // the network between both ends is gone
	corrupt // one byte is another
	extra   // more bytes than were sent
	// Of calls.
	failing // an errno
	expire  // as after the deadline
	block   // until the rule is lifted
	short   // the first bytes, and then a reset
	chunk   // at most so many bytes a call
	zero    // no byte and no error
	dataEOF // the last bytes with the end of the stream
	twice   // the call is made again
)

// String is the verdict's name in scripts and reports, with its parameters.
func (v Verdict) String() string {
	if v.name == "" {
		return "pass"
	}
	return v.name
}

// Doc is what the verdict does, in a sentence.
func (v Verdict) Doc() string { return v.doc }

// Params is how the verdict's parameters are written behind its name, such as
// "[:BYTES]", or "".
func (v Verdict) Params() string { return v.params }

// Kinds is the kinds of events that the verdict can be given for.
func (v Verdict) Kinds() Kind { return v.kinds }

// IsPass reports whether v lets the event take its normal course.
func (v Verdict) IsPass() bool { return v.name == "" }

// IsHold reports whether v keeps the event pending.
func (v Verdict) IsHold() bool { return v.name == Hold.name }

// travels is the kinds of what arrives at an end.
const travels = Data | FIN | RST

// The verdicts without parameters.
var (
	// Pass lets the event take its normal course, or asks the next rule.
	Pass Verdict

	// Hold keeps the event pending until it is released.
	Hold = Verdict{name: "hold", kinds: Dial | travels | Gate,
		doc: "keep it pending until it is released"}

	// Refuse answers the dial with a reset: nobody listens.
	Refuse = dialFault("refuse", syscall.ECONNREFUSED, "nobody listens there (ECONNREFUSED)")
	// TimeOut fails the dial as after the last SYN was not answered.
	TimeOut = dialFault("timeout", syscall.ETIMEDOUT, "no answer to any SYN (ETIMEDOUT)")
	// Unreachable fails the dial with "no route to host".
	Unreachable = dialFault("unreachable", syscall.EHOSTUNREACH, "no route to the host (EHOSTUNREACH)")
	// NetUnreachable fails the dial with "network is unreachable".
	NetUnreachable = dialFault("net-unreachable", syscall.ENETUNREACH, "no route to the network (ENETUNREACH)")
	// NoAddress fails the dial for want of a local port.
	NoAddress = dialFault("no-address", syscall.EADDRNOTAVAIL, "no local port is left (EADDRNOTAVAIL)")

	// NoDescriptor fails the dial for want of a file descriptor.
	NoDescriptor = Verdict{name: "no-descriptor", kinds: Dial,
		doc: "no file descriptor is left (EMFILE)",
		fail: func(e *Event) error {
			return dialError(e.dial.network, nil, os.NewSyscallError("socket", syscall.EMFILE))
		}}
	// NoHost fails the dial's name resolution: no such host.
	NoHost = resolveFault("no-host", net.DNSError{Err: "no such host", IsNotFound: true})
	// ServerFailure fails the dial's name resolution: SERVFAIL.
	ServerFailure = resolveFault("server-failure", net.DNSError{Err: "server misbehaving", IsTemporary: true})
	// TryAgain fails the dial's name resolution: EAI_AGAIN.
	TryAgain = resolveFault("try-again", net.DNSError{Err: "Temporary failure in name resolution", IsTemporary: true})
	// ResolveTimeout fails the dial's name resolution: no server answered.
	ResolveTimeout = resolveFault("resolve-timeout", net.DNSError{Err: "i/o timeout", IsTimeout: true, IsTemporary: true})
	// EmptyAnswer fails the dial's name resolution: the answer has no address
	// that the network can use.
	EmptyAnswer = Verdict{name: "empty-answer", kinds: Dial,
		doc: "the resolver's answer has no address of the kind that is asked for",
		fail: func(e *Event) error {
			host, _, _ := net.SplitHostPort(e.Addr)
			return dialError(e.dial.network, nil, unsuitable(host))
		}}

	// BlackHole answers no SYN: the dial ends with its context, or with
	// ETIMEDOUT when the kernel gives up after 127 s (tcp_syn_retries 6).
	BlackHole = Verdict{name: "black-hole", kinds: Dial, effect: blackHole,
		doc: "no SYN is answered: the context ends the dial, or ETIMEDOUT after 127s"}
	// Ignored opens the connection, which waits in the backlog for ever.
	Ignored = Verdict{name: "ignored", kinds: Dial, effect: ignored,
		doc: "the backlog accepts it, and no program ever does"}
	// CloseAtOnce opens the connection, and the server's end closes it before
	// its first byte.
	CloseAtOnce = Verdict{name: "close-at-once", kinds: Dial | Accept, effect: closeFirst,
		doc: "it is accepted and closed at once (FIN)"}
	// ResetAtOnce opens the connection, and the server's end resets it before
	// its first byte.
	ResetAtOnce = Verdict{name: "reset-at-once", kinds: Dial | Accept, effect: resetFirst,
		doc: "it is accepted and reset at once (RST)"}

	// Reset breaks the connection at this event: both ends are reset, and what
	// was on its way is lost.
	Reset = Verdict{name: "reset", kinds: travels, effect: reset, params: "[:BYTES]",
		doc: "so many bytes of it arrive (none); then both ends are reset and what was on its way is lost"}
	// Lose makes the network between both ends disappear without a word.
	Lose = Verdict{name: "lose", kinds: travels, effect: lose,
		doc: "it is lost, and so is everything on that connection from then on, in both directions"}

	// Expire fails a call as after its deadline.
	Expire = Verdict{name: "expire", kinds: Read | Write, effect: expire,
		doc: "the call fails as if its deadline had passed (os.ErrDeadlineExceeded)"}
	// Block makes a call wait until the rule is lifted, the end is closed or the
	// deadline passes.
	Block = Verdict{name: "block", kinds: Read | Write | Accept | Close, effect: block,
		doc: "the call waits until the rule is lifted, the end is closed or its deadline passes"}
	// NoBytes makes a Read return 0 and no error, as [io.Reader] allows.
	NoBytes = Verdict{name: "no-bytes", kinds: Read, effect: zero,
		doc: "the read returns no bytes and no error, as io.Reader allows"}
	// DataEOF makes a Read return the last bytes together with [io.EOF], as
	// [io.Reader] allows.
	DataEOF = Verdict{name: "data-eof", kinds: Read, effect: dataEOF,
		doc: "a read that takes the last bytes returns io.EOF with them, as io.Reader allows"}
	// Twice makes a Close that is called once be called twice.
	Twice = Verdict{name: "twice", kinds: Close, effect: twice,
		doc: "the end is closed twice; the second error is returned (net.ErrClosed)"}
)

// The verdicts with parameters, as they are without them.
var (
	delayed    = Verdict{name: "delay", kinds: Dial | travels | Accept | Close, effect: delay, d: time.Second, params: "[:DURATION]", doc: "it happens so much later (1s); bytes keep their distance"}
	jittered   = Verdict{name: "jitter", kinds: Dial | travels, effect: jitter, d: 10 * time.Millisecond, seed: 1, params: "[:DURATION,SEED]", doc: "it happens up to so much later (10ms), drawn from the seed (1)"}
	tailed     = Verdict{name: "tail", kinds: Dial | travels, effect: tail, d: 10 * time.Millisecond, seed: 1, params: "[:DURATION,SEED]", doc: "it happens later, by lots of that mean (10ms) and few large ones, drawn from the seed (1)"}
	lookedUp   = Verdict{name: "lookup", kinds: Dial, effect: lookup, d: time.Second, params: "[:DURATION]", doc: "the lookup of the name takes so long (1s); a context that ends meanwhile ends the lookup"}
	deafened   = Verdict{name: "deaf", kinds: Dial, effect: deaf, d: time.Second, params: "[:DURATION]", doc: "it takes so long (1s) and does not heed its context: it opens although that has ended"}
	splitted   = Verdict{name: "split", kinds: Data, effect: split, bytes: 1, params: "[:BYTES]", doc: "so many bytes of it arrive (1), and the rest by itself"}
	cutted     = Verdict{name: "cut", kinds: Data, effect: cut, params: "[:BYTES]", doc: "so many bytes of it arrive (none), and then a FIN: the sender has died or was cut off"}
	stalled    = Verdict{name: "stall", kinds: travels, effect: stall, params: "[:BYTES]", doc: "so many bytes of it arrive (none), and nothing more in this direction until it is healed"}
	corrupted  = Verdict{name: "corrupt", kinds: Data, effect: corrupt, params: "[:BYTE]", doc: "a bit of that byte of it (0) is wrong, as a middlebox leaves it"}
	extended   = Verdict{name: "extra", kinds: Data, effect: extra, bytes: 1, params: "[:BYTES]", doc: "so many bytes more (1) arrive behind it"}
	dribbled   = Verdict{name: "dribble", kinds: Data, effect: dribble, bytes: 1, d: time.Millisecond, params: "[:BYTES,DURATION]", doc: "from now on this direction brings so many bytes (1) at a time, so much apart (1ms)"}
	limited    = Verdict{name: "rate", kinds: Data, effect: rate, bytes: 1000, params: "[:BYTES]", doc: "from now on this direction brings so many bytes a second (1000)"}
	failed     = Verdict{name: "error", kinds: Read | Write | Close | Accept, effect: failing, errno: syscall.ETIMEDOUT, params: "[:ERRNO]", doc: "the call fails with that number (ETIMEDOUT); one that ends a connection ends it"}
	shortened  = Verdict{name: "short", kinds: Write, effect: short, params: "[:BYTES]", doc: "so many bytes (none) are written, and then the connection is reset"}
	chunked    = Verdict{name: "chunk", kinds: Read | Write, effect: chunk, bytes: 1, params: "[:BYTES]", doc: "the call moves at most so many bytes (1); a write is made in pieces"}
	allVerdict = []Verdict{Hold,
		NoHost, ServerFailure, TryAgain, ResolveTimeout, EmptyAnswer, lookedUp,
		Refuse, TimeOut, Unreachable, NetUnreachable, NoAddress, NoDescriptor, BlackHole, deafened, Ignored, CloseAtOnce, ResetAtOnce,
		delayed, jittered, tailed, limited, dribbled, splitted, cutted, stalled, Reset, Lose, corrupted, extended,
		failed, Expire, Block, shortened, chunked, NoBytes, DataEOF, Twice}
)

// Verdicts are all verdicts but Pass, in the order of the documentation, those
// with parameters as they are without them.
func Verdicts() []Verdict { return slices.Clone(allVerdict) }

// Delay lets the event happen d later.
func Delay(d time.Duration) Verdict { return delayed.with(0, d, 0, 0) }

// Jitter lets the event happen up to d later, drawn from the seed and the
// event's name.
func Jitter(d time.Duration, seed uint64) Verdict { return jittered.with(0, d, seed, 0) }

// Tail is Jitter with an exponential distribution of that mean.
func Tail(mean time.Duration, seed uint64) Verdict { return tailed.with(0, mean, seed, 0) }

// Lookup makes the name's lookup take d.
func Lookup(d time.Duration) Verdict { return lookedUp.with(0, d, 0, 0) }

// Deaf makes the dial take d and not heed its context.
func Deaf(d time.Duration) Verdict { return deafened.with(0, d, 0, 0) }

// Split lets n bytes arrive by themselves.
func Split(n int) Verdict { return splitted.with(n, 0, 0, 0) }

// Cut ends the direction with a FIN behind n bytes.
func Cut(n int) Verdict { return cutted.with(n, 0, 0, 0) }

// Stall stops the direction behind n bytes, until [Conn.Heal].
func Stall(n int) Verdict { return stalled.with(n, 0, 0, 0) }

// ResetAfter is [Reset] behind n bytes.
func ResetAfter(n int) Verdict { return Reset.with(n, 0, 0, 0) }

// Corrupt changes a bit of the byte with that index.
func Corrupt(index int) Verdict { return corrupted.with(index, 0, 0, 0) }

// Extra has n bytes more arrive than were sent.
func Extra(n int) Verdict { return extended.with(n, 0, 0, 0) }

// Dribble lets n bytes arrive at a time, d apart, from then on.
func Dribble(n int, d time.Duration) Verdict { return dribbled.with(n, d, 0, 0) }

// Rate lets so many bytes a second arrive from then on.
func Rate(bytes int) Verdict { return limited.with(bytes, 0, 0, 0) }

// Fail fails a call with errno.
func Fail(errno syscall.Errno) Verdict { return failed.with(0, 0, 0, errno) }

// Short resets the connection when n bytes of a Write are written.
func Short(n int) Verdict { return shortened.with(n, 0, 0, 0) }

// Chunk moves at most n bytes at a time.
func Chunk(n int) Verdict { return chunked.with(n, 0, 0, 0) }

// with is v with those parameters, and named after them.
func (v Verdict) with(bytes int, d time.Duration, seed uint64, errno syscall.Errno) Verdict {
	v.bytes, v.d, v.seed, v.errno = bytes, d, seed, errno
	var words []string
	for p := range strings.SplitSeq(strings.Trim(v.params, "[:]"), ",") {
		switch p {
		case "BYTES", "BYTE":
			words = append(words, byteCount(bytes))
		case "DURATION":
			words = append(words, d.String())
		case "SEED":
			words = append(words, strconv.FormatUint(seed, 10))
		case "ERRNO":
			words = append(words, ErrnoName(errno))
		}
	}
	v.name += ":" + strings.Join(words, ",")
	return v
}

// ParseVerdict reads the name of a verdict with its parameters: "refuse",
// "cut:10", "jitter:5ms,7", "error:EPIPE". A parameter that is left out has the
// value that the verdict's Doc gives in brackets; BYTES can be "all".
func ParseVerdict(s string) (Verdict, error) {
	name, rest, given := strings.Cut(s, ":")
	i := slices.IndexFunc(allVerdict, func(v Verdict) bool { return v.name == name })
	if i < 0 {
		return Pass, fmt.Errorf("faultnet: unknown verdict %q", name)
	}
	v := allVerdict[i]
	if !given {
		return v, nil
	}
	params := strings.Split(strings.Trim(v.params, "[:]"), ",")
	words := strings.Split(rest, ",")
	if v.params == "" || len(words) > len(params) {
		return Pass, fmt.Errorf("faultnet: verdict %q: want %s%s", s, name, v.params)
	}
	for i, w := range words {
		var err error
		switch params[i] {
		case "BYTES", "BYTE":
			v.bytes, err = parseBytes(w)
		case "DURATION":
			v.d, err = time.ParseDuration(w)
			if v.d < 0 {
				err = strconv.ErrRange
			}
		case "SEED":
			v.seed, err = strconv.ParseUint(w, 10, 64)
		case "ERRNO":
			v.errno, err = parseErrno(w)
		}
		if err != nil || v.effect == rate && v.bytes == 0 || (v.effect == chunk || v.effect == dribble) && v.bytes == 0 {
			return Pass, fmt.Errorf("faultnet: verdict %q: bad %s %q", s, params[i], w)
		}
	}
	return v.with(v.bytes, v.d, v.seed, v.errno), nil
}

func byteCount(n int) string {
	if n == math.MaxInt {
		return "all"
	}
	return strconv.Itoa(n)
}

func parseBytes(s string) (int, error) {
	if s == "all" {
		return math.MaxInt, nil
	}
	n, err := strconv.ParseUint(s, 10, 31)
	return int(n), err
}

// errnos is the numbers that calls on a TCP connection or listener are known
// to fail with on Linux.
var errnos = []struct {
	name  string
	errno syscall.Errno
}{
	{"EPIPE", syscall.EPIPE}, {"ECONNRESET", syscall.ECONNRESET}, {"ETIMEDOUT", syscall.ETIMEDOUT},
	{"EHOSTUNREACH", syscall.EHOSTUNREACH}, {"ENETUNREACH", syscall.ENETUNREACH}, {"ENETDOWN", syscall.ENETDOWN},
	{"EMFILE", syscall.EMFILE}, {"ENFILE", syscall.ENFILE}, {"ENOBUFS", syscall.ENOBUFS}, {"ENOMEM", syscall.ENOMEM},
	{"ECONNABORTED", syscall.ECONNABORTED}, {"EINVAL", syscall.EINVAL}, {"EIO", syscall.EIO}, {"EPROTO", syscall.EPROTO},
}

// ErrnoName is the name that scripts have for an errno.
func ErrnoName(e syscall.Errno) string {
	for _, x := range errnos {
		if x.errno == e {
			return x.name
		}
	}
	return strconv.Itoa(int(e))
}

func parseErrno(s string) (syscall.Errno, error) {
	for _, x := range errnos {
		if x.name == s {
			return x.errno, nil
		}
	}
	return 0, strconv.ErrSyntax
}

// ends reports whether a call that failed with errno leaves no connection.
func ends(errno syscall.Errno) bool {
	switch errno {
	case syscall.EPIPE, syscall.ECONNRESET, syscall.ETIMEDOUT, syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.ECONNABORTED:
		return true
	}
	return false
}

func dialFault(name string, errno syscall.Errno, doc string) Verdict {
	return Verdict{name: name, kinds: Dial, doc: doc,
		fail: func(e *Event) error {
			return connectError(e.dial.network, e.dial.remote(), errno)
		}}
}

func resolveFault(name string, dns net.DNSError) Verdict {
	return Verdict{name: name, kinds: Dial, doc: "the resolver says: " + dns.Err,
		fail: func(e *Event) error {
			err := dns
			err.Name, _, _ = net.SplitHostPort(e.Addr)
			return dialError(e.dial.network, nil, &err)
		}}
}

// Errno is the number of a verdict such as [Fail], or 0.
func (v Verdict) Errno() syscall.Errno { return v.errno }

// ErrnoNames is all of these names.
func ErrnoNames() []string {
	names := make([]string, len(errnos))
	for i, x := range errnos {
		names[i] = x.name
	}
	return names
}
