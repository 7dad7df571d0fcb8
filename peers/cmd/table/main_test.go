package main

import (
	"strings"
	"testing"
)

// The table has medians, ratios, a gap for a subject without a result, a figure that is
// not a time, and notes. Lines that are not results are skipped.
func TestTable(t *testing.T) {
	in := `goos: linux
Note: one pair
Note: is two ends
BenchmarkNet/ping_pong/ours-2     	  100	       300.0 ns/op	       0 B/op	       0 allocs/op
BenchmarkNet/ping_pong/ours-2     	  100	       100.0 ns/op	       0 B/op	       0 allocs/op
BenchmarkNet/ping_pong/ours-2     	  100	       200.0 ns/op	       0 B/op	       0 allocs/op
BenchmarkNet/ping_pong/peer-2     	  100	       400.0 ns/op	       0 B/op	       0 allocs/op
BenchmarkNet/ping_pong/peer-2     	  100	       600.0 ns/op	       0 B/op	       0 allocs/op
BenchmarkNet/ping_pong/other-2    	  100	       20.55 ns/op	 24954.05 MB/s
BenchmarkNet/idle/ours-2          	  100	         0 ns/op	      1060 B/pair	       0 B/op
BenchmarkNet/idle/peer-2          	  100	         0 ns/op	      2120 B/pair	       0 B/op
BenchmarkAlone-2                  	  100	       1.0 ns/op
PASS
ok  	example.test	1.0s
`
	want := `measure        unit    ours  peer         other
Net/ping pong  ns      200   500 (0.40)   20.6 (9.73)
Net/idle       B/pair  1060  2120 (0.50)  -

one pair
is two ends
`
	var got strings.Builder
	if err := run(strings.NewReader(in), &got); err != nil || got.String() != want {
		t.Errorf("got %v and\n%swant\n%s", err, got.String(), want)
	}
}

// An input without results is an error, and not an empty table.
func TestNothing(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"PASS\n", "no benchmark of the form measure/subject in the input"},
		{"BenchmarkNet/idle/ours-2 1 x ns/op\n",
			`"BenchmarkNet/idle/ours-2 1 x ns/op": strconv.ParseFloat: parsing "x": invalid syntax`},
		{"BenchmarkNet/idle/ours-2 1 1 ns/op 2\n", `"BenchmarkNet/idle/ours-2 1 1 ns/op 2": a figure has no unit`},
		{"BenchmarkNet/idle/ours-2 1 1 B/op\n", `"BenchmarkNet/idle/ours-2 1 1 B/op": no figure`},
	} {
		if err := run(strings.NewReader(tt.in), new(strings.Builder)); err == nil || err.Error() != tt.want {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
}
