// Package words says things.
package plainwords

// step is what comes next. // want `is a riddle`
var step = 1

// It goes to whoever asks. // want `"whoeve." makes this sentence hard`
var owner = 2

// ConnManager manages.
type ConnManager struct{} // want `ConnManager says nothing`

// A Pool keeps connections.
type Pool struct{}

func texts() []string {
	return []string{
		"nobody is left", // want `"nobod." makes this sentence hard`
		"and 133 by lot", // want `"by lo." makes this sentence hard`
		"sampled at random",
	}
}
