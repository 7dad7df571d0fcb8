package cases_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/suites"
)

// A failure names the line of the case, and of a user's pool, and no file between these and
// package harness.
func TestFailuresNameTheCase(t *testing.T) {
	var want string
	here := func() {
		_, file, line, _ := runtime.Caller(1)
		want = fmt.Sprintf("%s:%d", filepath.Base(file), line+1)
	}
	transport := suites.Subjects()[0]
	pool := suites.PoolSubject("pool", handPool("")).Subject()
	dials := suites.PoolSubject("dials each time", func(dial func(context.Context) (net.Conn, error), s suites.ClientSettings) (suites.ConnPool, error) {
		return suites.NewPool(func(ctx context.Context) (suites.Lease, error) {
			here()
			c, err := dial(ctx)
			return suites.Lease{Conn: c, Put: func() {}, Discard: func() {}}, err
		}, func() error { return nil }), nil
	}).Subject()
	for _, tt := range []struct {
		s suites.Subject
		c suites.Case
	}{
		{transport, suites.Case{Body: func(e *suites.Env) {
			here()
			e.WantOpened(1, "that is wrong")
		}}},
		{pool, suites.Case{ClientBody: func(e *suites.ClientEnv) {
			here()
			e.WantOpened(1, "that is wrong")
		}}},
		{dials, suites.Case{ClientSettings: suites.ClientSettings{MaxConns: 1}, ClientBody: func(e *suites.ClientEnv) { e.DoAll("r1", "r2") }}},
	} {
		if r := tt.s.Run(tt.c); r.State != suites.Failed || r.Where != want {
			t.Errorf("%s: got %s at %s, want it failed at %s\n%s", tt.s, r.State, r.Where, want, r.Report)
		}
	}
}

// Every file that has methods of an environment and no cases is one of helpers.
func TestHelperFiles(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s := string(text)
		helps := strings.Contains(s, "\nfunc (e *Env) ") || strings.Contains(s, "\nfunc (e *ClientEnv) ")
		if marked := strings.Contains(s, "\nfunc init() { harness.HelperFile() }\n"); helps && !strings.Contains(s, "= []Case{\n") && !marked {
			t.Errorf("%s: its helpers are taken for the lines of cases: it wants harness.HelperFile", file)
		}
	}
}
