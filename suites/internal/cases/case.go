// Package cases has what package suites asks of transports, clients and pools. Its goal is
// one file for each group of cases, with the words that several groups share in words.go;
// a case is put to a subject, and reported, by package suites.
package cases

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/testdata"
)

// Group is the first word of a case's name: what the case is about.
type Group string

// groups has the groups of transports, in the order in which cases are listed.
var groups = []Group{
	"reuse",  // a connection serves again
	"limit",  // there are no more of something than was asked for
	"order",  // the request that waits longest is served first
	"cancel", // a request that is cancelled ends nothing else
	"idle",   // what waits in the pool, and how long
	"broken", // the connection or its peer fails
	"retry",  // what may be sent again, and what may not
	"body",   // of a request or a response
	"expect", // 100-continue
	"proxy",
	"tls",
	"route", // what carries a request
	"http2",
	"conn",  // a single connection, in its user's hands: [ClientConn]
	"close", // CloseIdleConnections, Request.Close
	"trace", // what the hooks of package httptrace learn
	"leak",  // nothing is left behind
}

// clientGroups has the groups of clients, in the order in which cases are listed. Two of
// them only clients have.
var clientGroups = []Group{"reuse", "limit", "cancel", "idle", "broken", "close", "leak",
	"stuck", // every operation that waits is woken
	"talk",  // no operation hears what was said to another
}

// Groups returns the groups of [All].
func Groups() []Group { return slices.Clone(groups) }

// ClientGroups returns the groups of [OfClients].
func ClientGroups() []Group { return slices.Clone(clientGroups) }

// Case is one thing that is expected of every transport, or of every client.
type Case struct {
	// Name is the name of the subtest: "limit-never-exceeded". Its first word is its group.
	Name string
	// Claim says in a sentence what holds.
	Claim string
	// Verdict names the check that fails if the claim does not hold, in the words of the
	// documentation of package harness.
	Verdict string
	// Issues has the public bugs that the case guards against, as
	// "owner/repo#number".
	Issues []string
	// Source says who promises it: "RFC 9110 section 9.2.2",
	// "net/http: Transport.MaxConnsPerHost".
	Source string
	// Protocols has the protocols that the case is about. Zero means all.
	Protocols Protocol
	// Secure says that the case has https URLs, whatever the protocol, and that a client
	// speaks TLS. A transport that does not trust [harness.TrustedRoots] makes it not
	// applicable, and so does a client whose maker has no place for TLS.
	Secure bool
	// Hooks says that the case is about the hooks of package httptrace. A transport that
	// calls none makes it not applicable.
	Hooks bool
	// Knows has settings that the case leaves at zero and that a transport must know for it
	// to be asked: a maker that refuses one makes the case not applicable.
	Knows harness.Settings
	// Settings are those of the transport, and ClientSettings those of the client. One
	// that the maker refuses makes the case not applicable.
	Settings       harness.Settings
	ClientSettings ClientSettings
	// Servers prepares the network of a case for clients, before the client is made: serve
	// runs a server of the subject's kind on "host:port". Nil runs one at ClientSettings.Addr.
	Servers func(t *harness.T, serve func(addr string))
	// Bounds limits the exploration of the body. If Bounds.Schedules is 0 the body runs
	// once, in its own order.
	Bounds harness.Bounds
	// A case has one of these: Body for transports, ClientBody for clients and pools, or
	// Script, a race script for transports.
	Body       func(e *Env)
	ClientBody func(e *ClientEnv)
	Script     *harness.Script
}

// Group returns the group of the case.
func (c Case) Group() Group {
	group, _, _ := strings.Cut(c.Name, "-")
	return Group(group)
}

var issue = regexp.MustCompile(`\b[\w.-]+/[\w.-]+#\d+\b`)

// All returns the cases of transports, by group and name: those in Go, and the race scripts.
func All() []Case {
	all := slices.Concat(reuseCases, limitCases, orderCases, cancelCases, cancelWayCases, callbackCases, idleCases, keepingCases, brokenCases, retryCases, retryWhenCases,
		bodyCases, messageCases, boundCases, handoverCases, drainCases, expectCases, proxyCases, proxyHeadCases, tlsCases, routeCases, http2Cases, http2RuleCases, http2EndCases, streamCases, connCases, connEndCases,
		connStateCases, closeCases, traceCases, leakCases, forgottenCases)
	scripts, err := testdata.Scripts()
	if err != nil {
		panic("suites: " + err.Error()) // they are part of the build, and tested
	}
	for _, s := range scripts {
		c := Case{Name: s.Name, Claim: s.Claim, Protocols: HTTP1, Script: s}
		for _, line := range s.Comments() {
			if source, ok := strings.CutPrefix(strings.TrimLeft(line, "# "), "Source: "); ok {
				c.Source = strings.TrimSuffix(source, ".")
			}
			c.Issues = append(c.Issues, issue.FindAllString(line, -1)...)
		}
		all = append(all, c)
	}
	return sorted(all, groups)
}

// OfClients returns the cases of clients and pools, by group and name.
func OfClients() []Case {
	return sorted(slices.Concat(clientPoolCases, clientAgeCases, clientContextCases, clientEndCases, clientServerCases), clientGroups)
}

func sorted(cases []Case, groups []Group) []Case {
	slices.SortFunc(cases, func(a, b Case) int {
		return cmp.Or(cmp.Compare(slices.Index(groups, a.Group()), slices.Index(groups, b.Group())), cmp.Compare(a.Name, b.Name))
	})
	return cases
}
