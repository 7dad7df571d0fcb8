package harness

import (
	"cmp"
	"crypto/sha256"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/halfopen/halfopen/harness/internal/search"
	"github.com/halfopen/halfopen/internal/color"
	"github.com/halfopen/halfopen/internal/deep/on"
	"github.com/halfopen/halfopen/internal/nearest"
)

// The flags of explorations. Each has an environment variable beside it, for
// where flags cannot be given.
var (
	replayFlag   = flag.String("halfopen.replay", os.Getenv("HALFOPEN_REPLAY"), "run only the schedule in this `file` (HALFOPEN_REPLAY)")
	seedFlag     = flag.Uint64("halfopen.seed", envNumber("HALFOPEN_SEED"), "explore from this `seed` instead of the test's (HALFOPEN_SEED)")
	budgetFlag   = flag.Uint64("halfopen.budget", envNumber("HALFOPEN_BUDGET"), "explore at most `n` schedules instead of the test's bound (HALFOPEN_BUDGET)")
	parallelFlag = flag.Uint64("halfopen.parallel", envNumber("HALFOPEN_PARALLEL"), "run `n` schedules at the same time instead of the test's number (HALFOPEN_PARALLEL)")
	strategyFlag = flag.String("halfopen.strategy", os.Getenv("HALFOPEN_STRATEGY"), "explore with this `strategy` instead of the test's (HALFOPEN_STRATEGY)")
)

func envNumber(name string) uint64 {
	n, _ := strconv.ParseUint(os.Getenv(name), 10, 63)
	return n
}

// checkFlags returns an error for a flag of tests, or a variable in its place, whose value means
// nothing. What package flag refuses is not even run.
func checkFlags() error {
	for _, name := range []string{"HALFOPEN_SEED", "HALFOPEN_BUDGET", "HALFOPEN_PARALLEL"} {
		if v := os.Getenv(name); v != "" {
			if _, err := strconv.ParseUint(v, 10, 63); err != nil {
				return fmt.Errorf("%s=%q: want a number, 0 or more", name, v)
			}
		}
	}
	for _, name := range []string{"HALFOPEN_TRACE", "HALFOPEN_UPDATE"} {
		if v := os.Getenv(name); v != "" {
			if _, err := strconv.ParseBool(v); err != nil {
				return fmt.Errorf("%s=%q: want 0 or 1", name, v)
			}
		}
	}
	if err := color.Check(string(colorFlag)); err != nil {
		return fmt.Errorf("HALFOPEN_COLOR: %w", err)
	}
	switch {
	case *budgetFlag > math.MaxInt:
		return fmt.Errorf("-halfopen.budget %d: want at most %d", *budgetFlag, math.MaxInt)
	case *parallelFlag > math.MaxInt:
		return fmt.Errorf("-halfopen.parallel %d: want at most %d", *parallelFlag, math.MaxInt)
	case *frozenAfter <= 0:
		return fmt.Errorf("-halfopen.frozen %s: want more than 0s", *frozenAfter)
	}
	return nil
}

// mustHaveFlags fails a test whose flags mean nothing.
func mustHaveFlags(t TB) {
	if err := checkFlags(); err != nil {
		t.Helper()
		t.Errorf("harness: %v", err)
		t.FailNow()
	}
}

// flagged returns the bounds with what the flags say.
func (b Bounds) flagged() Bounds {
	if *parallelFlag != 0 {
		b.Parallel = int(*parallelFlag)
	}
	if *seedFlag != 0 {
		b.Seed = *seedFlag
	}
	if *budgetFlag != 0 {
		b.Schedules = int(*budgetFlag)
	}
	if *strategyFlag != "" {
		b.Strategy = *strategyFlag
	}
	return b
}

// replays is where failing schedules are saved, below the package under test.
const replays = "testdata/replays"

var unsafeInName = regexp.MustCompile(`[^A-Za-z0-9_.-]+`)

// replayFile returns the name of a file for a schedule of that test, or of that script.
func replayFile(test string, f *Finding) string {
	sum := sha256.Sum256([]byte(test + "\n" + strings.Join(search.WithoutNotes(f.saved()), "\n")))
	return fmt.Sprintf("%s-%x.replay", safeName(test), sum[:8])
}

// safeName returns the name of a test as a part of a file's name. A long one is cut: the
// names of files have a limit.
func safeName(test string) string {
	s := unsafeInName.ReplaceAllString(test, "_")
	return s[:min(len(s), 150)]
}

// savedReplays returns the files with saved schedules of that test. Other tests can have
// names that look the same in the name of a file.
func savedReplays(test string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(replays, safeName(test)+"-"+strings.Repeat("[0-9a-f]", 16)+".replay"))
	if err != nil {
		return nil, err
	}
	var of []string
	for _, file := range files {
		data, err := readFile(file, mostInFile)
		if err != nil {
			return nil, err
		}
		if name := scheduleOf(data); name == oneLine(test) || !strings.HasPrefix(string(data), replayHead) {
			of = append(of, file) // what cannot be read is refused later
		}
	}
	return of, nil
}

// replayAll runs saved schedules. Each that still fails is a finding.
func (e *explorer) replayAll(engine *search.Engine, files []string) error {
	effects, gates, waits := e.effects, e.gates, e.waits
	defer func() { e.effects, e.gates, e.waits = effects, gates, waits }()
	e.gates, e.waits = usualGates, All
	for _, file := range files {
		data, err := readFile(file, mostInFile)
		if err != nil {
			return err
		}
		s, lines, err := parseSchedule(file, data)
		if err != nil {
			return err
		}
		if err := checkEffects(file, s, lines); err != nil {
			return err
		}
		if s.needsDeep() && !on.Deep() {
			e.x.Replayed = append(e.x.Replayed, Replay{File: file, NeedsDeep: true})
			continue
		}
		var within search.Limits
		within, e.effects = s.room(effects)
		r := engine.Replay(s, within)
		replay := Replay{File: file, Misfit: misfit(s, r), Failed: r.Failed, Undecided: r.Undecided}
		if of := scheduleOf(data); of != oneLine(e.x.Name) && testName.MatchString(of) {
			replay.other = of
		}
		if replay.Misfit != "" {
			replay.line = lines[len(s)-len(r.Left)]
		}
		e.x.Replayed = append(e.x.Replayed, replay)
		if len(engine.Findings) > len(e.files) {
			if replay.Misfit != "" {
				file = "" // another schedule was run
			}
			e.files = append(e.files, file)
		}
	}
	return nil
}

// checkEffects returns an error for the first choice with an outcome that there is not.
func checkEffects(file string, s Schedule, lines []int) error {
	for i, name := range s {
		for _, choice := range strings.Split(name, " & ") {
			_, effect, ok := strings.Cut(choice+" ", " as ")
			base, _, _ := strings.Cut(strings.TrimSpace(effect), ":")
			if ok && !slices.Contains(outcomeNames(), base) {
				return &ParseError{File: file, Line: lines[i], Text: name, Err: fmt.Errorf("unknown outcome %q%s", base, nearest.ThereAre(base, outcomeNames()))}
			}
		}
	}
	return nil
}

// room returns limits and effects with room for all that the schedule has.
func (s Schedule) room(e effects) (search.Limits, effects) {
	l := search.Limits{Delays: All, Faults: All, Inner: All}
	e.every, e.some = nil, nil
	for _, name := range s {
		if strings.Contains(name, " & ") {
			l.Coincidences = All
		}
		_, effect, ok := strings.Cut(name, " as ")
		if v, err := parseOutcome(effect); ok && err == nil {
			e.verdicts = append(slices.Clip(e.verdicts), v)
		}
		if base, place, _ := strings.Cut(effect, ":"); slices.Contains(placeNames, place) && !slices.Contains(e.some, base) {
			e.some = append(e.some, base)
		}
	}
	return l, e
}

// needsDeep reports whether the schedule has inner choices.
func (s Schedule) needsDeep() bool { return slices.ContainsFunc(s, search.IsInner) }

// Replay is a saved schedule that was run again.
type Replay struct {
	// File is where it is saved.
	File string
	// Misfit is "" if the schedule still fits, or says at which step it does not, and
	// what was offered there instead. Then it shows nothing: the test has changed.
	Misfit string
	// Failed is whether it failed again.
	Failed bool
	// Undecided is whether it could not be run to its end.
	Undecided bool
	// NeedsDeep is whether it was not run, because it has inner choices and the bubble is
	// ordinary: only halfopen test has them.
	NeedsDeep bool

	line  int    // of the choice that does not fit
	other string // the test that has saved it, if that is another one
}

// String returns the file and the result.
func (r Replay) String() string {
	if r.other != "" {
		return r.said() + "; it was saved by another test, " + r.other
	}
	return r.said()
}

// testName matches what a schedule of a test in Go says that it is of. Other schedules name a script, or
// have a comment there.
var testName = regexp.MustCompile(`^Test[A-Z0-9_]`)

func (r Replay) said() string {
	s := r.File + ": holds now"
	switch {
	case r.Misfit != "" && r.Failed:
		return fmt.Sprintf("%s:%d: it no longer fits: %s; what ran instead fails", r.File, r.line, r.Misfit)
	case r.Misfit != "":
		return fmt.Sprintf("%s:%d: it no longer fits: %s", r.File, r.line, r.Misfit)
	case r.Failed:
		s = r.File + ": fails"
	case r.Undecided:
		s = r.File + ": undecided"
	case r.NeedsDeep:
		s = r.File + ": not run: it has inner choices, which need a deep bubble (halfopen test)"
	}
	return s
}

// misfit says which choice of the schedule never came, if choices of it are left.
func misfit(s Schedule, r search.Replayed) string {
	if len(r.Left) == 0 {
		return ""
	}
	n := len(s) - len(r.Left)
	return fmt.Sprintf("step %d: got %s, want %q%s, which never came (choice %d of %d)", r.Step,
		cmp.Or(strings.Join(r.Offered, "; "), "the end of the run"), r.Left[0], nearest.DidYouMean(r.Left[0], r.Offered), n+1, len(s))
}

// Save saves the schedule of a finding in the folder, in a file that is named after the
// test, or the script, and the schedule, and returns the file. Any number of processes
// may save at once: a reader never sees a part of a file.
func (f *Finding) Save(folder, test string) (file string, err error) {
	file = filepath.Join(folder, replayFile(test, f))
	if old, err := readFile(file, mostInFile); err == nil {
		if s, err := ParseSchedule(file, old); err == nil && slices.Equal(search.WithoutNotes(s), search.WithoutNotes(f.saved())) {
			return file, nil // the comments of the first one stay
		}
	}
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return "", err
	}
	temp, err := os.CreateTemp(folder, ".replay-*")
	if err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			os.Remove(temp.Name())
		}
	}()
	_, err = temp.Write(f.Format(test))
	if err := cmp.Or(err, temp.Chmod(0o644), temp.Sync(), temp.Close()); err != nil {
		return "", err
	}
	return file, os.Rename(temp.Name(), file)
}

// saveAll saves the findings, and returns the lines that run them again.
func (x *Exploration) saveAll() string {
	var b strings.Builder
	for _, f := range x.Findings {
		if f.Report.Failures[0].Kind == KindUncontrolled || len(f.Schedule) == 0 {
			continue
		}
		file := f.file
		if file == "" {
			var err error
			if file, err = f.Save(replays, x.Name); err != nil {
				fmt.Fprintf(&b, "not saved: %v\n", err)
				continue
			}
		}
		fmt.Fprintf(&b, "saved as %s; again:\n  %s -halfopen.replay %s\n", file, goTestLine(x.Name), file)
	}
	return b.String()
}
