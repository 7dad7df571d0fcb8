package search

import (
	"cmp"
	"slices"
	"sync"
)

// A search is a sequence: which schedule is next, when it ends, and what it says follow from
// the results of the runs, taken in their order. Several goroutines can run the program at
// once all the same, because most of what the next turns run is known before the results of
// this one are: the tree has its nodes in order, and a draw follows from its number. Such
// runs are handed out ahead of their turn. Their results are taken when their turn comes, and
// those behind the end of the search are dropped. So nothing that a search says depends on
// how many goroutines there are, or on how fast they are.

// attempt is a run of the program that is to be made, or was.
type attempt struct {
	result
	done chan struct{} // closed when it was made; nil if it is not handed out
}

// make makes the run.
func (a *attempt) make(run Run) {
	a.Outcome = run(a.Choices)
	if a.done != nil {
		close(a.done)
	}
}

// made reports whether the run was made.
func (a *attempt) made() bool {
	select {
	case <-a.done:
		return true
	default:
		return false
	}
}

// crew is the goroutines that make attempts ahead of their turn.
type crew struct {
	size    int // with the goroutine of the search
	members sync.WaitGroup

	mu    sync.Mutex
	news  sync.Cond  // of what follows
	queue []*attempt // handed out, and not begun
	busy  int        // how many goroutines make an attempt, without that of the search
	rests bool       // none begins one
	over  bool
}

// muster returns a crew with a goroutine for each of the runs, or nil if there are none.
func muster(runs []Run) *crew {
	if len(runs) == 0 {
		return nil
	}
	c := &crew{size: 1 + len(runs)}
	c.news.L = &c.mu
	for _, run := range runs {
		c.members.Go(func() {
			for a := c.begin(); a != nil; a = c.begin() {
				a.make(run)
				c.end()
			}
		})
	}
	return c
}

// room returns how many attempts are handed out at once: for each goroutine some, so that
// a long one does not keep the others waiting.
func (c *crew) room() int {
	if c == nil {
		return 1
	}
	return 8 * c.size
}

// hand hands an attempt out.
func (c *crew) hand(a *attempt) {
	if c == nil {
		return
	}
	a.done = make(chan struct{})
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queue = append(c.queue, a)
	c.news.Signal()
}

// begin waits for an attempt and returns it, or nil when the crew is dismissed.
func (c *crew) begin() *attempt {
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.over && (len(c.queue) == 0 || c.rests) {
		c.news.Wait()
	}
	if c.over {
		return nil
	}
	c.busy++
	return c.remove(0)
}

// end says that a goroutine has made its attempt.
func (c *crew) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.busy--; c.rests {
		c.news.Broadcast()
	}
}

// rest returns when only the goroutine of the search runs the program. It alone does so until
// the function is called that rest returns.
func (c *crew) rest() (resume func()) {
	if c == nil {
		return func() {}
	}
	set := func(rests bool) {
		c.mu.Lock()
		defer c.mu.Unlock()
		for c.rests = rests; rests && c.busy > 0; {
			c.news.Wait()
		}
		c.news.Broadcast()
	}
	set(true)
	return func() { set(false) }
}

// take removes an attempt from the queue: that one if it has not begun, else the first, else
// none.
func (c *crew) take(wanted *attempt) *attempt {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.queue) == 0 {
		return nil
	}
	return c.remove(max(0, slices.Index(c.queue, wanted)))
}

// remove removes an attempt from the queue, with the lock.
func (c *crew) remove(i int) *attempt {
	a := c.queue[i]
	c.queue = slices.Delete(c.queue, i, i+1)
	return a
}

// drop takes back what has not begun.
func (c *crew) drop() {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queue = nil
}

// dismiss ends the crew, and returns when nothing runs any more.
func (c *crew) dismiss() {
	if c == nil {
		return
	}
	c.mu.Lock()
	c.over = true
	c.news.Broadcast()
	c.mu.Unlock()
	c.members.Wait()
}

// attempt returns a run that is to be made.
func (e *Engine) attempt(limits Limits, by chooser, tell bool) *attempt {
	c := &Choices{by: by, limits: limits, Tell: tell}
	if n := len(e.spare); n > 0 {
		s := e.spare[n-1]
		e.spare = e.spare[:n-1]
		c.steps, c.slab = s.steps[:0], s.slab[:0]
		c.segments, c.points = s.segments[:0], s.points[:0]
	}
	return &attempt{result: result{Choices: c}}
}

// take returns the result of an attempt when it is made. Until then, the goroutine of the
// search makes attempts too: this one, if it has not begun.
func (e *Engine) take(a *attempt) result {
	switch {
	case a.done == nil:
		a.make(e.runs[0])
	default:
		for !a.made() {
			if next := e.crew.take(a); next != nil {
				next.make(e.runs[0])
			} else {
				<-a.done
			}
		}
	}
	e.insides = e.insides || len(a.points) > 0
	e.Refused = cmp.Or(e.Refused, a.Refused)
	return a.result
}

// recycle takes back the memory of a run that is not looked at again.
func (e *Engine) recycle(r result) {
	if !r.Failed && !r.Undecided && len(e.spare) < e.crew.room() {
		e.spare = append(e.spare, r.Choices)
	}
}

// turns has the runs that are handed out for the next turns of an exploration.
type turns struct {
	next  int              // the first that is not handed out
	draws map[int]*attempt // by turn
}

// ahead hands out what the turns from i on run, as far as that is known.
func (e *Engine) ahead(i int) {
	if e.crew == nil {
		return
	}
	left := e.bounds.Schedules - e.turned()
	e.turns.next = max(e.turns.next, i)
	for ; e.turns.next < i+min(e.crew.room(), left); e.turns.next++ {
		n := e.turns.next
		if strategy := e.strategy(n); strategy != inOrder {
			e.handDraw(strategy, n, i)
		} else if !e.tree.hand() && e.tree.over() && e.bounds.Strategy != inOrder {
			e.handDraw(e.lot(n), n, i)
		}
	}
}

// handDraw hands out the draw of a turn, if it is this shard's. Before it, those since turn i
// are drawn.
func (e *Engine) handDraw(strategy string, n, i int) {
	number := e.draws
	for k := i; k < n; k++ {
		if e.strategy(k) != inOrder || e.tree.over() {
			number++
		}
	}
	if e.bounds.Shard.owns(number) {
		a := e.drawing(strategy, n)
		e.turns.draws[n] = a
		e.crew.hand(a)
	}
}
