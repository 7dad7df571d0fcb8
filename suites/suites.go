package suites

import (
	"github.com/halfopen/halfopen/suites/internal/cases"
)

// The parts of a case.
type (
	// Case is a claim, with the settings and bounds for it, and a body that checks it.
	Case = cases.Case
	// Env is the environment of a case: a run of package harness with a transport.
	Env = cases.Env
	// ClientEnv is the environment of a case for clients: a run with a client or a pool.
	ClientEnv = cases.ClientEnv

	// Server runs a server of a protocol, where package harness has none.
	Server = cases.Server

	// Group is the first word of the names of cases that are about one thing.
	Group = cases.Group
	// Protocol is a way to speak HTTP, or several: a set is the union of its bits.
	Protocol = cases.Protocol
	// Client is a client that is not HTTP: of Redis, of a database, of RPC. Do says
	// something to the server and returns what it heard: the same words, if nothing went
	// wrong.
	Client = cases.Client
	// ClientSettings are the settings that a case may want of a client. A zero field is not
	// wanted.
	ClientSettings = cases.ClientSettings
	// ClientConn is a single connection of a transport, in its user's hands, as
	// [net/http.ClientConn] is: the cases of the group "conn" are about these.
	ClientConn = cases.ClientConn
)

// The protocols.
const (
	HTTP1 = cases.HTTP1 // HTTP/1.1
	H2    = cases.H2    // HTTP/2 over TLS
	H2C   = cases.H2C   // HTTP/2 without TLS, from its first byte
	H3    = cases.H3    // HTTP/3, over datagrams
)

// Protocols returns the protocols, in the order in which subjects are listed.
func Protocols() []Protocol { return cases.Protocols() }

// Cases returns the cases of transports, by group and name: those in Go and the race scripts.
func Cases() []Case { return cases.All() }

// ClientCases returns the cases of clients and pools, by group and name.
func ClientCases() []Case { return cases.OfClients() }

// Groups returns the groups of [Cases], in their order.
func Groups() []Group { return cases.Groups() }

// ClientGroups returns the groups of [ClientCases], in their order.
func ClientGroups() []Group { return cases.ClientGroups() }
