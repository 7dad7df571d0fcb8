package view

import (
	"slices"
	"time"
)

// Run has the steps of one run of a test, and everything that has states in it.
type Run struct {
	// Name is the name of the test, or of a schedule of it.
	Name string `json:"name"`
	// Verdict is "held", "failed", or "undecided".
	Verdict string `json:"verdict"`
	// Failures has the things that went wrong.
	Failures []Failure `json:"failures,omitempty"`
	// Again is the command that runs it again.
	Again string `json:"again,omitempty"`
	// Schedule is the choices of a run that was explored.
	Schedule []string `json:"schedule,omitempty"`
	// Outcome is how its operations ended, in a line.
	Outcome string `json:"outcome,omitempty"`
	// Script is a race script that fails as the run does.
	Script string `json:"script,omitempty"`
	// Began is the virtual time at which it began.
	Began time.Time `json:"began"`
	// Lanes is everything that has states.
	Lanes []Lane `json:"lanes"`
	// Steps has the lines of the trace, in order.
	Steps []Step `json:"steps"`
	// Sources has the text of the lines that steps and lanes name: "pool_test.go:12".
	Sources map[string]string `json:"sources,omitempty"`
	// Secrets is the keys of the run's TLS connections, in the format of SSLKEYLOGFILE.
	Secrets string `json:"secrets,omitempty"`
}

// Failure is one thing that went wrong.
type Failure struct {
	Kind   string   `json:"kind"`
	Text   string   `json:"text"`
	Reason string   `json:"reason,omitempty"`
	Where  string   `json:"where,omitempty"`
	Detail []string `json:"detail,omitempty"`
	// Step is the index of the last step before it.
	Step int `json:"step"`
}

// LaneKind says what a lane is.
type LaneKind string

// The kinds of lanes, in the order in which they are drawn.
const (
	OpLane    LaneKind = "op"    // an operation
	DialLane  LaneKind = "dial"  // a dial
	ConnLane  LaneKind = "conn"  // a connection: both ends
	PoolLane  LaneKind = "pool"  // what clients have to one host
	TimerLane LaneKind = "timer" // a deadline or a delay
)

// Lane is something that has a state at each step.
type Lane struct {
	Kind LaneKind `json:"kind"`
	// ID is its name in the trace: "r1", "d1", "c1"; the address of a host.
	ID string `json:"id"`
	// Title says what it is: "GET http://api.test/".
	Title string `json:"title,omitempty"`
	// Owner is the operation that a dial or a connection was made for.
	Owner string `json:"owner,omitempty"`
	// Where is the line of the program that began it.
	Where string `json:"where,omitempty"`
	// Client and Server are the addresses of a connection.
	Client string `json:"client,omitempty"`
	Server string `json:"server,omitempty"`
}

// StepKind says what a step is.
type StepKind string

// The kinds of steps.
const (
	VerbStep    StepKind = "verb"    // the test did something
	EventStep   StepKind = "event"   // something happened on the network
	LogStep     StepKind = "log"     // the test or a server logged a line
	SectionStep StepKind = "section" // a comment of a script
	TimeStep    StepKind = "time"    // virtual time passed, and changed something
)

// Step is one line of a run.
type Step struct {
	Kind StepKind `json:"kind"`
	// At is the virtual time since the run began.
	At   time.Duration `json:"at"`
	Text string        `json:"text"`
	// Where is the line of the test, the script or the program that it is about.
	Where string `json:"where,omitempty"`
	// Event says more of a step that is one.
	Event *Event `json:"event,omitempty"`
	// Changes has the lanes whose state is another one from this step on.
	Changes []Change `json:"changes,omitempty"`
}

// Event describes a step at which something happened on the network.
type Event struct {
	// What is "dial", "data", "fin", "rst" or "gate".
	What string `json:"what"`
	// Lane is the name of the dial or connection.
	Lane string `json:"lane,omitempty"`
	// From is "client" or "server": the end that sent what arrives.
	From string `json:"from,omitempty"`
	// Outcome names the result, or is "" for the normal course.
	Outcome string `json:"outcome,omitempty"`
	// Fault reports whether a fault, a shape or an answer of the test decided that.
	Fault bool `json:"fault,omitempty"`
	// Since is the index of the step after which it was pending; -1 if it was so from
	// the beginning.
	Since int `json:"since"`
	// Size is how many bytes arrived, and Bytes is the first of them.
	Size  int    `json:"size,omitempty"`
	Bytes []byte `json:"bytes,omitempty"`
}

// Change is the new state of a lane.
type Change struct {
	// Lane is its index.
	Lane int `json:"lane"`
	// State is a word of the states of its kind, or "" if it is no more.
	State string `json:"state"`
	// Note is more about it: the connection that a request is sent on, an error.
	Note string `json:"note,omitempty"`
	// Ends is the TCP states of the client's and the server's end of a connection, with
	// "*" if the program has not closed it.
	Ends *[2]string `json:"ends,omitempty"`
	// Queues is the bytes in flight and unread, to the server and to the client.
	Queues *[2][2]int `json:"queues,omitempty"`
	// Counts is, of a host: connections that are idle and in use, dials, and operations
	// that wait.
	Counts *[4]int `json:"counts,omitempty"`
}

// The states of lanes. A lane of a host has counts, and the state "open".
const (
	Declared = "declared"   // an operation that has not started
	Waiting  = "waiting"    // an operation that no server has seen; a timer that runs
	Sent     = "sent"       // an operation that a server has seen
	Reading  = "body open"  // an operation whose response body is open
	Done     = "done"       // an operation that succeeded; a timer that has fired
	Failed   = "failed"     // an operation or a dial that failed
	Dialing  = "dialing"    // a dial that has no answer
	Opened   = "open"       // a dial that has opened; a host
	GivenUp  = "given up"   // a dial whose context ended
	Idle     = "idle"       // a connection that a pool may have
	InUse    = "in use"     // a connection with a request on it
	Draining = "draining"   // a connection with the rest of a body that was closed early
	Closed   = "closed"     // a connection that the client has closed
	HalfOpen = "half-open"  // a connection of which one end is lost, or has ended
	Stopped  = "taken back" // a timer that was stopped
)

// Lane returns the index of a lane, or -1.
func (r *Run) Lane(kind LaneKind, id string) int {
	return slices.IndexFunc(r.Lanes, func(l Lane) bool { return l.Kind == kind && l.ID == id })
}

// Page has the data of one page: runs, the tree of the schedules of an exploration, the
// matrix of a conformance check.
type Page struct {
	Title string `json:"title"`
	// Runs is the runs that can be looked at. The first is shown first.
	Runs []*Run `json:"runs,omitempty"`
	// Tree is the schedules that an exploration ran.
	Tree *Tree `json:"tree,omitempty"`
	// Matrix is the results of cases for subjects.
	Matrix *Matrix `json:"matrix,omitempty"`
}
