package harness

import (
	"fmt"
	"os"
	"strconv"
)

// Shard is the part of an exploration that this process does: part Index of
// Total, from 0.
type Shard struct{ Index, Total int }

// first reports whether what is nobody's is this shard's.
func (s Shard) first() bool { return s.Index == 0 }

// owns reports whether the i-th piece is this shard's.
func (s Shard) owns(i int) bool { return s.Total <= 1 || i%s.Total == s.Index }

// shardFromEnv is the shard that the environment says: TEST_SHARD_INDEX of
// TEST_TOTAL_SHARDS, as Bazel and others set them; or, of HALFOPEN_SHARDS, the
// HALFOPEN_SHARD or the JOB_COMPLETION_INDEX of an indexed Kubernetes Job.
func shardFromEnv() (Shard, error) {
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
			return Shard{}, fmt.Errorf("bad shard: %s=%q of %s=%q", v.index, index, v.total, total)
		}
		if v.total == "TEST_TOTAL_SHARDS" {
			// The runner wants to know that its variables were read.
			if f := os.Getenv("TEST_SHARD_STATUS_FILE"); f != "" {
				os.WriteFile(f, nil, 0o666)
			}
		}
		return Shard{i, n}, nil
	}
	return Shard{0, 1}, nil
}
