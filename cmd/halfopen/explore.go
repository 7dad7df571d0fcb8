package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/halfopen/halfopen/harness"
)

// exploreFlags defines the flags that say what to explore, and returns a function
// that returns their values.
func exploreFlags(fs *flag.FlagSet) func() harness.Bounds {
	strategy := fs.String("strategy", "", "portfolio (the default), exhaustive, pct, pos or random")
	seed := fs.Uint64("seed", 0, "the seed of random choices")
	budget := fs.Int("budget", 0, "the largest number of schedules to run, by all shards together; -1 means all of them (default 2000)")
	delays := fs.Int("delays", -1, "the largest number of delays in one schedule: choices that are not first come, first served (default 2)")
	all := fs.Bool("all", false, "allow any number of delays")
	faults := fs.Int("faults", -1, "the largest number of faults in one schedule (default 1)")
	together := fs.Int("coincidences", 0, "the largest number of pairs of events in one schedule without quiet between them")
	effects := fs.String("effects", "", "the names of the faults to try, separated by commas (default refuse,reset,split:some); cut:* cuts at every byte, cut:some at a few places of what a server sends")
	independent := fs.Bool("independent", false, "leave out orders that are equal because handlers share nothing across connections")
	keep := fs.Bool("keep-going", false, "go on after the first finding")
	limit := fs.Duration("time", 0, "stop after this real time")
	return func() harness.Bounds {
		b := harness.Bounds{Strategy: *strategy, Seed: *seed, Coincidences: *together, Independent: *independent, KeepGoing: *keep, Time: *limit}
		set := func(p *int, n int) {
			switch {
			case n == 0:
				*p = harness.None
			case n != -1: // -1 is the default
				*p = n
			}
		}
		set(&b.Delays, *delays)
		set(&b.Faults, *faults)
		if *all {
			b.Delays = harness.All
		}
		b.Schedules = *budget
		if *budget == -1 {
			b.Schedules = harness.All
		}
		if *effects != "" {
			b.Effects = strings.Split(*effects, ",")
		}
		return b
	}
}

func exploreCommand(fs *flag.FlagSet) func([]string, io.Writer, io.Writer) int {
	bounds := exploreFlags(fs)
	asJSON := fs.Bool("json", false, "print the exploration as JSON, for halfopen merge")
	save := fs.String("save", "", "save the schedules of the findings in this `folder`")
	verbose := fs.Bool("v", false, "print progress")
	pages := htmlFlag(fs)
	return func(args []string, out, errs io.Writer) int {
		s, code := oneScript("explore", args, fs, errs)
		if s == nil {
			return code
		}
		pages.begin()
		x, err := s.ExploreReport(nil, bounds(), progress(*verbose, errs))
		if err != nil {
			fmt.Fprintf(errs, "halfopen explore: %v\n", err)
			return mistake
		}
		if *asJSON {
			json.NewEncoder(out).Encode(x)
		} else {
			fmt.Fprint(out, x)
		}
		for _, f := range x.Findings {
			if *save == "" || len(f.Schedule) == 0 {
				continue
			}
			file, err := f.Save(*save, s.File)
			if err != nil {
				fmt.Fprintln(errs, err)
				return mistake
			}
			fmt.Fprintf(errs, "saved; again: halfopen replay %s\n", file)
		}
		if page := x.Timeline(); page != nil {
			page.Title = s.Name
			if !pages.write(page, errs) {
				return mistake
			}
		}
		return exitCode(x)
	}
}

func exitCode(x *harness.Exploration) int {
	if len(x.Findings) > 0 {
		return failed
	}
	return held
}

// progress returns a function that prints progress, if errs is a terminal or the
// user has asked for progress with -v, else nil.
func progress(verbose bool, errs io.Writer) func(*harness.Exploration) {
	if f, ok := errs.(*os.File); ok && !verbose {
		st, err := f.Stat()
		verbose = err == nil && st.Mode()&os.ModeCharDevice != 0
	}
	if !verbose {
		return nil
	}
	return harness.Progress(errs)
}

// oneScript reads the script that args name. If args name no script or several, it
// prints an error and returns nil and the exit code.
func oneScript(name string, args []string, fs *flag.FlagSet, errs io.Writer) (*harness.Script, int) {
	if len(args) != 1 {
		fmt.Fprintf(errs, "halfopen %s: want one script\n", name)
		fs.Usage()
		return nil, mistake
	}
	s, err := harness.ReadScript(args[0])
	if err != nil {
		fmt.Fprintln(errs, err)
		return nil, mistake
	}
	return s, held
}

func replayCommand(fs *flag.FlagSet) func([]string, io.Writer, io.Writer) int {
	return func(args []string, out, errs io.Writer) int {
		if len(args) < 1 || len(args) > 2 {
			fmt.Fprintln(errs, "halfopen replay: want a schedule, and its script if the script was moved")
			fs.Usage()
			return mistake
		}
		script, _, err := harness.ReadSchedule(args[0])
		if err != nil {
			fmt.Fprintln(errs, err)
			return mistake
		}
		if len(args) > 1 {
			script = args[1]
		} else if filepath.Ext(script) != ".txtar" {
			fmt.Fprintf(errs, "halfopen replay: %s is of %q, which is no script; name its script\n", args[0], script)
			return mistake
		}
		s, code := oneScript("replay", []string{script}, fs, errs)
		if s == nil {
			return code
		}
		x, err := s.ReplayReport(nil, args[0])
		if err != nil {
			fmt.Fprintln(errs, err)
			return mistake
		}
		code = exitCode(x)
		for _, r := range x.Replayed {
			fmt.Fprintln(out, r)
			if r.Misfit != "" {
				code = misfit
			}
		}
		for _, f := range slices.Concat(x.Findings, x.Undecided) {
			fmt.Fprint(out, f.Report)
		}
		return code
	}
}

func mergeCommand(fs *flag.FlagSet) func([]string, io.Writer, io.Writer) int {
	asJSON := fs.Bool("json", false, "print the merged exploration as JSON")
	return func(args []string, out, errs io.Writer) int {
		x, err := harness.MergeFiles(args...)
		if err != nil {
			fmt.Fprintf(errs, "halfopen merge: %v\n", err)
			return mistake
		}
		if *asJSON {
			json.NewEncoder(out).Encode(x)
		} else {
			fmt.Fprint(out, x)
		}
		return exitCode(x)
	}
}
