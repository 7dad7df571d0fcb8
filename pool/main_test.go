package pool

import (
	"testing"

	"go.uber.org/goleak"
)

// Every goroutine ends when its connection closes.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
