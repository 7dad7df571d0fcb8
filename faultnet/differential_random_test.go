//go:build linux

package faultnet_test

import (
	"flag"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

var (
	randomScripts = flag.Int("differential.scripts", 300, "how many random scripts TestDifferentialRandom runs")
	randomSeed    = flag.Uint64("differential.seed", 1, "the seed of the first of them")
)

// Random scripts find what the list of cases lacks. One that differs is printed,
// and belongs into the list.
func TestDifferentialRandom(t *testing.T) {
	t.Logf("seeds %d to %d", *randomSeed, *randomSeed+uint64(*randomScripts)-1)
	for i := range *randomScripts {
		seed := *randomSeed + uint64(i)
		script := randomScript(rand.New(rand.NewPCG(seed, 0)))
		c := differential{script: script}
		ours := runOnFaultnet(t, parseScript(t, script), true)
		theirs := runOnKernel(t, ours, c)
		if !slices.EqualFunc(ours, theirs, c.allows) {
			t.Logf("seed %d", seed)
			reportDifference(t, c, ours, theirs)
		}
	}
}

// randomVerbs are calls whose outcome does not depend on the size of a buffer.
// Some stand twice, as most scripts should do something.
var randomVerbs = []string{
	"read 3", "read 3", "read 100", "read 0", "write hello", "write hello", "write hi", "write 0",
	"close", "closeread", "closewrite", "linger 0", "linger -1",
	"readdeadline past", "writedeadline past", "deadline none", "readdeadline later", "deadline later",
}

func randomScript(r *rand.Rand) string {
	steps := make([]string, 4+r.IntN(12))
	for i := range steps {
		who := []string{"c ", "s "}[r.IntN(2)]
		steps[i] = who + randomVerbs[r.IntN(len(randomVerbs))]
	}
	return strings.Join(steps, "; ")
}
