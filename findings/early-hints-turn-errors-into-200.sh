#!/usr/bin/env bash
# http.ResponseWriter's documentation, WriteHeader: "Any number of 1xx headers may be written, followed
# by at most one 2xx-5xx header." A handler sends 103 (RFC 8297), then 404 and a body. Six writers that
# stand between it and the server take the 103 for the status and drop the 404 as a second one, and the Write that
# follows makes it 200: net/http's own TimeoutHandler (Go 1.26.8, 1.27.3), NYTimes/gziphandler v1.1.1,
# CAFxX/httpcompression v0.0.8, labstack/echo v4.16.4 and v5.4.5, and zenazn/goji v1.0.1 (mutil). So each error
# of a handler that gives hints is a success: caches keep it, clients do not try again. The two echos and
# goji have 103 in what they report of the response, and for net/http/httptest's ResponseRecorder 103 is the result, so
# a test of such a handler sees no error. With gin v1.12.0 the error stays and the hint is not sent. gorilla/handlers
# v1.5.2 (logs and compression), chi v5.5.0, felixge/httpsnoop v1.1.0, klauspost/compress v1.20.4 (gzhttp) and
# urfave/negroni v3.1.2 pass both on. Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module finding
go 1.26.0
require (
	github.com/CAFxX/httpcompression v0.0.8
	github.com/NYTimes/gziphandler v1.1.1
	github.com/felixge/httpsnoop v1.1.0
	github.com/gin-gonic/gin v1.12.0
	github.com/go-chi/chi/v5 v5.5.0
	github.com/gorilla/handlers v1.5.2
	github.com/klauspost/compress v1.20.4
	github.com/labstack/echo/v4 v4.16.4
	github.com/labstack/echo/v5 v5.4.5
	github.com/urfave/negroni/v3 v3.1.2
	github.com/zenazn/goji v1.0.1
)
MOD
cat > main.go <<'GO'
package main

import (
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"time"

	"github.com/CAFxX/httpcompression"
	"github.com/NYTimes/gziphandler"
	"github.com/felixge/httpsnoop"
	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/gorilla/handlers"
	"github.com/klauspost/compress/gzhttp"
	echo4 "github.com/labstack/echo/v4"
	echo5 "github.com/labstack/echo/v5"
	"github.com/urfave/negroni/v3"
	"github.com/zenazn/goji/web/mutil"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// hints answers 103 and then 404 with a body that is long enough to be compressed.
var hints = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Link", "</style.css>; rel=preload")
	w.Header().Set("Content-Type", "text/plain")
	w.WriteHeader(http.StatusEarlyHints)
	w.WriteHeader(http.StatusNotFound)
	io.WriteString(w, strings.Repeat("not found ", 300))
})

// reported is the status that a wrapper tells its program.
var reported int

func main() {
	gin.SetMode(gin.ReleaseMode)
	g := gin.New()
	g.GET("/", func(c *gin.Context) {
		hints(c.Writer, c.Request)
		reported = c.Writer.Status()
	})
	e4 := echo4.New()
	e4.Logger.SetOutput(io.Discard)
	e4.GET("/", func(c echo4.Context) error {
		hints(c.Response(), c.Request())
		reported = c.Response().Status
		return nil
	})
	e5 := echo5.New()
	e5.Logger = slog.New(slog.DiscardHandler)
	e5.GET("/", func(c *echo5.Context) error {
		hints(c.Response(), c.Request())
		reported = must(echo5.UnwrapResponse(c.Response())).Status
		return nil
	})
	n := negroni.New(negroni.HandlerFunc(func(w http.ResponseWriter, r *http.Request, next http.HandlerFunc) {
		next(w, r)
		reported = w.(negroni.ResponseWriter).Status()
	}))
	n.UseHandler(hints)
	for _, try := range []struct {
		name    string
		handler http.Handler
	}{
		{"net/http", hints},
		{"handlers, logging", handlers.CustomLoggingHandler(io.Discard, hints, func(_ io.Writer, p handlers.LogFormatterParams) {
			reported = p.StatusCode
		})},
		{"handlers, compressing", handlers.CompressHandler(hints)},
		{"chi, wrapped", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			wrapped := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
			hints(wrapped, r)
			reported = wrapped.Status()
		})},
		{"chi, compressing", middleware.Compress(5, "text/plain")(hints)},
		{"httpsnoop", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			reported = httpsnoop.CaptureMetrics(hints, w, r).Code
		})},
		{"gzhttp", gzhttp.GzipHandler(hints)},
		{"negroni", n},
		{"gin", g},
		{"TimeoutHandler", http.TimeoutHandler(hints, time.Minute, "")},
		{"gziphandler", gziphandler.GzipHandler(hints)},
		{"httpcompression", must(httpcompression.DefaultAdapter())(hints)},
		{"echo v4", e4},
		{"echo v5", e5},
		{"goji", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			wrapped := mutil.WrapWriter(w)
			hints(wrapped, r)
			reported = wrapped.Status()
		})},
	} {
		reported = 0
		server := httptest.NewUnstartedServer(try.handler)
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.Start()
		var interim []int
		request := must(http.NewRequest("GET", server.URL, nil))
		request.Header.Set("Accept-Encoding", "gzip")
		request = request.WithContext(httptrace.WithClientTrace(request.Context(), &httptrace.ClientTrace{
			Got1xxResponse: func(code int, _ textproto.MIMEHeader) error {
				interim = append(interim, code)
				return nil
			},
		}))
		response := must(http.DefaultTransport.RoundTrip(request))
		must(io.ReadAll(response.Body))
		response.Body.Close()
		server.Close()
		fmt.Printf("%s: %v %d", try.name, interim, response.StatusCode)
		if reported > 0 {
			fmt.Printf(", reported %d", reported)
		}
		fmt.Println()
	}
	recorder := httptest.NewRecorder()
	hints(recorder, nil)
	fmt.Printf("ResponseRecorder: %d\n", recorder.Result().StatusCode)
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go run . > got
cat > want <<'WANT'
net/http: [103] 404
handlers, logging: [103] 404, reported 404
handlers, compressing: [103] 404
chi, wrapped: [103] 404, reported 404
chi, compressing: [103] 404
httpsnoop: [103] 404, reported 404
gzhttp: [103] 404
negroni: [103] 404, reported 404
gin: [] 404, reported 404
TimeoutHandler: [103] 200
gziphandler: [103] 200
httpcompression: [103] 200
echo v4: [103] 200, reported 103
echo v5: [103] 200, reported 103
goji: [103] 200, reported 103
ResponseRecorder: 103
WANT
diff want got && echo "as stated"
