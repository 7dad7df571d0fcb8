package harness

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/halfopen/halfopen/internal/nearest"
)

// oracle is the name of a property that is checked in every run: see [T.Allow].
type oracle string

const (
	oracleLimit   oracle = "limit"
	oraclePrompt  oracle = "prompt"
	oracleWaits   oracle = "waits"
	oracleDials   oracle = "dials"
	oracleTurn    oracle = "turn"
	oracleOnce    oracle = "once"
	oracleSound   oracle = "sound"
	oracleReturn  oracle = "return"
	oracleAnswer  oracle = "answer"
	oracleBody    oracle = "body"
	oracleCause   oracle = "cause"
	oracleCloses  oracle = "closes"
	oracleOrphans oracle = "orphans"
	oracleTrace   oracle = "trace"
	oracleStrict  oracle = "strict"
)

// oracleTable has the sentence that each oracle enforces, in the order of the
// documentation of the package.
var oracleTable = []struct {
	name oracle
	rule string
}{
	{oracleLimit, `net/http, Transport: "MaxConnsPerHost optionally limits the total number of connections per host, including connections in the dialing, active, and idle states"`},
	{oraclePrompt, `net/http, NewRequestWithContext: "the context controls the entire lifetime of a request and its response"`},
	{oracleWaits, `net/http, Transport: "By default, Transport caches connections for future re-use"`},
	{oracleDials, `RFC 9112 section 9.4: "A client ought to limit the number of simultaneous open connections that it maintains to a given server"`},
	{oracleTurn, `net/http, Transport.MaxConnsPerHost: "On limit violation, dials will block"; a connection that comes free is for the request that has waited longest`},
	{oracleOnce, `RFC 9110 section 9.2.2: "A client SHOULD NOT automatically retry a request with a non-idempotent method"`},
	{oracleSound, "RFC 9112 section 6.3: what is left of one response must not be taken for the next one"},
	{oracleReturn, `net/http, RoundTripper: "RoundTrip executes a single HTTP transaction, returning a Response for the provided Request"`},
	{oracleAnswer, `RFC 9112 section 9.2: "it relies on the order of response arrival to correspond exactly to the order in which requests are made on the same connection"`},
	{oracleBody, `RFC 9112 section 8: "A client that receives an incomplete response message" must "record the message as incomplete"`},
	{oracleCause, `net/http, Transport.CloseIdleConnections: "It does not interrupt any connections currently in use"; net/http, NewRequestWithContext: a context is that of one request`},
	{oracleCloses, `net/http, RoundTripper: "RoundTrip must always close the body, including on errors, but depending on the implementation may do so in a separate goroutine even after RoundTrip returns"`},
	{oracleOrphans, "T.LimitOrphans: dials that no request waits for are no more than the test says (golang/go#76784)"},
	{oracleTrace, "net/http/httptrace: GotConnInfo, PutIdleConn and WroteRequest say what happened to the connection and the request"},
	{oracleStrict, "T.Strict: each connection and each request body is closed once, nothing is written to it afterwards, and no deadline is armed while it is idle"},
}

// ruleOf returns the sentence that an oracle enforces.
func ruleOf(o oracle) string {
	i := slices.IndexFunc(oracleTable, func(row struct {
		name oracle
		rule string
	}) bool {
		return row.name == o
	})
	return oracleTable[i].rule
}

func checkOracle(name string) error {
	var names []string
	for _, row := range oracleTable {
		if string(row.name) == name {
			return nil
		}
		names = append(names, string(row.name))
	}
	return fmt.Errorf("unknown oracle %q%s", name, nearest.ThereAre(name, names))
}

// allowance says that an oracle does not apply to an operation, or to any if it has no name.
type allowance struct{ oracle, operation string }

// Allow says, with the reason, that an oracle does not apply in this test, or only not to the
// operations of those names: what it would report is right here. A rate limiter in front of a
// transport that calls no hooks of httptrace is right to wait while a connection is idle:
//
//	t.Allow("waits", "the limiter lets one request a second through")
//
// The name of an oracle stands in its failures; "Oracles" in the documentation of the
// package lists all. Where a [Maker] says it, it is for every test of its transports.
func (t *T) Allow(oracle, reason string, operations ...string) {
	t.step(append([]string{"allow", oracle, reason}, operations...)...)
	if err := checkOracle(oracle); err != nil {
		t.fatal(KindUsage, err.Error())
	}
	if strings.TrimSpace(reason) == "" {
		t.fatal(KindUsage, fmt.Sprintf("allow %s: the reason is missing", oracle))
	}
	t.journal.serve(strings.Join(append([]string{"allow", oracle, strconv.Quote(reason)}, operations...), " "))
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(operations) == 0 {
		operations = []string{""}
	}
	for _, name := range operations {
		t.allowed = append(t.allowed, allowance{oracle, name})
	}
}

// applies reports whether the oracle applies to an operation, which may be nil.
func (r *driver) applies(o oracle, about *Op) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !slices.ContainsFunc(r.allowed, func(a allowance) bool {
		return a.oracle == string(o) && (a.operation == "" || about != nil && a.operation == about.name)
	})
}

// violate records, once, that a property does not hold which every run must have. It is about
// an operation, or nil.
func (r *driver) violate(o oracle, about *Op, format string, args ...any) {
	r.violateAt(o, about, r.journal.place(), fmt.Sprintf(format, args...))
}

func (r *driver) violateAt(o oracle, about *Op, where, text string, detail ...string) {
	if r.journal.has(text) || !r.applies(o, about) {
		return
	}
	r.snapshot()
	if r.scheduler != nil {
		r.scheduler.failed()
	}
	r.journal.add(Failure{Kind: KindOracle, Text: text, Where: where,
		Detail: append(detail, fmt.Sprintf("oracle %s: %s", o, ruleOf(o)))})
}
