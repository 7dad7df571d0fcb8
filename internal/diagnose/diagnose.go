package diagnose

import (
	"bufio"
	"cmp"
	"io"
	"maps"
	"slices"
)

// routine keeps the part of a goroutine that a diagnosis needs.
type routine struct {
	kind    kind
	n       int
	id      int64
	creator int64
	conn    uint64
	minutes int
	place   string // the program's calls on its stack
	start   string // the program's go statement
	stage   string
}

// What is kept at most.
const (
	mostRoutines = 300_000
	mostPlaces   = 20_000
)

// Diagnosis answers what the connections of a process wait for.
type Diagnosis struct {
	all      int
	counts   bool // without identities
	cut      bool
	origins  bool // of the goroutines of a connection its ancestors are known
	skipped  int
	routines []routine
	places   map[string]string
	byConn   map[kind]map[uint64]*routine
	byID     map[int64]*routine
	started  map[kind]map[int64]bool // by which goroutines one of that kind was started
}

// Read reads goroutines. An error names the line, or the offset, behind the name of the file.
func Read(file string, in io.Reader) (*Diagnosis, error) {
	d := &Diagnosis{places: make(map[string]string)}
	src := &dump{file: file, in: bufio.NewReaderSize(in, mostInLine)}
	if err := src.each(d.add); err != nil {
		return nil, err
	}
	d.counts, d.cut = src.counts, src.cut
	d.index()
	return d, nil
}

func (d *Diagnosis) add(g *goroutine) {
	d.all += g.n
	k, conn, place := kindOf(g)
	if k == other {
		return
	}
	if len(d.routines) == mostRoutines {
		d.skipped += g.n
		return
	}
	r := routine{kind: k, n: g.n, id: g.id, creator: g.creator, conn: conn, minutes: g.minutes,
		place: d.intern(place), start: d.intern(startOf(g))}
	if k == dials {
		r.stage = stageOf(g)
	}
	d.origins = d.origins || len(g.origin) > 0
	d.routines = append(d.routines, r)
}

// intern returns one string for equal ones. Beyond a limit all are one.
func (d *Diagnosis) intern(s string) string {
	if known, ok := d.places[s]; ok {
		return known
	}
	if len(d.places) == mostPlaces {
		return "elsewhere"
	}
	d.places[s] = s
	return s
}

// index makes the goroutines of a connection, and the one that started another, easy to find.
func (d *Diagnosis) index() {
	d.byConn = make(map[kind]map[uint64]*routine)
	d.byID = make(map[int64]*routine)
	d.started = make(map[kind]map[int64]bool)
	for i := range d.routines {
		r := &d.routines[i]
		if r.id != 0 {
			d.byID[r.id] = r
		}
		if r.creator != 0 {
			if d.started[r.kind] == nil {
				d.started[r.kind] = make(map[int64]bool)
			}
			d.started[r.kind][r.creator] = true
		}
		if r.conn != 0 {
			if d.byConn[r.kind] == nil {
				d.byConn[r.kind] = make(map[uint64]*routine)
			}
			d.byConn[r.kind][r.conn] = r
		}
	}
}

// on returns the goroutine of a kind that is of the same connection as another one, or nil.
func (d *Diagnosis) on(r *routine, k kind) *routine {
	if r.conn == 0 {
		return nil
	}
	return d.byConn[k][r.conn]
}

// startedBy returns the goroutine that started this one, if it is of one of these kinds.
func (d *Diagnosis) startedBy(r *routine, kinds ...kind) *routine {
	by := d.byID[r.creator]
	if by == nil || r.creator == 0 || !slices.Contains(kinds, by.kind) {
		return nil
	}
	return by
}

// count returns how many goroutines are of a kind.
func (d *Diagnosis) count(k kind) (n int) {
	for i := range d.routines {
		if d.routines[i].kind == k {
			n += d.routines[i].n
		}
	}
	return n
}

// group counts the goroutines of a section that are at one line of the program.
type group struct {
	n        int
	place    string
	from, to int // minutes
}

// section is one answer: so many connections, or requests, wait for that.
type section struct {
	*answer
	n      int
	groups map[string]*group
}

func (s *section) add(n int, place string, minutes int) {
	s.n += n
	g := s.groups[place]
	if g == nil {
		g = &group{place: place, from: minutes, to: minutes}
		s.groups[place] = g
	}
	g.n += n
	g.from, g.to = min(g.from, minutes), max(g.to, minutes)
}

// sorted returns the groups, the largest first.
func (s *section) sorted() []*group {
	return slices.SortedFunc(maps.Values(s.groups), func(a, b *group) int {
		return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.place, b.place))
	})
}
