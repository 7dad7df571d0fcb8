package cases_test

import (
	"flag"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/suites"
)

var update = flag.Bool("update", false, "rewrite PROMISES.md")

// promisesFile is the table of promises, and promisesHead what stands above it.
const (
	promisesFile = "../../PROMISES.md"
	promisesHead = `# What is promised, and the case that asks for it

Each case of transports states a promise: of the documentation of net/http, or of an RFC. A row
has the promise, its source, the case, and a mistake: that of a transport which the case is seen
to fail on (TestBroken). The table is made by ` + "`go test ./suites/internal/cases -run Promises -update`" + `,
and the test fails if it is not up to date.

`
	coverageHead = `
# What each field, method and hook is asked

A field or a method of net/http that concerns a connection has a case which names it as its
source. The others are listed with the reason that they have none.

`
)

// notAsked has the fields, methods and hooks that no case names, and why.
var notAsked = map[string]string{
	"Transport.RoundTrip":          "every case calls it",
	"Transport.TLSClientConfig":    "the makers of transports set it, with the authority of the harness",
	"Transport.ForceAttemptHTTP2":  "the subjects over h2 set it",
	"Request.Method":               "each case chooses one",
	"Request.URL":                  "each case chooses one",
	"Request.Proto":                "of servers",
	"Request.ProtoMajor":           "of servers",
	"Request.ProtoMinor":           "of servers",
	"Request.Header":               "each case may set it",
	"Request.Form":                 "of servers",
	"Request.PostForm":             "of servers",
	"Request.MultipartForm":        "of servers",
	"Request.RemoteAddr":           "of servers",
	"Request.RequestURI":           "of servers",
	"Request.TLS":                  "of servers",
	"Request.Response":             "of redirects, which a client makes",
	"Request.Pattern":              "of servers",
	"Request.WithContext":          "no part of a transport",
	"Request.Clone":                "no part of a transport",
	"Response.Status":              "a text, which concerns no connection",
	"Response.StatusCode":          "each case looks at it",
	"Response.Proto":               "a text, which concerns no connection",
	"Response.ProtoMajor":          "the cases of the group tls look at it",
	"Response.ProtoMinor":          "concerns no connection",
	"Response.Header":              "concerns no connection",
	"Response.Request":             "body-request-untouched looks at it",
	"Response.TLS":                 "tls-protocols looks at it",
	"Client.Transport":             "each case has one",
	"Client.CheckRedirect":         "of redirects, which a client makes",
	"Client.Jar":                   "of cookies, which a client keeps",
	"Client.Get":                   "as Do",
	"Client.Head":                  "as Do",
	"Client.Post":                  "as Do",
	"Client.PostForm":              "as Do",
	"ClientTrace.GetConn":          "trace-order sees it called",
	"ClientTrace.WroteHeaders":     "trace-order sees it called",
	"ClientTrace.WroteHeaderField": "concerns no connection",
	"ClientTrace.DNSStart":         "package net calls it, and the network of the harness has no package net",
	"ClientTrace.DNSDone":          "package net calls it, and the network of the harness has no package net",
	"ClientTrace.ConnectStart":     "package net calls it, and the network of the harness has no package net",
	"ClientTrace.ConnectDone":      "package net calls it, and the network of the harness has no package net",
}

// The table of promises is that of the cases and their broken transports, and each field, method and
// hook that concerns a connection has a case.
func TestPromises(t *testing.T) {
	var b strings.Builder
	b.WriteString(promisesHead + "| promise | source | case | broken transport |\n|---|---|---|---|\n")
	for _, c := range suites.Cases() {
		if c.Source == "" {
			t.Errorf("%s: has no source", c.Name)
		}
		i := slices.IndexFunc(broken(), func(b breakage) bool { return slices.Contains(b.cases, c.Name) })
		if i < 0 {
			t.Errorf("%s: no broken transport shows that it can fail", c.Name)
			continue
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", c.Claim, c.Source, c.Name, broken()[i].mistake)
	}
	b.WriteString(coverageHead + "| of net/http | cases |\n|---|---|\n")
	for _, name := range promised() {
		b.WriteString(coverage(t, name))
	}
	got := b.String()
	if *update {
		if err := os.WriteFile(promisesFile, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(promisesFile)
	if err != nil || string(want) != got {
		t.Errorf("%s is not up to date (%v): go test ./suites/internal/cases -run Promises -update", promisesFile, err)
	}
}

// promised returns the exported fields and methods that clients have to do with, as
// "Transport.Proxy".
func promised() (names []string) {
	for _, v := range []any{new(http.Transport), new(http.Request), new(http.Response), new(http.Client), new(http.ClientConn), new(httptrace.ClientTrace)} {
		t := reflect.TypeOf(v)
		for i := range t.Elem().NumField() {
			if f := t.Elem().Field(i); f.IsExported() {
				names = append(names, t.Elem().Name()+"."+f.Name)
			}
		}
		if t.Elem().Name() == "Request" || t.Elem().Name() == "Response" {
			continue // their methods are of messages
		}
		for i := range t.NumMethod() {
			names = append(names, t.Elem().Name()+"."+t.Method(i).Name)
		}
	}
	return append(names, "Request.Context")
}

// coverage returns the row of a field or method: the cases that name it, or why there is none.
func coverage(t *testing.T, name string) string {
	word := regexp.MustCompile(`\b` + regexp.QuoteMeta(name) + `\b`)
	var cases []string
	for _, c := range suites.Cases() {
		if word.MatchString(c.Source) {
			cases = append(cases, c.Name)
		}
	}
	reason := notAsked[name]
	switch {
	case len(cases) == 0 && reason == "":
		t.Errorf("%s: no case names it as its source, and no reason is given", name)
	case len(cases) > 0 && reason != "":
		t.Errorf("%s: has the cases %v, and a reason that it has none", name, cases)
	case len(cases) == 0:
		return fmt.Sprintf("| %s | – %s |\n", name, reason)
	}
	return fmt.Sprintf("| %s | %s |\n", name, strings.Join(cases, " "))
}
