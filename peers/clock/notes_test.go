package clock

import (
	"flag"
	"fmt"
	"os"
	"testing"
)

// notes is what the figures of CreateAndFire and CreateAndCall do not say. The
// table has them below.
const notes = `Note: bubble does not put timers with a channel in order, or send anything: who reads gets the value made then.
Note: k8s fires in the order of creation, not of deadlines, and sends all timers the last instant. It runs callbacks
Note: under its lock, where they cannot use the clock. Its Stop and Reset leave stale values behind.
Note: bare is no clock: it makes timers and sends in the order of deadlines, which it is told for nothing.
`

func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("test.bench"); f.Value.String() != "" {
		fmt.Print(notes)
	}
	os.Exit(m.Run())
}
