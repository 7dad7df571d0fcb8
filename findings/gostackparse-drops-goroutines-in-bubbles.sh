#!/usr/bin/env bash
# DataDog/gostackparse v0.7.0 "parses goroutines stack traces as produced by panic() or
# debug.Stack()". In the header of a goroutine in a bubble of testing/synctest (Go 1.25 and
# later; here 1.26.8, 1.27.3) the bubble's number follows the state: "[select (durable),
# synctest bubble 1]". It takes every such header for invalid and drops the goroutine, with one
# error each, which programs that go on with what was parsed (as its documentation suggests:
# "the parser is forgiving") print at most: of a dump made in a bubble, what is left is the
# goroutines outside it. maruel/panicparse v2.5.0 returns all. Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module finding
go 1.26.0
require (
	github.com/DataDog/gostackparse v0.7.0
	github.com/maruel/panicparse/v2 v2.5.0
)
MOD
cat > finding_test.go <<'GO'
package finding

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"testing"
	"testing/synctest"

	"github.com/DataDog/gostackparse"
	"github.com/maruel/panicparse/v2/stack"
)

func TestFinding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stop := make(chan int)
		for range 3 {
			go func() { <-stop }()
		}
		synctest.Wait()
		b := make([]byte, 1<<20)
		b = b[:runtime.Stack(b, true)]
		close(stop)

		headers := bytes.Count(append([]byte("\n"), b...), []byte("\ngoroutine "))
		in := bytes.Count(b, []byte(", synctest bubble 1]:"))
		fmt.Println("in the dump:", headers, "goroutines,", in, "of them in the bubble")
		parsed, errs := gostackparse.Parse(bytes.NewReader(b))
		fmt.Println("in the dump gostackparse finds", len(parsed), "and", len(errs), "errors")
		s, _, err := stack.ScanSnapshot(bytes.NewReader(b), io.Discard, stack.DefaultOpts())
		if err != io.EOF {
			panic(err)
		}
		fmt.Println("in the dump panicparse finds", len(s.Goroutines))
	})
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go test -count=1 . -v | grep 'in the dump' > got || true
cat > want <<'WANT'
in the dump: 7 goroutines, 6 of them in the bubble
in the dump gostackparse finds 1 and 6 errors
in the dump panicparse finds 7
WANT
diff want got && echo "as stated"
