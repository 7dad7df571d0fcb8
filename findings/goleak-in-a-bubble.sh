#!/usr/bin/env bash
# go.uber.org/goleak v1.3.0 inside a bubble of testing/synctest (Go 1.26.8, 1.27.3):
# a test that starts no goroutine is said to leak two, the ones that package
# testing/synctest itself has for the bubble, and while goleak looks again for them
# to go away 431.071 ms of the bubble's virtual time pass, and every timer in the
# bubble that is due by then fires. With both ignored by their top functions nothing
# is reported and no time passes. Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module finding
go 1.26.0
require go.uber.org/goleak v1.3.0
MOD
cat > leak_test.go <<'GO'
package finding

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fired := false
		time.AfterFunc(400*time.Millisecond, func() { fired = true })
		start := time.Now()
		err := goleak.Find()
		text := fmt.Sprint(err)
		fmt.Println("goroutines:", strings.Count(text, "Goroutine "),
			strings.Contains(text, "with internal/synctest.Run on top of the stack"),
			strings.Contains(text, "with testing/synctest.testingSynctestTest on top of the stack"))
		fmt.Println("virtual time:", time.Since(start), "timer fired:", fired)
		start = time.Now()
		err = goleak.Find(goleak.IgnoreTopFunction("internal/synctest.Run"),
			goleak.IgnoreTopFunction("testing/synctest.testingSynctestTest"))
		fmt.Println("both ignored:", err, time.Since(start))
	})
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go test -count=1 . -v | grep -E '^(goroutines|virtual|both)' > got || true
cat > want <<'WANT'
goroutines: 2 true true
virtual time: 431.071ms timer fired: true
both ignored: <nil> 0s
WANT
diff want got && echo "as stated"
