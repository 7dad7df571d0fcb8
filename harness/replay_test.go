package harness_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/halfopen/halfopen/harness"
)

// A finding is saved, run first from then on, and told not to fit when the
// test has changed.
func TestSavedReplay(t *testing.T) {
	t.Chdir(t.TempDir())
	body := func(bug string) func(*harness.T) {
		return func(t *harness.T) { oneAfterAnother(t, newMini(t, bug, 0)) }
	}
	rec := &failing{TB: t, name: "TestPool/limit 1"}
	rec.run(func() { harness.Explore(rec, harness.Bounds{}, body("unused dial leaked")) })
	files, _ := filepath.Glob("testdata/replays/*.replay")
	if len(files) != 1 || !strings.Contains(rec.text, "-halfopen.replay "+files[0]) {
		t.Fatalf("got files %q and\n%s", files, rec.text)
	}
	// It still fails, before anything is explored.
	rec = &failing{TB: t, name: rec.name}
	rec.run(func() { harness.Explore(rec, harness.Bounds{Schedules: harness.None}, body("unused dial leaked")) })
	if want := "r2: waits while c1 to api.test:80 is idle"; !strings.Contains(rec.text, want) || !strings.Contains(rec.logs, files[0]+": fails") {
		t.Errorf("got %s\n%s\nwant %q", rec.text, rec.logs, want)
	}
	// It holds when the bug is gone.
	rec = &failing{TB: t, name: rec.name}
	rec.run(func() { harness.Explore(rec, harness.Bounds{Schedules: harness.None}, body("")) })
	if rec.text != "" || !strings.Contains(rec.logs, files[0]+": holds now") {
		t.Errorf("got %q, %q", rec.text, rec.logs)
	}
	// It survives a request more, and does not fit without cancellation.
	rec = &failing{TB: t, name: rec.name}
	rec.run(func() {
		harness.Explore(rec, harness.Bounds{Schedules: harness.None}, func(t *harness.T) {
			body("unused dial leaked")(t)
			t.Get("r3", newMini(t, "", 0), "http://api.test/")
		})
	})
	if !strings.Contains(rec.logs, files[0]+": fails") {
		t.Errorf("got %q after an unrelated change", rec.logs)
	}
	rec = &failing{TB: t, name: rec.name}
	rec.run(func() {
		harness.Explore(rec, harness.Bounds{Schedules: harness.None}, func(t *harness.T) {
			t.Serve("api.test:80", nil)
			t.Get("r1", newMini(t, "", 0), "http://api.test/")
		})
	})
	if want := `it no longer fits: step 2: got dial d1 api.test:80; dial d1 api.test:80 as refuse, want "cancel r1", which never came (choice 2 of 3)`; !strings.Contains(rec.text, want) {
		t.Errorf("got %q, want %q", rec.text, want)
	}
	if files, _ := filepath.Glob("testdata/replays/*"); len(files) != 1 {
		t.Errorf("got %q, want no other file", files)
	}
	// Half of one is refused.
	data, _ := os.ReadFile(files[0])
	for n := range len(data) - 1 {
		os.WriteFile(files[0], data[:n], 0o666)
		if _, _, err := harness.ReadSchedule(files[0]); err == nil {
			t.Errorf("got no error for\n%s", data[:n])
		}
	}
	rec = &failing{TB: t, name: rec.name}
	rec.run(func() { harness.Explore(rec, harness.Bounds{Schedules: harness.None}, body("")) })
	if want := `the last line, "end", is missing: the file is truncated`; !strings.Contains(rec.text, want) {
		t.Errorf("got %q, want %q", rec.text, want)
	}
	// One of another version is refused, and stays.
	os.WriteFile(files[0], []byte("halfopen replay 0\nstart r1\n"), 0o666)
	rec = &failing{TB: t, name: rec.name}
	rec.run(func() { harness.Explore(rec, harness.Bounds{Schedules: harness.None}, body("")) })
	if want := files[0] + `:1: got "halfopen replay 0", want "halfopen replay 2"`; !strings.Contains(rec.text, want) {
		t.Errorf("got %q, want %q", rec.text, want)
	}
}

// A test that runs the schedule of another one says so. Where nothing is saved, and nothing is to be
// explored, that is printed.
func TestReplayOfAnother(t *testing.T) {
	t.Chdir(t.TempDir())
	leaks := func(t *harness.T) { oneAfterAnother(t, newMini(t, "unused dial leaked", 0)) }
	rec := &failing{TB: t, name: "TestPool/limit 1"}
	rec.run(func() { harness.Explore(rec, harness.Bounds{}, leaks) })
	files, _ := filepath.Glob("testdata/replays/*.replay")
	if len(files) != 1 {
		t.Fatalf("got files %q", files)
	}
	flag.Set("halfopen.replay", files[0])
	rec = &failing{TB: t, name: "TestOther"}
	rec.run(func() { harness.Explore(rec, harness.Bounds{}, leaks) })
	flag.Set("halfopen.replay", "")
	if want := files[0] + ": fails; it was saved by another test, TestPool/limit 1"; !strings.Contains(rec.logs, want) {
		t.Errorf("got %q, want %q", rec.logs, want)
	}
	rec = &failing{TB: t, name: "TestNothing"}
	rec.run(func() { harness.Explore(rec, harness.Bounds{Schedules: harness.None}, leaks) })
	if want := "nothing was explored"; rec.text != "" || !strings.Contains(rec.logs, want) {
		t.Errorf("got %q and %q, want %q", rec.text, rec.logs, want)
	}
}

// failing is a test that keeps its failures and its log.
type failing struct {
	testing.TB
	name       string
	text, logs string
}

func (f *failing) Name() string                 { return f.name }
func (f *failing) Errorf(s string, args ...any) { f.text += sprintf(s, args...) }
func (f *failing) Logf(s string, args ...any)   { f.logs += sprintf(s, args...) + "\n" }
func (f *failing) FailNow()                     { runtimeGoexit() }

func (f *failing) run(body func()) {
	var wg sync.WaitGroup
	wg.Go(body)
	wg.Wait()
}

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
