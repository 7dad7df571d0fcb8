// Package search explores the orders in which the events of a program can happen.
//
// It knows nothing of what runs: a run offers, step by step, the options that there
// are ([Choices.Take]), gets the one to take, and returns its result ([Outcome]). The package decides which orders are tried: each once, within bounds
// ([Bounds]), or drawn at random; it counts them, keeps the simplest that fails in
// each way, and shrinks that to its shortest schedule.
//
// A *schedule* is the list of a run's choices by name. A *delay* is a choice that is
// not what has waited longest; a *fault* is an event with another outcome than its
// normal one; a *coincidence* is two events at once, of which chance makes what it
// will unless the bounds say [Bounds.Exact]. An *inner delay* is a choice inside a step, of a goroutine say, that is not what
// comes by itself ([Departure]); only some runs have inner choices ([Choices.Happened]). The order of the options at a step must depend on the choices
// before it alone: a step that offers something else in a second run with the same
// choices is a finding ([Divergence]).
package search
