package cases

import (
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/halfopen/halfopen/harness"
)

func init() { harness.HelperFile() }

// setField sets a field of the transport, if it has one of that name and type.
func (e *Env) setField(name string, value any) bool {
	v := reflect.ValueOf(e.Transport)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return false
	}
	f := v.Elem().FieldByName(name)
	if !f.IsValid() || f.Type() != reflect.TypeOf(value) {
		return false
	}
	f.Set(reflect.ValueOf(value))
	return true
}

// cloneOf returns what the transport's method Clone returns, or nil if it has none.
func cloneOf(rt http.RoundTripper) http.RoundTripper {
	m := reflect.ValueOf(rt).MethodByName("Clone")
	if !m.IsValid() || m.Type().NumIn() != 0 || m.Type().NumOut() != 1 {
		return nil
	}
	clone, _ := m.Call(nil)[0].Interface().(http.RoundTripper)
	return clone
}

// wantLine expects that the header that has arrived at the peer's end has that line.
func wantLine(e *Env, c *harness.Conn, line string) {
	if head, _, _ := strings.Cut(arrived(c), "\r\n\r\n"); !slices.Contains(strings.Split(head, "\r\n"), line) {
		e.Errorf("got the header %q at the server, want %q in it", head, line)
	}
}
