package harness

import (
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"
)

// study learns from the fields of a transport what it was told to do: how many
// connections a host may have, and what times out. It looks once at each, and ends
// a test that has one which dials past the network.
func (t *T) study(rt any) {
	v := reflect.ValueOf(rt)
	if v.Kind() == reflect.Pointer && slices.Contains(t.studied, v.Pointer()) {
		return
	}
	if dialsPast(v, 4) {
		t.refusePastNet()
	}
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return
	}
	t.studied = append(t.studied, v.Pointer())
	fields := fieldsOf(v.Elem().Type())
	if i := fields.limit; i >= 0 {
		if n := int(v.Elem().Field(i).Int()); n > 0 && !t.bridged(rt) && (t.perHost == 0 || n < t.perHost) {
			t.perHost = n
		}
	}
	if t.plan == nil {
		return
	}
	for _, i := range fields.timeouts {
		if d := time.Duration(v.Elem().Field(i).Int()); d > 0 && !slices.Contains(t.plan.passes, d) {
			t.MayPass(d)
		}
	}
}

// bridged reports whether the transport is that of a server's client. Its limit
// is not one for other transports.
func (t *T) bridged(rt any) bool {
	return slices.ContainsFunc(t.bridges, func(b *bridge) bool { return any(b.transport) == rt })
}

// LimitConns says that the transports under test keep to so many connections
// and dials to a host. For a transport that has it as its MaxConnsPerHost it need
// not be said.
func (t *T) LimitConns(perHost int) { t.perHost = perHost }

// fields is where in a struct is what study looks for.
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
