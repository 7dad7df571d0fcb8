// Package planted is for the tests of ordinary code with planted mistakes, in the
// folders below: what is tested is that a report names the guilty line. Its goal
// is that each of them shows what a test of one's own looks like, and no more.
package planted

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/suites"
)

// Named fails t unless the report contains each text, in which GUILTY stands for
// the file and line whose comment has the word "guilty".
func Named(t *testing.T, report, file string, texts ...string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var places []string
	for i, line := range strings.Split(string(data), "\n") {
		if _, comment, _ := strings.Cut(line, "// "); strings.Contains(comment, "guilty") && !strings.HasPrefix(line, "//") {
			places = append(places, fmt.Sprintf("%s:%d", file, i+1))
		}
	}
	for _, text := range texts {
		named := slices.ContainsFunc(places, func(place string) bool {
			return strings.Contains(report, strings.ReplaceAll(text, "GUILTY", place))
		})
		if !named {
			t.Errorf("got:\n%s\nwant it to contain %q, GUILTY being one of %v", report, text, places)
		}
	}
}

// Failure returns the report of the client case of that name, which has to fail on the pool,
// as suites.TestPool would show it.
func Failure(t *testing.T, name string, maker suites.PoolMaker) string {
	t.Helper()
	cases := suites.ClientCases()
	i := slices.IndexFunc(cases, func(c suites.Case) bool { return c.Name == name })
	if i < 0 {
		t.Fatalf("there is no case %s", name)
	}
	r := suites.PoolSubject("pool", maker).Subject().Run(cases[i])
	if r.State != suites.Failed {
		t.Fatalf("%s: got %s %s, want the mistake to be found", name, r.State, r.Reason)
	}
	return r.Report
}
