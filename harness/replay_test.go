package harness_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/harness"
)

// numbered fails in a way of its own for each number, with a text of several lines.
func numbered(n int) func(*harness.T) {
	return func(t *harness.T) {
		tr := t.Net.Transport()
		t.Serve("api.test:80", nil)
		r1 := t.Get("r1", tr, "http://api.test/")
		for i := range n % 5 {
			t.Get(fmt.Sprintf("s%d", i), tr, "http://api.test/")
		}
		t.Rest()
		if r1.Err() == nil {
			t.Errorf("account %d:\n  got\r\n\n-- trace --\n\twant", n)
		}
	}
}

// The comments of a replay keep every line of a failure, and it is read as the schedule
// that it is; the printed script is a script.
func TestReplayText(t *testing.T) {
	t.Chdir(t.TempDir())
	x, err := harness.ExploreReport("text\nof two lines", harness.Bounds{}, nil, numbered(1))
	if err != nil || len(x.Findings) != 1 {
		t.Fatalf("got %v\n%s", err, x)
	}
	f := x.Findings[0]
	file, err := f.Save("saved", x.Name)
	if err != nil {
		t.Fatal(err)
	}
	of, s, err := harness.ReadSchedule(file)
	if err != nil || of != "text of two lines" || !slices.Equal(s, f.Schedule[:len(s)]) || len(s) == 0 {
		t.Errorf("got %q of %q, %v, want %q", s, of, err, f.Schedule)
	}
	if data, _ := os.ReadFile(file); !strings.Contains(string(data), "# account 1:\n#   got\n#\n# -- trace --\n# \twant\n") {
		t.Errorf("got\n%s", data)
	}
	if _, err := harness.ParseScript("printed.txtar", []byte(f.Script)); err != nil {
		t.Errorf("got %v for\n%s", err, f.Script)
	}
	odd := &harness.Finding{Report: f.Report, Schedule: harness.Schedule{"end", "# one", "", " x", "a\nb", `"q"`, "start r1"}}
	if s, err := harness.ParseSchedule("odd", odd.Format("odd")); err != nil || !slices.Equal(s, odd.Schedule) {
		t.Errorf("got %q, %v, want %q", s, err, odd.Schedule)
	}
}

// Tests whose names look the same in a file's name have replays of their own.
func TestReplayNames(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"Test/a:b", "Test/a*b"} {
		rec := &failing{TB: t, name: name}
		rec.run(func() { harness.Explore(rec, harness.Bounds{}, numbered(1)) })
	}
	if files, _ := filepath.Glob("testdata/replays/Test_a_b-*.replay"); len(files) != 2 {
		t.Fatalf("got %q, want a file for each test", files)
	}
	rec := &failing{TB: t, name: "Test/a*b"}
	rec.run(func() { harness.Explore(rec, harness.Bounds{Schedules: harness.None}, numbered(1)) })
	if n := strings.Count(rec.logs, ": fails"); n != 1 {
		t.Errorf("got %d replays run, want one:\n%s", n, rec.logs)
	}
}

// Eight processes save what they find in one package, again and again: none ever sees a
// part of a file, and no file is lost.
func TestReplayProcesses(t *testing.T) {
	if folder := os.Getenv("HALFOPEN_TEST_REPLAYS"); folder != "" {
		t.Chdir(folder)
		for round := range 50 {
			rec := &failing{TB: t, name: fmt.Sprintf("TestShared%d", round%5)}
			rec.run(func() { harness.Explore(rec, harness.Bounds{Schedules: 1}, numbered(round)) })
			if strings.Contains(rec.text, "harness:") || strings.Contains(rec.text, "not saved") || strings.Contains(rec.text, "no longer fits") {
				t.Fatalf("round %d: got %s", round, rec.text)
			}
			mine := &failing{TB: t, name: fmt.Sprintf("TestMine%d_%s", round, os.Getenv("HALFOPEN_TEST_PROCESS"))}
			mine.run(func() { harness.Explore(mine, harness.Bounds{Schedules: 1}, numbered(round)) })
		}
		return
	}
	folder := t.TempDir()
	var all []*exec.Cmd
	var outs []*strings.Builder
	for i := range 8 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestReplayProcesses$", "-test.count=1")
		out := new(strings.Builder)
		cmd.Stdout, cmd.Stderr = out, out
		cmd.Env = append(os.Environ(), "HALFOPEN_TEST_REPLAYS="+folder, fmt.Sprintf("HALFOPEN_TEST_PROCESS=%d", i))
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		all, outs = append(all, cmd), append(outs, out)
	}
	for i, cmd := range all {
		if err := cmd.Wait(); err != nil {
			t.Errorf("process %d: %v\n%s", i, err, outs[i])
		}
	}
	entries, err := os.ReadDir(filepath.Join(folder, "testdata/replays"))
	if err != nil {
		t.Fatal(err)
	}
	mine := 0
	for _, e := range entries {
		if _, _, err := harness.ReadSchedule(filepath.Join(folder, "testdata/replays", e.Name())); err != nil {
			t.Error(err)
		}
		if strings.HasPrefix(e.Name(), "TestMine") {
			mine++
		}
	}
	if mine != 8*50 || len(entries) != mine+5 {
		t.Errorf("got %d files, %d of these of one process, want %d of one process and 5 that are shared", len(entries), mine, 8*50)
	}
}

// Two failures that differ in a digit are two findings; each has a file, and both are run
// again.
func TestTwoAccounts(t *testing.T) {
	t.Chdir(t.TempDir())
	body := func(t *harness.T) {
		tr := t.Net.Transport()
		t.Serve("api.test:80", nil)
		r1 := t.Get("r1", tr, "http://api.test/").MayCancel()
		r2 := t.Get("r2", tr, "http://api.test/").MayCancel()
		t.Rest()
		for i, r := range []*harness.Request{r1, r2} {
			if r.Err() != nil {
				t.Fatalf("account %d is wrong", i+1)
			}
		}
	}
	bounds := harness.Bounds{Strategy: "exhaustive", Delays: 1, Faults: harness.None, KeepGoing: true}
	rec := &failing{TB: t, name: "TestAccounts"}
	rec.run(func() { harness.Explore(rec, bounds, body) })
	files, _ := filepath.Glob("testdata/replays/*.replay")
	if len(files) != 2 {
		t.Fatalf("got files %q and\n%s", files, rec.text)
	}
	bounds.Schedules = harness.None
	again := &failing{TB: t, name: rec.name}
	again.run(func() { harness.Explore(again, bounds, body) })
	for i, file := range files {
		if text := fmt.Sprintf("account %d is wrong", i+1); !strings.Contains(rec.text, text) || !strings.Contains(again.text, text) || !strings.Contains(again.logs, file+": fails") {
			t.Errorf("got\n%s\nand then\n%s\n%s\nwant %q in both, from a file for each", rec.text, again.text, again.logs, text)
		}
	}
	x := &harness.Exploration{Findings: []*harness.Finding{{Report: harness.TestReport("x", func(t *harness.T) { t.Error("x") }), NotShortest: true}}}
	if want := "The schedule may not be the shortest"; !strings.Contains(x.String(), want) {
		t.Errorf("got %s, want %q", x, want)
	}
}
