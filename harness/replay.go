package harness

import (
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/halfopen/halfopen/harness/internal/search"
)

// The flags of explorations. Each has an environment variable beside it, for
// where flags cannot be given.
var (
	replayFlag   = flag.String("halfopen.replay", os.Getenv("HALFOPEN_REPLAY"), "run only the schedule in this `file` (HALFOPEN_REPLAY)")
	seedFlag     = flag.Uint64("halfopen.seed", envNumber("HALFOPEN_SEED"), "explore from this `seed` instead of the test's (HALFOPEN_SEED)")
	budgetFlag   = flag.Uint64("halfopen.budget", envNumber("HALFOPEN_BUDGET"), "explore at most `n` schedules instead of the test's bound (HALFOPEN_BUDGET)")
	strategyFlag = flag.String("halfopen.strategy", os.Getenv("HALFOPEN_STRATEGY"), "explore with this `strategy` instead of the test's (HALFOPEN_STRATEGY)")
)

func envNumber(name string) uint64 {
	n, _ := strconv.ParseUint(os.Getenv(name), 10, 63)
	return n
}

// flagged returns the bounds with what the flags say.
func (b Bounds) flagged() Bounds {
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

// replayFile returns the file that a finding of that test is saved in.
func replayFile(test string, f *Finding) string {
	h := fnv.New32a()
	h.Write([]byte(f.Report.signature()))
	return filepath.Join(replays, fmt.Sprintf("%s-%08x.replay", unsafeInName.ReplaceAllString(test, "_"), h.Sum32()))
}

// savedReplays returns the saved schedules of that test.
func savedReplays(test string) ([]string, error) {
	return filepath.Glob(filepath.Join(replays, unsafeInName.ReplaceAllString(test, "_")+"-????????.replay"))
}

// replayAll runs saved schedules. Each that still fails is a finding.
func (e *explorer) replayAll(engine *search.Engine, files []string) error {
	effects := e.effects
	defer func() { e.effects = effects }()
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		s, err := ParseSchedule(file, data)
		if err != nil {
			return err
		}
		var within search.Limits
		within, e.effects = s.room(effects)
		r := engine.Replay(s, within)
		e.x.Replayed = append(e.x.Replayed, Replay{file, misfit(s, r.Left), r.Failed, r.Undecided})
	}
	return nil
}

// room returns limits and effects with room for all that the schedule has.
func (s Schedule) room(e effects) (search.Limits, effects) {
	l := search.Limits{Delays: All, Faults: All}
	e.every = nil
	for _, name := range s {
		if strings.Contains(name, " & ") {
			l.Coincidences = All
		}
		_, effect, ok := strings.Cut(name, " as ")
		if v, err := parseOutcome(effect); ok && err == nil {
			e.verdicts = append(slices.Clip(e.verdicts), v)
		}
	}
	return l, e
}

// Replay is a saved schedule that was run again.
type Replay struct {
	// File is where it is saved.
	File string
	// Misfit is "" if the schedule still fits, or says at which step it does not.
	Misfit string
	// Failed is whether it failed again.
	Failed bool
	// Undecided is whether it could not be run to its end.
	Undecided bool
}

// String returns the file and the result.
func (r Replay) String() string {
	s := r.File + ": holds now"
	switch {
	case r.Failed:
		s = r.File + ": fails"
	case r.Undecided:
		s = r.File + ": undecided"
	}
	if r.Misfit != "" {
		s += "; it no longer fits: " + r.Misfit
	}
	return s
}

// misfit says which step of the schedule never came, if choices of it are left.
func misfit(s, left Schedule) string {
	if len(left) == 0 {
		return ""
	}
	return fmt.Sprintf("step %d of %d, %q, never came", len(s)-len(left)+1, len(s), left[0])
}

// save writes a finding below testdata/replays. It is run first from then on.
func (f *Finding) save(test string) (string, error) {
	file := replayFile(test, f)
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		return "", err
	}
	if old, err := os.ReadFile(file); err == nil && string(old) == string(f.Format(test)) {
		return file, nil
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	return file, os.WriteFile(file, f.Format(test), 0o666)
}

// again is the lines that run the findings again.
func (x *Exploration) saveAll() string {
	var b strings.Builder
	for _, f := range x.Findings {
		if f.Report.Failures[0].Kind == KindUncontrolled || len(f.Schedule) == 0 {
			continue
		}
		file, err := f.save(x.Name)
		if err != nil {
			fmt.Fprintf(&b, "not saved: %v\n", err)
			continue
		}
		fmt.Fprintf(&b, "saved as %s; again:\n  %s -halfopen.replay %s\n", file, goTestLine(x.Name), file)
	}
	return b.String()
}
