#!/usr/bin/env bash
# HAR 1.2: an entry's time is the total time of the request and the sum of its timings (send,
# wait, receive and optional ones), each of which says how long that phase took; one that does
# not apply is -1. google/martian v3.3.3 (har) measures the time and leaves the three timings
# at 0: every phase took nothing, and viewers that draw phases draw none. With BodyLogging off
# the time stops at the response's header: 300 ms in which the server sends the body are not in
# it. Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module finding
go 1.26.0
require github.com/google/martian/v3 v3.3.3
MOD
cat > main.go <<'GO'
package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/google/martian/v3/har"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func main() {
	recorded := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(100 * time.Millisecond) // real, as are HAR's times
		w.(http.Flusher).Flush()
		<-recorded
		time.Sleep(300 * time.Millisecond)
		io.WriteString(w, "an answer")
	}))
	for _, log := range []bool{false, true} {
		l := har.NewLogger()
		l.SetOption(har.BodyLogging(log))
		start := time.Now()
		req := must(http.NewRequest("GET", s.URL, nil))
		if err := l.RecordRequest("1", req); err != nil {
			panic(err)
		}
		resp := must(http.DefaultTransport.RoundTrip(req))
		send := func() { recorded <- struct{}{} }
		if log {
			send() // RecordResponse reads the body
			send = func() {}
		}
		if err := l.RecordResponse("1", resp); err != nil {
			panic(err)
		}
		send()
		must(io.ReadAll(resp.Body))
		resp.Body.Close()
		e, total := l.Export().Log.Entries[0], time.Since(start).Milliseconds()
		if log {
			fmt.Println("BodyLogging: time of 400 ms or more", e.Time >= 400)
		} else {
			fmt.Println("no BodyLogging: time of 100 ms or more", e.Time >= 100, "and 300 ms short of the whole", e.Time <= total-300)
		}
		fmt.Printf("timings: %+v\n", *e.Timings)
	}
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go run . > got
cat > want <<'WANT'
no BodyLogging: time of 100 ms or more true and 300 ms short of the whole true
timings: {Send:0 Wait:0 Receive:0}
BodyLogging: time of 400 ms or more true
timings: {Send:0 Wait:0 Receive:0}
WANT
diff want got && echo "as stated"
