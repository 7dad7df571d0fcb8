package suites

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/testdata"
)

// Group is what a case is about.
type Group string

// The groups, in the order in which cases are listed.
const (
	Reuse  Group = "reuse"  // a connection serves again
	Limit  Group = "limit"  // there are no more of something than was asked for
	Order  Group = "order"  // who waits longest is served first
	Cancel Group = "cancel" // whoever gives up gives up nothing else
	Idle   Group = "idle"   // what waits in the pool, and how long
	Broken Group = "broken" // the connection or its peer fails
	Retry  Group = "retry"  // what may be sent again, and what may not
	Body   Group = "body"   // of a request or a response
	Expect Group = "expect" // 100-continue
	Proxy  Group = "proxy"
	TLS    Group = "tls"
	HTTP2  Group = "http2"
	Conn   Group = "conn"  // a single connection, in its user's hands: [ClientConn]
	Close  Group = "close" // CloseIdleConnections, Request.Close
	Leak   Group = "leak"  // nothing is left behind
)

// Groups is all groups.
var Groups = []Group{Reuse, Limit, Order, Cancel, Idle, Broken, Retry, Body, Expect, Proxy, TLS, HTTP2, Conn, Close, Leak}

// Case is one thing that is expected of every transport.
type Case struct {
	// Name is the name of the subtest: "limit-never-exceeded".
	Name  string
	Group Group
	// Claim is what holds, in a sentence.
	Claim string
	// Verdict is what catches it when it does not hold, in the words of the
	// documentation of package harness.
	Verdict string
	// Issues is the public bugs that the case guards against, as
	// "owner/repo#number".
	Issues []string
	// Source is where it is said that it holds: "RFC 9110 section 9.2.2",
	// "net/http: Transport.MaxConnsPerHost".
	Source string
	// Protocols is what the case can be asked of. Zero means any.
	Protocols Protocol
	// Secure says that the case has https URLs, whatever the protocol. A
	// transport that does not trust [harness.TrustedRoots] makes it not
	// applicable.
	Secure bool
	// Settings is what the transport is asked for. One that it refuses makes
	// the case not applicable.
	Settings harness.Settings
	// Bounds is what Body is explored within. If Bounds.Schedules is 0 it is run
	// once, in its own order.
	Bounds harness.Bounds
	// Body is the case. It is nil for a case that is a script.
	Body func(e *Env)
	// Script is the case as a race script, or nil.
	Script *harness.Script
}

var issue = regexp.MustCompile(`\b[\w.-]+/[\w.-]+#\d+\b`)

// cases is the cases in Go, each file's its group's.
var cases = slices.Concat(reuseCases, limitCases, orderCases, cancelCases, idleCases, brokenCases, retryCases,
	bodyCases, drainCases, expectCases, proxyCases, tlsCases, http2Cases, streamCases, connCases, connEndCases,
	connStateCases, closeCases, leakCases)

// Cases is all cases, by group and name.
func Cases() []Case {
	scripts, err := testdata.Scripts()
	if err != nil {
		panic("suites: " + err.Error()) // they are part of the build, and tested
	}
	all := slices.Clone(cases)
	for _, s := range scripts {
		family, _, _ := strings.Cut(s.Name, "-")
		c := Case{Name: s.Name, Group: Group(family), Claim: s.Claim, Protocols: HTTP1, Script: s}
		for _, line := range s.Comments() {
			c.Issues = append(c.Issues, issue.FindAllString(line, -1)...)
		}
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b Case) int {
		return cmp.Or(cmp.Compare(slices.Index(Groups, a.Group), slices.Index(Groups, b.Group)), cmp.Compare(a.Name, b.Name))
	})
	return all
}

// Quirk declares that a case does not hold for a transport, in some versions of
// it. In these the case must fail: a quirk whose bug is gone fails the test, so that
// it is given an end. In all others the case must hold. Where the version cannot be
// told the case may do either.
type Quirk struct {
	// Case is the name of the case, of every protocol: "cancel-waiter"; or of
	// one: "h2/cancel-waiter".
	Case string
	// Reason is the mechanism: what happens, and where.
	Reason string
	// Issue is the public bug, as "owner/repo#number", if there is one.
	Issue string
	// Breaks is what says that it should be otherwise: a line of the
	// transport's documentation, or of an RFC.
	Breaks string
	// Versions is those that have it. A case may have several quirks, each of other
	// versions.
	Versions Versions
}

func (q Quirk) String() string {
	s := q.Reason
	if q.Issue != "" {
		s = q.Issue + ": " + s
	}
	if v := q.Versions.String(); v != "" {
		s += " (" + v + ")"
	}
	return s
}

// of reports whether the quirk is of that case over that protocol.
func (q Quirk) of(c Case, p Protocol) bool {
	return q.Case == c.Name || q.Case == p.String()+"/"+c.Name
}

// quirkOf is the quirk that a case has over a protocol in the versions that this
// program was built with, and whether these can be told. There may be none.
func quirkOf(quirks []Quirk, c Case, p Protocol) (quirk *Quirk, known bool) {
	for i, q := range quirks {
		if !q.of(c, p) {
			continue
		}
		in, knows := q.Versions.contains()
		if in || !knows {
			return &quirks[i], knows
		}
	}
	return nil, true
}

// CheckQuirks returns an error for a quirk of a case that does not exist, or of versions
// that do not: it would never be seen to be obsolete.
func CheckQuirks(cases []Case, quirks []Quirk) error {
	for _, q := range quirks {
		name := q.Case
		if p, rest, ok := strings.Cut(name, "/"); ok && parseProtocol(p) != 0 {
			name = rest
		}
		if !slices.ContainsFunc(cases, func(c Case) bool { return c.Name == name }) {
			return fmt.Errorf("suites: quirk for unknown case %q", q.Case)
		}
		if err := q.check(); err != nil {
			return err
		}
	}
	return nil
}

// checkVersions refuses a quirk of a case over a protocol whose versions are none: it
// would be applied to all of them, or to none.
func checkVersions(quirks []Quirk, c Case, p Protocol) error {
	for _, q := range quirks {
		if err := q.check(); err != nil && q.of(c, p) {
			return err
		}
	}
	return nil
}

// check refuses a quirk of versions that are none.
func (q Quirk) check() error {
	if err := q.Versions.check(); err != nil {
		return fmt.Errorf("suites: quirk for %s: %w", q.Case, err)
	}
	return nil
}
