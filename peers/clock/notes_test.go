package clock

import (
	"flag"
	"fmt"
	"os"
	"testing"
)

// notes explain the figures of CreateAndFire and CreateAndCall. They are printed below
// the table.
const notes = `Note: bubble does not sort timers with a channel, and sends nothing: a receive makes the value.
Note: k8s fires in the order of creation, not of deadlines, and sends the last instant to all timers. It runs callbacks
Note: under its lock, where they cannot use the clock. After its Stop and Reset stale values are received.
Note: bare is not a clock: it makes timers and sends in the order of deadlines, which it gets without the work of sorting.
`

func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("test.bench"); f.Value.String() != "" {
		fmt.Print(notes)
	}
	os.Exit(m.Run())
}
