#!/usr/bin/env bash
# maruel/panicparse v2.5.0 "deduplicates goroutines": those of equal stacks are one bucket, and with
# AnyValue, its loosest level, no argument keeps two apart. Since Go 1.21 the line "created by"
# ends with "in goroutine 7", and panicparse takes that for a part of the function's name. So
# goroutines of the same stack whose creators are different goroutines are in different
# buckets. net/http dials each connection in a goroutine of its own: the read loops of five
# idle connections, with one stack, are five buckets, and a thousand leaked ones a thousand.
# Without these words in the dump they are one. Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module finding
go 1.26.0
require github.com/maruel/panicparse/v2 v2.5.0
MOD
cat > main.go <<'GO'
package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime"
	"strings"

	"github.com/maruel/panicparse/v2/stack"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// loops prints how many buckets of read loops panicparse makes of a dump.
func loops(name string, dump []byte) {
	opts := stack.DefaultOpts()
	s, _, err := stack.ScanSnapshot(bytes.NewReader(dump), io.Discard, opts)
	if err != io.EOF {
		panic(err)
	}
	n, goroutines := 0, 0
	for _, b := range s.Aggregate(stack.AnyValue).Buckets {
		for _, c := range b.Stack.Calls {
			if strings.HasSuffix(c.Func.Complete, "(*persistConn).readLoop") {
				n++
				goroutines += len(b.IDs)
				break
			}
		}
	}
	fmt.Printf("%s: %d read loops in %d buckets\n", name, goroutines, n)
}

func main() {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {}))
	for range 5 {
		resp := must((&http.Client{Transport: new(http.Transport)}).Get(s.URL))
		must(io.ReadAll(resp.Body))
		resp.Body.Close()
	}
	b := make([]byte, 1<<20)
	b = b[:runtime.Stack(b, true)]
	loops("as it is", b)
	loops("without the creators' numbers", regexp.MustCompile(` in goroutine \d+`).ReplaceAll(b, nil))
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go run . > got
cat > want <<'WANT'
as it is: 5 read loops in 5 buckets
without the creators' numbers: 5 read loops in 1 buckets
WANT
diff want got && echo "as stated"
