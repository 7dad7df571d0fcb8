package harness

import (
	"fmt"
	"net/http"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/halfopen/halfopen/harness/internal/bubble"
)

// study learns from the fields of a transport how it is configured: how many
// connections a host may have, and what times out, which it returns. It looks once at
// each, and ends a test that has one which dials past the network.
func (o *oracles) study(rt any) (timeouts []time.Duration) {
	v := reflect.ValueOf(rt)
	if v.Kind() == reflect.Pointer && slices.Contains(o.studied, v.Pointer()) {
		return nil
	}
	if dialsPast(v, 4) {
		o.refusePastNet()
	}
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return nil
	}
	o.studied = append(o.studied, v.Pointer())
	fields := fieldsOf(v.Elem().Type())
	if i := fields.limit; i >= 0 {
		if n := int(v.Elem().Field(i).Int()); n > 0 && !o.census.isPool(rt) && (o.perHost == 0 || n < o.perHost) {
			o.perHost = n
		}
	}
	for _, i := range fields.timeouts {
		if d := time.Duration(v.Elem().Field(i).Int()); d > 0 {
			timeouts = append(timeouts, d)
		}
	}
	return timeouts
}

// fields is the indexes of the fields of a struct that study looks at.
type fields struct {
	limit    int   // MaxConnsPerHost, or -1
	timeouts []int // durations that are named so: IdleConnTimeout
	wrapped  []int // what may be, or have, another transport
}

var knownFields sync.Map // of reflect.Type to fields

func fieldsOf(t reflect.Type) fields {
	if f, ok := knownFields.Load(t); ok {
		return f.(fields)
	}
	found := fields{limit: -1}
	for i := range t.NumField() {
		f := t.Field(i)
		if holdsTransport(f.Type) {
			found.wrapped = append(found.wrapped, i)
		}
		switch {
		case !f.IsExported():
		case f.Name == "MaxConnsPerHost" && f.Type.Kind() == reflect.Int:
			found.limit = i
		case f.Type == reflect.TypeFor[time.Duration]() && strings.HasSuffix(f.Name, "Timeout"):
			found.timeouts = append(found.timeouts, i)
		}
	}
	knownFields.Store(t, found)
	return found
}

// holdsTransport reports whether a value of the type may be a transport, or a client
// that has one.
func holdsTransport(t reflect.Type) bool {
	transport := reflect.TypeFor[http.RoundTripper]()
	return t.Implements(transport) || reflect.PointerTo(t).Implements(transport) ||
		t == reflect.TypeFor[http.Client]() || t == reflect.TypeFor[*http.Client]()
}

// pastNet is said to a test whose transport is one of package httptest.
const pastNet = "this transport is that of an httptest.Server (NewTestServer, NewServer), which dials past t.Net: " +
	"make the server with t.NewServer(handler), or t.NewTLSServer, and use its Client()"

// refusePastNet ends the test. The clean-up of a NewTestServer that was made in
// the bubble runs outside of it, where it ends the process, and what the test has
// logged is lost: then it is said on standard error as well.
func (o *oracles) refusePastNet() {
	inBubble := func(g bubble.Goroutine) bool { return g.StartedBy("net/http/httptest.(*Server).goServe") }
	if slices.ContainsFunc(o.t.bubble.Goroutines(), inBubble) {
		fmt.Fprintf(os.Stderr, "%s: %s: %s\n", o.t.name, o.t.here(), pastNet)
	}
	o.t.fatal(KindUsage, pastNet)
}

// dialsPast reports whether a transport, or one that it wraps, has a dialer
// of package httptest's own. Its client is known by nothing else: in Go 1.27 that
// of NewTestServer dials a network inside of package httptest, and that of
// NewServer, and of Go 1.26, dials real sockets.
func dialsPast(v reflect.Value, depth int) bool {
	for v.Kind() == reflect.Interface || v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct || depth == 0 {
		return false
	}
	if v.Type() == reflect.TypeFor[http.Transport]() {
		dial := runtime.FuncForPC(v.FieldByName("DialContext").Pointer())
		return dial != nil && strings.HasPrefix(dial.Name(), "net/http/httptest.")
	}
	return slices.ContainsFunc(fieldsOf(v.Type()).wrapped, func(i int) bool { return dialsPast(v.Field(i), depth-1) })
}
