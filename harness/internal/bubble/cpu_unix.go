//go:build unix

package bubble

import (
	"syscall"
	"time"
)

// processorTime returns how much processor time the process has used so far.
func processorTime() (time.Duration, bool) {
	var used syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &used) != nil {
		return 0, false
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano()), true
}
