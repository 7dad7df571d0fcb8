// Package on is the program's side of package deep: it reports whether the program
// runs on the edited runtime, and takes part in the inner choices of a bubble.
package on

// Choices says which alternatives a bubble takes where several things may come
// next, and has the choices that it made. It is shared with the runtime, which has
// the same type: read and write it only while no other goroutine of the bubble
// runs.
type Choices struct {
	Strategy Strategy
	quiet    uint32
	Rate     uint32 // for Random: so many of 256 chances to preempt are taken
	Made     uint32 // how many choices the step has had
	All      uint32 // how many choices the run has had
	past     uint32
	tellings uint32
	low      uint32
	Seed     uint64 // of what the strategy draws
	//lint:ignore U1000 The runtime uses it.
	place uintptr
	//lint:ignore U1000 The runtime uses it.
	root     uint64
	Plan     []Departure
	Log      []Choice // has room for the choices of a step that are recorded
	Told     []Told   // has room for the departures of a step that are described
	packages []pkg
	ranks    [256]struct{ id, rank uint64 }
	//lint:ignore U1000 The runtime uses it.
	sites [2048]uint64
}

// Strategy says how alternatives are chosen.
type Strategy uint32

const (
	Planned Strategy = iota // as Plan says, and otherwise what comes by itself
	Random                  // each alternative with the same chance
	PCT                     // by priorities of goroutines; Plan has the change points
	POS                     // by weights that are drawn again for each operation
)

// Departure is a choice that takes another alternative than what comes by itself.
type Departure struct {
	At   uint32 // the number of the choice in its step, from 1; for PCT in the run
	Take uint32 // the alternative; 0 is what comes by itself
}

// Choice is a choice that was made.
type Choice struct {
	Kind     Kind
	Of, Took uint16  // the number of alternatives, and the index of the one that was taken
	Place    uintptr // the program counter of the code under test that was at the place, or 0
	Started  uintptr // that of the go statement of the goroutine that made the choice, or, for Run, comes by itself
}

// Kind says between which alternatives a choice is.
type Kind uint8

const (
	Run     Kind = iota // the goroutine that runs next
	Preempt             // the goroutine that runs, or another one
	Case                // the ready case of a select
	Mutex               // the goroutine that gets a mutex
	Fire                // the timer of an instant
	Range               // the entry at which a range over a map begins
)

// Told describes a departure: the goroutine that made it, if it is of interest, and
// the goroutine that was chosen, if one was. A zero ID stands for none.
type Told struct {
	At           uint32 // the number of the choice
	By, To       uint64
	ByPCs, ToPCs [16]uintptr // program counters, innermost first
	Started      bool        // To has not run yet, and ToPCs has the place that started it
}

// pkg says whether functions whose name has this prefix are places for a choice.
type pkg struct {
	prefix string
	class  uint8
}

const (
	under   = 1 + iota // code under test
	other              // code that is not
	asked              // a package whose caller decides
	serving            // code of a server; the goroutines that it starts are not under test
	passed             // a method of package sync/atomic, which may be inlined or not
)

// New returns choices with room for log entries, and with none for descriptions. Code is under test
// unless it is of the standard library or its function's name has one of the
// prefixes. Packages net/http and database/sql are under test, but
// not the servers of net/http.
func New(log int, notUnderTest ...string) *Choices {
	c := &Choices{Log: make([]Choice, log)}
	add := func(class uint8, prefixes ...string) {
		for _, p := range prefixes {
			c.packages = append(c.packages, pkg{p, class})
		}
	}
	for _, name := range []string{"archive", "bufio", "bytes", "cmp", "compress", "container", "crypto", "debug", "embed",
		"encoding", "errors", "expvar", "flag", "fmt", "go", "hash", "html", "image", "index", "internal", "iter", "log", "maps",
		"math", "mime", "net", "os", "path", "plugin", "reflect", "regexp", "slices", "sort", "strconv", "strings", "structs",
		"syscall", "testing", "text", "unicode", "unique", "unsafe", "weak"} {
		add(other, name+".", name+"/")
	}
	add(asked, "runtime.", "internal/runtime/", "sync.", "sync/", "internal/sync.", "time.", "context.", "io.")
	add(passed, "sync/atomic.")
	add(under, "net/http.", "net/http/", "database/sql.")
	add(serving, "net/http.(*Server).", "net/http.(*conn).", "net/http.(*connReader).", "net/http.(*response).",
		"net/http.(*http2Server).", "net/http.(*http2serverConn).", "net/http/internal/http2.(*Server).", "net/http/internal/http2.(*serverConn).")
	add(other, notUnderTest...)
	return c
}

// Reset prepares the choices for another run.
func (c *Choices) Reset() {
	c.Strategy, c.quiet, c.Rate, c.All, c.low, c.Seed, c.past, c.Plan = Planned, 0, 0, 0, 0, 0, 0, c.Plan[:0]
	clear(c.ranks[:])
	c.Step()
}

// Step begins a step. With strategy Planned, Plan has its departures.
func (c *Choices) Step() {
	if c.Strategy == Planned {
		c.past = 0
	}
	c.Made, c.tellings = 0, 0
}

// End ends the choices of the run: what is left comes by itself.
func (c *Choices) End() { c.quiet = 1 << 31 }

// Choices returns the choices of the step, as far as there was room.
func (c *Choices) Choices() []Choice { return c.Log[:min(int(c.Made), len(c.Log))] }

// Departures returns the descriptions of the departures of the step, as far as there
// was room.
func (c *Choices) Departures() []Told { return c.Told[:c.tellings] }
