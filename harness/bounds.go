package harness

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness/internal/search"
	"github.com/halfopen/halfopen/internal/deep/on"
	"github.com/halfopen/halfopen/internal/nearest"
)

// Bounds limits an exploration. The zero value is a good default: the
// portfolio of strategies, 2 delays, 1 fault, 2,000 schedules.
type Bounds struct {
	// Delays is how many times a schedule may depart from what comes next by
	// itself, which is what has waited longest. A cancellation, a call of
	// CloseIdleConnections and a passing of time each count as one. 0 means 2;
	// [None] means none, [All] any number. The arrival of a request at a server that shares
	// nothing (see Independent) counts as none, early or late: a client sees only the answer. It is
	// a bound of what is tried in order, and of how often time passes; what is drawn at random
	// departs any number of times, unless this is None.
	Delays int
	// Faults is how many events of a schedule may be faults. 0 means 1.
	Faults int
	// Coincidences is how many times two events may happen with no quiet
	// between them. In an ordinary bubble the result is chance: such a schedule is run
	// several times, and its outcomes are a sample. In a deep one (halfopen test) it is not. 0
	// means none.
	Coincidences int
	// Inner is how many times a schedule may depart, inside its steps, from what comes
	// next by itself: which goroutine runs next, or preempts another one at an operation
	// that others can see, which ready case a select takes, which goroutine gets a mutex,
	// which timer of an instant fires first, where a range over a map begins. The
	// strategies that draw depart any number of times. Only a deep bubble (halfopen test)
	// has inner choices; in an ordinary one they are chance, and Inner means nothing. 0
	// means 1, or none if Schedules is All: there are many.
	Inner int
	// Schedules is how many schedules are run at most, by all shards together: these are
	// the same schedules that one process would run, each counted by one shard. Without a
	// finding that ends it, and without Time, an exploration by shards is exactly that of
	// one process. To know which schedules are within a number, shards run some of each
	// other's: shards divide best with Strategy "exhaustive" and Schedules: [All]. A few more
	// may be run: those that differ from one of these at its end only, where something arrives
	// at a server earlier, which is no delay. 0 means 2,000; [None] means that only saved
	// schedules are run.
	Schedules int
	// Time is how long, in real time, an exploration goes on. 0 means no limit:
	// what is explored does not depend on the machine.
	Time time.Duration
	// Effects is the faults that are tried, by the names of their verdicts. Nil
	// means "refuse" for dials and "reset" for what travels, the two that a
	// transport has to tell from everything else, "split:some", and "drop" for datagrams. "cut:*",
	// "reset:*", "stall:*" and "split:*" are tried at every byte of what arrives; of
	// more than 1,024 bytes at the first and the last 512. "cut:some" and so on are
	// tried at a few places of what a server sends: behind the head of a response, in
	// the middle of its body, before the last chunk, and before the last byte; not
	// where that is TLS or HTTP/2.
	Effects []string
	// Gates is the gates at which a request's goroutine, or that of its connection, may be
	// held until something else has happened: To hold one
	// counts as a delay. Nil means GetConn, GotConn and PutIdleConn, where a transport has
	// just changed its pool or is about to look at it; an empty list means none. [T.Gates] has
	// others, which park every goroutine that comes to them.
	Gates []string
	// Cancel lets every request of the body be cancelled, as MayCancel does.
	Cancel bool
	// Strategy is "exhaustive", "pct", "pos", "random" or, by default,
	// "portfolio": all of them in turn.
	Strategy string
	// Seed is the number that the strategies which draw at random start from. 0
	// means 1.
	Seed uint64
	// Independent says that the handlers of the test share nothing across
	// connections, so that it does not matter when a request arrives at one of
	// them, but for what happens on its own connection. What is tried in order then leaves out schedules
	// that differ in nothing else from one that departs no further. Of servers of [Pages] that is known.
	Independent bool
	// KeepGoing goes on after the first finding, to the end of the bounds.
	KeepGoing bool
	// AsFound leaves findings as they were found instead of looking for their
	// shortest schedules.
	AsFound bool
	// Parallel is how many schedules run at the same time, each in a bubble of its own; All is
	// GOMAXPROCS, and 0 what -halfopen.parallel says, or else 1. What is explored and found does
	// not depend on it, and a report is the same, byte for byte, with any number. With more than
	// 1 the body is called by several goroutines at once: it makes what it needs itself, and
	// shares no variable with its other calls, nor does the code that it calls (a package-level
	// pool of timers ends the process). In a deep bubble (halfopen test) schedules run one
	// after another.
	Parallel int `json:"-"`
	// Shard is the part of the exploration that this process does. The zero
	// value is what the environment says: TEST_SHARD_INDEX of TEST_TOTAL_SHARDS,
	// or HALFOPEN_SHARD or JOB_COMPLETION_INDEX of HALFOPEN_SHARDS; without
	// these, all of it.
	Shard Shard `json:"-"`

	whole bool // schedules are run as well that are equal to others
}

// Shard is the part of an exploration that this process does: part Index of
// Total, from 0.
type Shard struct{ Index, Total int }

// String returns the shard as people count: "2 of 3" is Index 1 of Total 3.
func (s Shard) String() string { return fmt.Sprintf("%d of %d", s.Index+1, s.Total) }

// shardOf returns the zero value for a search that is not divided.
func shardOf(s search.Shard) Shard {
	if s.Total <= 1 {
		return Shard{}
	}
	return Shard(s)
}

// None and All are for fields of [Bounds] whose zero value means something
// else.
const (
	None = -1
	All  = math.MaxInt
)

// Sweep returns the bounds of every single fault of the default ones at every event, and
// of nothing else.
func Sweep() Bounds {
	return Bounds{Delays: None, Faults: 1, Schedules: All, Strategy: "exhaustive"}
}

// SweepCancel returns the bounds of a cancellation of each request at every event; they
// include single delays.
func SweepCancel() Bounds {
	return Bounds{Delays: 1, Faults: None, Schedules: All, Strategy: "exhaustive", Cancel: true}
}

// SweepClose returns the bounds of a connection that its peer closes, or resets, at every
// byte.
func SweepClose() Bounds {
	b := Sweep()
	b.Effects = []string{"cut:*", "reset:*"}
	return b
}

// atBytes is the effects that can be tried at every byte, or at some.
var atBytes = []string{"cut", "reset", "stall", "split"}

// normal returns the bounds with the meaning of each zero spelled out, and the
// effects that they name.
func (b Bounds) normal() (Bounds, effects, error) {
	def := func(p *int, zero int) {
		switch {
		case *p == 0:
			*p = zero
		case *p < 0:
			*p = 0
		}
	}
	if err := b.check(); err != nil {
		return b, effects{}, err
	}
	def(&b.Delays, 2)
	def(&b.Faults, 1)
	def(&b.Coincidences, 0)
	if !on.Deep() || b.Inner == 0 && b.Schedules == All {
		b.Inner = None
	}
	def(&b.Inner, 1)
	def(&b.Schedules, 2000)
	if b.Seed == 0 {
		b.Seed = 1
	}
	strategies := search.Strategies()
	if b.Strategy == "" {
		b.Strategy = strategies[0]
	}
	if !slices.Contains(strategies, b.Strategy) {
		return b, effects{}, fmt.Errorf("unknown strategy %q%s; there are: %s", b.Strategy,
			nearest.DidYouMean(b.Strategy, strategies), strings.Join(strategies, ", "))
	}
	if b.Gates == nil {
		b.Gates = usualGates
	}
	for _, name := range b.Gates {
		if !slices.Contains(usualGates, name) {
			return b, effects{}, fmt.Errorf("bound Gates: got %q, want some of %s: [T.Gates] has the others", name, strings.Join(usualGates, ", "))
		}
	}
	if b.Effects == nil {
		b.Effects = []string{"refuse", "reset", "split:some", "drop"}
	}
	effects, err := parseEffects(b.Effects)
	return b, effects, err
}

// check returns an error for a number that means nothing.
func (b Bounds) check() error {
	for _, f := range []struct {
		name string
		n    int
	}{{"Delays", b.Delays}, {"Faults", b.Faults}, {"Coincidences", b.Coincidences}, {"Inner", b.Inner}, {"Schedules", b.Schedules}} {
		if f.n < None {
			return fmt.Errorf("bound %s: got %d, want at least 0 (or None, which is -1)", f.name, f.n)
		}
	}
	if b.Parallel < 0 {
		return fmt.Errorf("bound Parallel: got %d, want at least 0", b.Parallel)
	}
	if b.Time < 0 {
		return fmt.Errorf("bound Time: got %s, want at least 0", b.Time)
	}
	if s := b.Shard; s != (Shard{}) && (s.Index < 0 || s.Index >= s.Total) {
		return fmt.Errorf("bad shard: got Index %d of Total %d", s.Index, s.Total)
	}
	return nil
}

// workers returns how many schedules run at the same time. A schedule that waits for a
// package's lock is decided by another one that holds it, which a deep bubble would take for a
// choice.
func (b Bounds) workers() int {
	if on.Deep() {
		return 1
	}
	n := cmp.Or(b.Parallel, int(min(*parallelFlag, math.MaxInt)), 1)
	if n == All {
		n = runtime.GOMAXPROCS(0)
	}
	return max(1, min(b.Schedules, n))
}

// search returns the bounds without all that only a network can have.
func (b Bounds) search() search.Bounds {
	return search.Bounds{Limits: search.Limits{Delays: b.Delays, Faults: b.Faults, Coincidences: b.Coincidences, Inner: b.Inner},
		Schedules: b.Schedules, Time: b.Time, Strategy: b.Strategy, Seed: b.Seed, Whole: b.whole, Exact: on.Deep(),
		KeepGoing: b.KeepGoing, AsFound: b.AsFound, Shard: search.Shard(b.Shard)}
}

// effects is the faults that an exploration tries.
type effects struct {
	verdicts []faultnet.Verdict
	every    []string // those that are tried at every byte
	some     []string // those that are tried at a few places
}

func parseEffects(names []string) (e effects, err error) {
	for _, name := range names {
		base, every := strings.CutSuffix(name, ":*")
		base, some := strings.CutSuffix(base, ":some")
		if every || some {
			if !slices.Contains(atBytes, base) {
				near := ""
				if !slices.Contains(outcomeNames(), base) {
					near = nearest.DidYouMean(base, atBytes)
				}
				return e, fmt.Errorf("effect %q%s: only %s can be tried at every byte, or at some", name, near, strings.Join(atBytes, ", "))
			}
			if every {
				e.every = append(e.every, base)
			} else {
				e.some = append(e.some, base)
			}
			continue
		}
		if name == "" {
			return e, errors.New(`effect "": want the name of an outcome`)
		}
		v, err := parseOutcome(name)
		if err != nil {
			return e, err
		}
		if v.IsPass() || v.Kinds()&^faultnet.Calls == 0 {
			return e, fmt.Errorf("effect %q: an exploration cannot give it; it decides about what the network does, not about %s", name, cmp.Or(v.Kinds().String(), "the normal course"))
		}
		e.verdicts = append(e.verdicts, v)
	}
	return e, nil
}
