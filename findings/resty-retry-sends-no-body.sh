#!/usr/bin/env bash
# resty v2.17.2: a POST whose body is an io.Reader (a strings.Reader, which could be read
# again from the start), answered 503 and then 200. The retry is sent with an empty body,
# the server's 200 for it is returned, and no error or warning says so. A body that is a
# string or []byte is sent whole each time. rehttp v1.4.0, heimdall v7.0.3 and
# retryablehttp v0.7.8 send the reader's bytes each time. Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module finding
go 1.26.0
require (
	github.com/PuerkitoBio/rehttp v1.4.0
	github.com/go-resty/resty/v2 v2.17.2
	github.com/gojek/heimdall/v7 v7.0.3
	github.com/hashicorp/go-retryablehttp v0.7.8
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

	"github.com/PuerkitoBio/rehttp"
	"github.com/go-resty/resty/v2"
	"github.com/gojek/heimdall/v7"
	"github.com/gojek/heimdall/v7/httpclient"
	"github.com/hashicorp/go-retryablehttp"
)

func post(body any, url string) (int, error) {
	r, err := resty.New().SetRetryCount(3).SetRetryWaitTime(1).SetRetryMaxWaitTime(1).
		AddRetryCondition(func(r *resty.Response, err error) bool { return r.StatusCode() == 503 }).R().SetBody(body).Post(url)
	return r.StatusCode(), err
}

func status(r *http.Response, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	r.Body.Close()
	return r.StatusCode, nil
}

func main() {
	for _, c := range []struct {
		name string
		post func(url string) (int, error)
	}{
		{"resty, io.Reader", func(url string) (int, error) { return post(strings.NewReader("pay 10"), url) }},
		{"resty, string", func(url string) (int, error) { return post("pay 10", url) }},
		{"resty, []byte", func(url string) (int, error) { return post([]byte("pay 10"), url) }},
		{"rehttp, io.Reader", func(url string) (int, error) {
			tr := rehttp.NewTransport(nil, rehttp.RetryAll(rehttp.RetryMaxRetries(3), rehttp.RetryStatuses(503)), rehttp.ConstDelay(1))
			return status((&http.Client{Transport: tr}).Post(url, "text/plain", strings.NewReader("pay 10")))
		}},
		{"heimdall, io.Reader", func(url string) (int, error) {
			return status(httpclient.NewClient(httpclient.WithRetryCount(3),
				httpclient.WithRetrier(heimdall.NewRetrier(heimdall.NewConstantBackoff(1, 1)))).Post(url, strings.NewReader("pay 10"), nil))
		}},
		{"retryablehttp, io.Reader", func(url string) (int, error) {
			r := retryablehttp.NewClient()
			r.Logger, r.RetryMax, r.RetryWaitMin, r.RetryWaitMax = nil, 3, 1, 1
			return status(r.Post(url, "text/plain", strings.NewReader("pay 10")))
		}},
	} {
		var got []string
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			if got = append(got, string(body)); len(got) == 1 {
				w.WriteHeader(503)
			}
		}))
		code, err := c.post(s.URL)
		fmt.Printf("%s: %d %v, the server got %q\n", c.name, code, err, got)
	}
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go run . > got
cat > want <<'WANT'
resty, io.Reader: 200 <nil>, the server got ["pay 10" ""]
resty, string: 200 <nil>, the server got ["pay 10" "pay 10"]
resty, []byte: 200 <nil>, the server got ["pay 10" "pay 10"]
rehttp, io.Reader: 200 <nil>, the server got ["pay 10" "pay 10"]
heimdall, io.Reader: 200 <nil>, the server got ["pay 10" "pay 10"]
retryablehttp, io.Reader: 200 <nil>, the server got ["pay 10" "pay 10"]
WANT
diff want got && echo "as stated"
