#!/usr/bin/env bash
# cristalhq/hedgedhttp v0.9.2: the second of two hedged requests is made from the same
# http.Request as the first, so both read one Body. A POST whose first try is slow: with a body
# of unknown length (any io.Reader) the second try sends an empty body, and the server's 200
# for that is returned with a nil error; with a strings.Reader (Content-Length set, GetBody
# there to make a second copy) the second try fails in net/http before it is sent, so hedging
# does nothing. Its documentation speaks of "a new request after a timeout from previous
# request" and has no word about bodies. failsafe-go v0.9.8 (failsafehttp with a hedge
# policy) sends the whole body twice. Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module finding
go 1.26.0
require (
	github.com/cristalhq/hedgedhttp v0.9.2
	github.com/failsafe-go/failsafe-go v0.9.8
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
	"sync/atomic"
	"time"

	"github.com/cristalhq/hedgedhttp"
	"github.com/failsafe-go/failsafe-go/failsafehttp"
	"github.com/failsafe-go/failsafe-go/hedgepolicy"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// gate lets the second try begin when the server has the whole first one, and the server
// answer the first one when the second has failed or its answer has been read.
type gate struct {
	http.RoundTripper
	tries            atomic.Int32
	received, answer chan struct{}
	second           error
}

func (g *gate) RoundTrip(r *http.Request) (*http.Response, error) {
	if g.tries.Add(1) == 1 {
		return g.RoundTripper.RoundTrip(r)
	}
	<-g.received
	resp, err := g.RoundTripper.RoundTrip(r)
	if g.second = err; err != nil {
		close(g.answer)
	}
	return resp, err
}

func show(name string, body io.Reader, hedge func(http.RoundTripper) http.RoundTripper) {
	g := &gate{RoundTripper: http.DefaultTransport, received: make(chan struct{}), answer: make(chan struct{})}
	var got []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		got = append(got, string(text))
		if len(got) == 1 {
			close(g.received)
			<-g.answer
			io.WriteString(w, "the first try")
		} else {
			io.WriteString(w, "the second try")
		}
	}))
	resp := must((&http.Client{Transport: hedge(g)}).Post(s.URL, "text/plain", body))
	text := must(io.ReadAll(resp.Body))
	resp.Body.Close()
	if g.second == nil {
		close(g.answer)
	}
	fmt.Printf("%s: %d for %s, the server got %q, error of the second: %v\n", name, resp.StatusCode, text, got, g.second)
}

func main() {
	hedged := func(rt http.RoundTripper) http.RoundTripper {
		return must(hedgedhttp.NewRoundTripper(time.Millisecond, 2, rt))
	}
	failsafe := func(rt http.RoundTripper) http.RoundTripper {
		return failsafehttp.NewRoundTripper(rt, hedgepolicy.NewWithDelay[*http.Response](time.Millisecond))
	}
	for _, x := range []struct {
		name  string
		hedge func(http.RoundTripper) http.RoundTripper
	}{{"hedgedhttp", hedged}, {"failsafehttp", failsafe}} {
		show(x.name+", io.Reader", io.MultiReader(strings.NewReader("pay 10")), x.hedge)
		show(x.name+", strings.Reader", strings.NewReader("pay 10"), x.hedge)
	}
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go run . > got
cat > want <<'WANT'
hedgedhttp, io.Reader: 200 for the second try, the server got ["pay 10" ""], error of the second: <nil>
hedgedhttp, strings.Reader: 200 for the first try, the server got ["pay 10"], error of the second: http: ContentLength=6 with Body length 0
failsafehttp, io.Reader: 200 for the second try, the server got ["pay 10" "pay 10"], error of the second: <nil>
failsafehttp, strings.Reader: 200 for the second try, the server got ["pay 10" "pay 10"], error of the second: <nil>
WANT
diff want got && echo "as stated"
