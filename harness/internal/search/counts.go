package search

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
)

// Counts says how much a search has explored.
type Counts struct {
	Schedules int // that were run
	Drawn     int // of these: at random. The others are distinct.
	Pruned    int // nodes of the tree that were left out as equal to others
	Sampled   int // that had coincidences
	Waiting   int // that are known and not yet run; of a shard what it adds to the sum
	// Estimate is how many distinct schedules there are within the bounds, and EstimateError its
	// standard error; 0 of a search that is complete, or that ended before its bound.
	Estimate, EstimateError int
	Complete                bool           // these were all within the bounds
	Delays                  int            // up to so many delays and faults together every schedule was run; -1 for none
	Outcomes                map[string]int // how often each outcome was seen
	Reached                 map[string]int // in how many schedules each state was reached
}

// reach counts the states that a run reached.
func (c *Counts) reach(states map[string]bool) {
	for state, ok := range states { // in any order: they are counted
		if c.Reached == nil {
			c.Reached = make(map[string]int)
		}
		n := c.Reached[state]
		if ok {
			n++
		}
		c.Reached[state] = n
	}
}

// Unreached returns the states that no schedule reached.
func (c Counts) Unreached() (states []string) {
	for _, state := range slices.Sorted(maps.Keys(c.Reached)) {
		if c.Reached[state] == 0 {
			states = append(states, state)
		}
	}
	return states
}

// Merge returns what the shards did together: what one process would have done, if
// each shard came to its end. There must be one.
func Merge(shards []Counts) Counts {
	all := Counts{Complete: true, Delays: -1, Outcomes: make(map[string]int)}
	for _, c := range shards {
		if c.Complete {
			all.Delays = max(all.Delays, c.Delays)
		}
	}
	for _, c := range shards {
		all.Schedules += c.Schedules
		all.Drawn += c.Drawn
		all.Pruned += c.Pruned
		all.Sampled += c.Sampled
		all.Waiting += c.Waiting
		if !c.Complete && (all.Complete || c.Delays < all.Delays) {
			all.Complete, all.Delays = false, c.Delays
		}
		for o, n := range c.Outcomes {
			all.Outcomes[o] += n
		}
		for state, n := range c.Reached { // in any order: they are added
			if all.Reached == nil {
				all.Reached = make(map[string]int)
			}
			all.Reached[state] += n
		}
	}
	return all
}

// Shard is the part of a search that this process does: part Index of Total, from 0.
type Shard struct{ Index, Total int }

// owns reports whether the i-th piece is this shard's.
func (s Shard) owns(i int) bool { return s.Total <= 1 || i%s.Total == s.Index }

// ShardFromEnv returns the shard that the environment says: TEST_SHARD_INDEX of
// TEST_TOTAL_SHARDS, as Bazel and others set them; or, of HALFOPEN_SHARDS, the
// HALFOPEN_SHARD or the JOB_COMPLETION_INDEX of an indexed Kubernetes Job.
func ShardFromEnv() (Shard, error) {
	for _, v := range []struct {
		total, index string
	}{
		{"TEST_TOTAL_SHARDS", "TEST_SHARD_INDEX"},
		{"HALFOPEN_SHARDS", "HALFOPEN_SHARD"},
		{"HALFOPEN_SHARDS", "JOB_COMPLETION_INDEX"},
	} {
		total, index := os.Getenv(v.total), os.Getenv(v.index)
		if total == "" || index == "" {
			continue
		}
		n, err1 := strconv.Atoi(total)
		i, err2 := strconv.Atoi(index)
		if err1 != nil || err2 != nil || n < 1 || i < 0 || i >= n {
			return Shard{}, fmt.Errorf("bad shard: %s=%q of %s=%q: want numbers, the first of them at least 0 and less than the other", v.index, index, v.total, total)
		}
		if v.total == "TEST_TOTAL_SHARDS" {
			// The runner wants to know that its variables were read.
			if f := os.Getenv("TEST_SHARD_STATUS_FILE"); f != "" {
				os.WriteFile(f, nil, 0o666)
			}
		}
		return Shard{i, n}, nil
	}
	for _, name := range []string{"HALFOPEN_SHARDS", "HALFOPEN_SHARD"} {
		if v := os.Getenv(name); v != "" {
			return Shard{}, fmt.Errorf("bad shard: %s=%q: want HALFOPEN_SHARDS, and HALFOPEN_SHARD or JOB_COMPLETION_INDEX", name, v)
		}
	}
	return Shard{0, 1}, nil
}
