#!/usr/bin/env bash
# Package runtime's documentation: GODEBUG=tracebackancestors=N extends tracebacks with the stacks at
# which goroutines were created, also those that runtime.Stack returns: a block "[originating from
# goroutine 7]:" for each ancestor, with a line "created by" of its own. gomega v1.44.0 (gleak), whose
# IgnoringCreator "succeeds if the goroutine was created by a function matching", takes the last such
# line, which is that of the oldest ancestor (gleak/goroutine/goroutine.go, LastIndex of "created by"): where the leak
# check ignores what main.start creates, a leak of what that goroutine started is not seen any more. The
# snapshot of maruel/panicparse v2.5.0 ends at the first block, with a nil error: of five goroutines that
# wait it has one. DataDog/gostackparse v0.7.0 has all, with creators and ancestors. For
# goleak the setting is known (its pull request 149). Exits with 0 if that is so.
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
	github.com/onsi/gomega v1.44.0
)
MOD
cat > main.go <<'GO'
package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	"github.com/DataDog/gostackparse"
	"github.com/maruel/panicparse/v2/stack"
	"github.com/onsi/gomega/gleak"
)

var (
	up   = make(chan bool)
	gate = make(chan bool)
)

//go:noinline
func wait() { up <- true; <-gate }

// start creates the goroutine that creates the four others.
//
//go:noinline
func start() { go work() }

//go:noinline
func work() {
	for range 4 {
		go wait()
	}
	wait()
}

func main() {
	start()
	for range 5 {
		<-up
	}
	dump := make([]byte, 1<<20)
	dump = dump[:runtime.Stack(dump, true)]
	name := os.Args[1]

	parsed, errs := gostackparse.Parse(bytes.NewReader(dump))
	creators := make(map[string]int)
	for _, g := range parsed {
		if g.CreatedBy != nil {
			creators[g.CreatedBy.Func]++
		}
	}
	fmt.Println(name, "gostackparse: creators", creators, "errors", len(errs))

	snapshot, _, err := stack.ScanSnapshot(bytes.NewReader(dump), io.Discard, stack.DefaultOpts())
	clear(creators)
	for _, g := range snapshot.Goroutines {
		for _, c := range g.CreatedBy.Calls {
			function, _, _ := strings.Cut(c.Func.Complete, " in goroutine")
			creators[function]++
		}
	}
	fmt.Println(name, "panicparse: creators", creators, "error", err != nil && err != io.EOF)

	clear(creators)
	leaks := 0
	started := gleak.IgnoringCreator("main.start")
	for _, g := range gleak.Goroutines() {
		if g.CreatorFunction == "" {
			continue
		}
		creators[g.CreatorFunction]++
		if ignored, err := started.Match(g); err != nil || !ignored {
			leaks++
		}
	}
	fmt.Println(name, "gleak: creators", creators, "leaks but for what main.start created", leaks)
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go build -o program .
./program plain > got
GODEBUG=tracebackancestors=10 ./program ancestors >> got
cat > want <<'WANT'
plain gostackparse: creators map[main.start:1 main.work:4] errors 0
plain panicparse: creators map[main.start:1 main.work:4] error false
plain gleak: creators map[main.start:1 main.work:4] leaks but for what main.start created 4
ancestors gostackparse: creators map[main.start:1 main.work:4] errors 0
ancestors panicparse: creators map[main.start:1] error false
ancestors gleak: creators map[main.start:5] leaks but for what main.start created 0
WANT
diff want got && echo "as stated"
