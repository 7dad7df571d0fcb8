#!/usr/bin/env bash
# Server-sent events (WHATWG HTML, 9.2): a byte order mark is skipped; an event that the end of the stream cuts
# off is discarded; a block with no data, as one that only sets the retry time or the id, is no event; a
# response that is not text/event-stream fails the connection; 204 tells a client to stop reconnecting.
# r3labs/sse v2.10.0 hands out the cut-off event, with the part of its data that came, as a whole one (event.go: "If
# we're at EOF, we have all of the data"). It loses the first event behind a byte order mark; donovanhide/eventsource
# 2021-08-30 and launchdarkly/eventsource v1.11.0 make it an empty one. Blocks without data are events of all
# three, and text/html is taken by all three. After a 204 the latter two ask again, without end. That r3labs
# does not reconnect at all after a stream that ends in order is known (its issue 147). tmaxmax/go-sse v0.12.0
# is right but for the block with an id. Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module finding
go 1.26.0
require (
	github.com/donovanhide/eventsource v0.0.0-20210830082556-c59027999da0
	github.com/launchdarkly/eventsource v1.11.0
	github.com/r3labs/sse/v2 v2.10.0
	github.com/tmaxmax/go-sse v0.12.0
)
MOD
cat > main.go <<'GO'
package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	donovanhide "github.com/donovanhide/eventsource"
	launchdarkly "github.com/launchdarkly/eventsource"
	r3labs "github.com/r3labs/sse/v2"
	tmaxmax "github.com/tmaxmax/go-sse"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func drain[T any](c chan T) {
	for range c {
	}
}

// server answers with one stream and then always with 204; after its third request it says so.
func server(contentType, stream string) (*httptest.Server, chan string) {
	third := make(chan string, 1)
	requests := 0
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch requests++; requests {
		case 1:
			w.Header().Set("Content-Type", contentType)
			io.WriteString(w, stream)
			return
		case 3:
			third <- "asks again after 204"
		}
		w.WriteHeader(204)
	})), third
}

// decode returns the data of a stream's events.
func decode[E interface{ Data() string }](next func() (E, error)) (data []string) {
	for {
		event, err := next()
		if err != nil {
			return data
		}
		data = append(data, event.Data())
	}
}

// viaR3labs asks for a stream until the client has done with it.
func viaR3labs(contentType, stream string) (data []string) {
	s, _ := server(contentType, stream)
	defer s.Close()
	must(0, r3labs.NewClient(s.URL).SubscribeRaw(func(e *r3labs.Event) { data = append(data, string(e.Data)) }))
	return data
}

func viaTmaxmax(stream string) (data []string) {
	for event, err := range tmaxmax.Read(strings.NewReader(stream), nil) {
		if err == nil {
			data = append(data, event.Data)
		}
	}
	return data
}

// reconnect says what three clients do with a stream of this type, and then with a 204.
func reconnect(contentType string) {
	s, third := server(contentType, "retry: 1\ndata: a\n\n")
	d := must(donovanhide.Subscribe(s.URL, ""))
	go drain(d.Errors)
	first := <-d.Events
	go drain(d.Events)
	fmt.Printf("%s, donovanhide: event %q, %s\n", contentType, first.Data(), <-third)
	s, third = server(contentType, "retry: 1\ndata: a\n\n")
	l := must(launchdarkly.SubscribeWithURL(s.URL, launchdarkly.StreamOptionInitialRetry(time.Millisecond)))
	go drain(l.Errors)
	fmt.Printf("%s, launchdarkly: event %q, %s\n", contentType, (<-l.Events).Data(), <-third)
	s, _ = server(contentType, "retry: 1\ndata: a\n\n")
	events := 0
	c := tmaxmax.NewConnection(must(http.NewRequest("GET", s.URL, nil)))
	c.SubscribeToAll(func(tmaxmax.Event) { events++ })
	err := c.Connect()
	fmt.Printf("%s, tmaxmax: events %d, ends with an error %v\n", contentType, events, err != nil)
}

func main() {
	for name, stream := range map[string]string{
		"byte order mark": "\ufeffdata: a\n\ndata: b\n\n",
		"cut off":         "data: a\n\ndata: hal",
		"retry":           "retry: 10\n\ndata: a\n\n",
		"id":              "id: 7\n\ndata: a\n\n",
	} {
		d, l := donovanhide.NewDecoder(strings.NewReader(stream)), launchdarkly.NewDecoder(strings.NewReader(stream))
		fmt.Printf("%s: r3labs %q, donovanhide %q, launchdarkly %q, tmaxmax %q\n", name,
			viaR3labs("text/event-stream", stream), decode(d.Decode), decode(l.Decode), viaTmaxmax(stream))
	}
	fmt.Printf("text/html, r3labs: %q\n", viaR3labs("text/html", "data: a\n\n"))
	reconnect("text/event-stream")
	reconnect("text/html")
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
timeout 60 go run . | LC_ALL=C sort > got
cat > want <<'WANT'
byte order mark: r3labs ["b"], donovanhide ["" "b"], launchdarkly ["" "b"], tmaxmax ["a" "b"]
cut off: r3labs ["a" "hal"], donovanhide ["a"], launchdarkly ["a"], tmaxmax ["a"]
id: r3labs ["" "a"], donovanhide ["" "a"], launchdarkly ["" "a"], tmaxmax ["" "a"]
retry: r3labs ["" "a"], donovanhide ["" "a"], launchdarkly ["" "a"], tmaxmax ["a"]
text/event-stream, donovanhide: event "a", asks again after 204
text/event-stream, launchdarkly: event "a", asks again after 204
text/event-stream, tmaxmax: events 1, ends with an error true
text/html, donovanhide: event "a", asks again after 204
text/html, launchdarkly: event "a", asks again after 204
text/html, r3labs: ["a"]
text/html, tmaxmax: events 0, ends with an error true
WANT
diff want got && echo "as stated"
