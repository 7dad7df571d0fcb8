package pool

import (
	"reflect"
	"testing"

	"github.com/halfopen/halfopen/clock"
)

// Clone copies each setting, and deeply what can be changed.
func TestClone(t *testing.T) {
	tr := &Transport{}
	v := reflect.ValueOf(tr).Elem()
	for i := range v.NumField() {
		f := v.Field(i)
		if !v.Type().Field(i).IsExported() {
			continue
		}
		fill(t, v.Type().Field(i).Name, f, i+1)
	}
	c := reflect.ValueOf(tr.Clone()).Elem()
	for i := range v.NumField() {
		name, f, g := v.Type().Field(i).Name, v.Field(i), c.Field(i)
		if !v.Type().Field(i).IsExported() {
			continue
		}
		if g.IsZero() {
			t.Errorf("%s: not copied", name)
			continue
		}
		switch f.Kind() {
		case reflect.Pointer, reflect.Map:
			if f.Pointer() == g.Pointer() {
				t.Errorf("%s: shared with the clone", name)
			}
		case reflect.Func:
		default:
			if f.Interface() != g.Interface() {
				t.Errorf("%s: got %v, want %v", name, g, f)
			}
		}
	}
}

// fill sets a field to something that is not its zero value.
func fill(t *testing.T, name string, f reflect.Value, n int) {
	switch f.Kind() {
	case reflect.Bool:
		f.SetBool(true)
	case reflect.Int, reflect.Int64:
		f.SetInt(int64(n))
	case reflect.Func:
		f.Set(reflect.MakeFunc(f.Type(), func([]reflect.Value) []reflect.Value { panic("not called") }))
	case reflect.Map:
		f.Set(reflect.MakeMap(f.Type()))
	case reflect.Pointer:
		f.Set(reflect.New(f.Type().Elem()))
	case reflect.Interface:
		f.Set(reflect.ValueOf(clock.System))
	default:
		t.Fatalf("%s: a kind that this test does not know", name)
	}
}
