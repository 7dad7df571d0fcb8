#!/usr/bin/env bash
# http.NewRequestWithContext's documentation: the context controls the entire lifetime of a
# request and its response. go-vcr v4.0.8 replays the time that a recorded answer took
# (WithSkipRequestLatency is false unless set) and does not look at the context meanwhile: a
# recorded minute replayed to a request that has one second returns after the whole minute,
# with status 200 and a nil error, so a test of the timeout passes through the success path. It
# is the same with http.Client's Timeout. h2non/gock v1.2.0 (Delay) and jarcoal/httpmock v1.4.2
# (Delay) return the context's error after the second. In a bubble of testing/synctest, so all
# times are exact. Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module finding
go 1.26.0
require (
	github.com/h2non/gock v1.2.0
	github.com/jarcoal/httpmock v1.4.2
	gopkg.in/dnaeon/go-vcr.v4 v4.0.8
)
MOD
cat > latency_test.go <<'GO'
package finding

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/h2non/gock"
	"github.com/jarcoal/httpmock"
	"gopkg.in/dnaeon/go-vcr.v4/pkg/cassette"
	"gopkg.in/dnaeon/go-vcr.v4/pkg/recorder"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// minute makes the recorded answer one that took a minute.
func minute(i *cassette.Interaction) error {
	i.Response.Duration = time.Minute
	return nil
}

func TestLatency(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer s.Close()
	name := t.TempDir() + "/cassette"
	rec := must(recorder.New(name, recorder.WithHook(minute, recorder.BeforeSaveHook)))
	must((&http.Client{Transport: rec}).Get(s.URL))
	if err := rec.Stop(); err != nil {
		t.Fatal(err)
	}
	replay := func() http.RoundTripper {
		return must(recorder.New(name, recorder.WithMode(recorder.ModeReplayOnly)))
	}
	synctest.Test(t, func(t *testing.T) {
		mock := httpmock.NewMockTransport()
		mock.RegisterResponder("GET", s.URL, httpmock.NewStringResponder(200, "").Delay(time.Minute))
		gock.New(s.URL).Get("/").Reply(200).Delay(time.Minute)
		for _, x := range []struct {
			name    string
			rt      http.RoundTripper
			ctx     time.Duration
			timeout time.Duration
		}{
			{"httpmock, context", mock, time.Second, 0},
			{"gock, context", gock.DefaultTransport, time.Second, 0},
			{"go-vcr, context", replay(), time.Second, 0},
			{"go-vcr, Client.Timeout", replay(), time.Hour, time.Second},
		} {
			ctx, cancel := context.WithTimeout(t.Context(), x.ctx)
			start := time.Now()
			c := &http.Client{Transport: x.rt, Timeout: x.timeout}
			resp, err := c.Do(must(http.NewRequestWithContext(ctx, "GET", s.URL, nil)))
			status := 0
			if err == nil {
				status = resp.StatusCode
				resp.Body.Close()
			}
			fmt.Printf("%s: after %v status %d, deadline exceeded %v\n", x.name, time.Since(start), status, errors.Is(err, context.DeadlineExceeded))
			cancel()
		}
	})
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go test -count=1 . -v | grep ': after' > got || true
cat > want <<'WANT'
httpmock, context: after 1s status 0, deadline exceeded true
gock, context: after 1s status 0, deadline exceeded true
go-vcr, context: after 1m0s status 200, deadline exceeded false
go-vcr, Client.Timeout: after 1m0s status 200, deadline exceeded false
WANT
diff want got && echo "as stated"
