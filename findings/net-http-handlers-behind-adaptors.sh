#!/usr/bin/env bash
# net/http: a handler that declares a Content-Length and writes less has its connection closed, so that the client sees
# a cut-off body (RFC 9112, 8), and a Write of more, or for 204, returns an error; what is set in the header after
# WriteHeader has no effect; any number of 1xx headers may be written; Host is not in Request.Header; Request.Context
# ends when the client's connection closes. A handler of net/http behind fasthttpadaptor of valyala/fasthttp v1.78.0 and the
# adaptor of gofiber/fiber v3.1.0, for "easy switching": 6 bytes of 10 are a whole answer of 6, so that what copies a
# download which breaks off delivers it as complete; of 2 bytes it sends 6, and no Write has an error; a late field is
# sent; a 103 is not; Host is in the header; and the context is there when the client has long gone, so work
# for it goes on. None of it is among the drawbacks that their documentations list. Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module finding
go 1.26.0
require (
	github.com/gofiber/fiber/v3 v3.1.0
	github.com/valyala/fasthttp v1.78.0
)
MOD
cat > main.go <<'GO'
package main

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"os"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/adaptor"
	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttpadaptor"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

var (
	wrote   = make(chan error, 1) // the error of the handler's Write
	waits   = make(chan struct{}) // the handler of /gone waits
	release = make(chan struct{}) // ends that wait if the context does not
	ended   = make(chan error)    // the error of its context
	handler = http.HandlerFunc(serve)
)

func serve(w http.ResponseWriter, r *http.Request) {
	body := "abcdef"
	switch r.URL.Path {
	case "/less":
		w.Header().Set("Content-Length", "10")
	case "/more":
		w.Header().Set("Content-Length", "2")
	case "/204":
		w.WriteHeader(http.StatusNoContent)
	case "/late":
		w.WriteHeader(http.StatusOK)
		w.Header().Set("X-Late", "1")
	case "/hints":
		w.WriteHeader(http.StatusEarlyHints)
	case "/host":
		body = fmt.Sprint("Host in the header: ", r.Header["Host"] != nil)
	case "/gone":
		waits <- struct{}{}
		select {
		case <-r.Context().Done():
		case <-release:
		}
		ended <- r.Context().Err()
	}
	_, err := io.WriteString(w, body)
	select {
	case wrote <- err:
	default:
	}
}

func show(name string, serveOn func(net.Listener) error, ends bool) {
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	go serveOn(l)
	base := "http://" + l.Addr().String()
	for _, path := range []string{"/less", "/more", "/204", "/late", "/hints", "/host"} {
		var interim []int
		request := must(http.NewRequest("GET", base+path, nil))
		request = request.WithContext(httptrace.WithClientTrace(request.Context(), &httptrace.ClientTrace{
			Got1xxResponse: func(code int, _ textproto.MIMEHeader) error {
				interim = append(interim, code)
				return nil
			},
		}))
		response := must(new(http.Transport).RoundTrip(request))
		body, err := io.ReadAll(response.Body)
		fmt.Printf("%s %s: %v %d %q, cut off %v, X-Late %q, Write failed %v\n", name, path, interim, response.StatusCode, body,
			errors.Is(err, io.ErrUnexpectedEOF), response.Header.Get("X-Late"), <-wrote != nil)
	}
	c := must(net.Dial("tcp", l.Addr().String()))
	io.WriteString(c, "GET /gone HTTP/1.1\r\nHost: h\r\n\r\n")
	<-waits
	c.Close()
	for range 20 { // exchanges that begin after the end of that connection
		must(io.ReadAll(must(http.Get(base + "/host")).Body))
		<-wrote
	}
	if !ends {
		release <- struct{}{}
	}
	fmt.Printf("%s /gone: the context's error %v\n", name, <-ended)
	<-wrote
}

func main() {
	quiet := log.New(io.Discard, "", 0)
	show("net/http", (&http.Server{Handler: handler, ErrorLog: quiet}).Serve, true)
	show("fasthttpadaptor", (&fasthttp.Server{Handler: fasthttpadaptor.NewFastHTTPHandler(handler), Logger: quiet}).Serve, false)
	app := fiber.New()
	app.Use(adaptor.HTTPHandler(handler))
	show("fiber", func(l net.Listener) error {
		return app.Listener(l, fiber.ListenConfig{DisableStartupMessage: true})
	}, false)
	os.Exit(0)
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go run . > got
cat > want <<'WANT'
net/http /less: [] 200 "abcdef", cut off true, X-Late "", Write failed false
net/http /more: [] 200 "", cut off true, X-Late "", Write failed true
net/http /204: [] 204 "", cut off false, X-Late "", Write failed true
net/http /late: [] 200 "abcdef", cut off false, X-Late "", Write failed false
net/http /hints: [103] 200 "abcdef", cut off false, X-Late "", Write failed false
net/http /host: [] 200 "Host in the header: false", cut off false, X-Late "", Write failed false
net/http /gone: the context's error context canceled
fasthttpadaptor /less: [] 200 "abcdef", cut off false, X-Late "", Write failed false
fasthttpadaptor /more: [] 200 "abcdef", cut off false, X-Late "", Write failed false
fasthttpadaptor /204: [] 204 "", cut off false, X-Late "", Write failed false
fasthttpadaptor /late: [] 200 "abcdef", cut off false, X-Late "1", Write failed false
fasthttpadaptor /hints: [] 200 "abcdef", cut off false, X-Late "", Write failed false
fasthttpadaptor /host: [] 200 "Host in the header: true", cut off false, X-Late "", Write failed false
fasthttpadaptor /gone: the context's error <nil>
fiber /less: [] 200 "abcdef", cut off false, X-Late "", Write failed false
fiber /more: [] 200 "abcdef", cut off false, X-Late "", Write failed false
fiber /204: [] 204 "", cut off false, X-Late "", Write failed false
fiber /late: [] 200 "abcdef", cut off false, X-Late "1", Write failed false
fiber /hints: [] 200 "abcdef", cut off false, X-Late "", Write failed false
fiber /host: [] 200 "Host in the header: true", cut off false, X-Late "", Write failed false
fiber /gone: the context's error <nil>
WANT
diff want got && echo "as stated"
