// Package words says things.
package plainwords

// step is what comes next. // want `is a riddle`
var step = 1

// It goes to whoever asks. // want `"whoeve." makes this sentence hard`
var owner = 2

// A stage is what a test runs. // want `is a riddle`
type stage struct{}

// size is the number of stages. // want `the comment of size names a thing`
func size() int { return 1 }

// sum returns the number of stages.
func sum() int { return 1 }

// Sums is the type of sum; a type may be a thing.
type Sums func() int

// ConnManager manages.
type ConnManager struct{} // want `ConnManager says nothing`

// A Pool keeps connections.
type Pool struct{}

func texts() []string {
	return []string{
		"nobody is left", // want `"nobod." makes this sentence hard`
		"and 133 by lot", // want `"by lo." makes this sentence hard`
		"sampled at random",
		"Who waits is woken",      // want `"Wh. waits" makes this sentence hard`
		"it wakes only who waits", // want `"only wh." makes this sentence hard`
		"it asks who waits",
		"a cancellation is not heard",   // want `"not hear." makes this sentence hard`
		"the case says nothing of that", // want `"says nothing o." makes this sentence hard`
		"what came of the run",          // want `"came o." makes this sentence hard`
		"read the body as it comes",     // want `"as it come." makes this sentence hard`
		"after so many tries",           // want `"after so man." makes this sentence hard`
		"it closes nothing but bodies",  // want `"nothing bu." makes this sentence hard`
		"somebody starts it anew",       // want `"somebod." makes this sentence hard` `"ane." makes this sentence hard`
		"it was mended in Go 1.27",      // want `"mende." makes this sentence hard`
	}
}
