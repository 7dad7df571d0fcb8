package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/halfopen/halfopen/harness"
)

// exploreFlags returns the flags that say what to explore, and a function that returns their
// values, or what is wrong with them.
func exploreFlags() ([]cli.Flag, func(*cli.Command) (harness.Bounds, error)) {
	var b harness.Bounds
	var budget, delays, faults int
	var all bool
	var effects string
	flags := []cli.Flag{
		&cli.StringFlag{Name: "strategy", Usage: "the `strategy`: portfolio (the default), exhaustive, pct, pos or random", Destination: &b.Strategy},
		&cli.Uint64Flag{Name: "seed", Usage: "the `seed` of random choices", Destination: &b.Seed},
		&cli.IntFlag{Name: "budget", Usage: "the largest `number` of schedules to run, by all shards together; -1 means all of them (default 2000)", Destination: &budget},
		&cli.IntFlag{Name: "delays", Value: -1, Usage: "the largest `number` of delays in one schedule: choices that are not first come, first served (default 2)", Destination: &delays},
		&cli.BoolFlag{Name: "all", Usage: "allow any number of delays", Destination: &all},
		&cli.IntFlag{Name: "faults", Value: -1, Usage: "the largest `number` of faults in one schedule (default 1)", Destination: &faults},
		&cli.IntFlag{Name: "coincidences", Usage: "the largest `number` of pairs of events in one schedule without quiet between them", Destination: &b.Coincidences},
		&cli.StringFlag{Name: "effects", Usage: "the `names` of the faults to try, separated by commas (default refuse,reset,split:some); cut:* cuts at every byte, cut:some at a few places of what a server sends", Destination: &effects},
		&cli.BoolFlag{Name: "independent", Usage: "handlers share nothing across connections: leave out schedules that are equal then", Destination: &b.Independent},
		&cli.BoolFlag{Name: "keep-going", Usage: "go on after the first finding", Destination: &b.KeepGoing},
		&cli.DurationFlag{Name: "time", Usage: "stop after this real `time`", Destination: &b.Time},
		&cli.IntFlag{Name: "parallel", Value: harness.All, Usage: "the `number` of schedules that run at the same time, on which the result does not depend (default: the number of processors)", Destination: &b.Parallel},
	}
	return flags, func(cmd *cli.Command) (harness.Bounds, error) {
		if err := checkBounds(cmd); err != nil {
			return b, err
		}
		set := func(p *int, n int) {
			switch {
			case n == 0:
				*p = harness.None
			case n != -1: // -1 is the default
				*p = n
			}
		}
		set(&b.Delays, delays)
		set(&b.Faults, faults)
		if all {
			b.Delays = harness.All
		}
		b.Schedules = budget
		if budget == -1 {
			b.Schedules = harness.All
		}
		if effects != "" {
			for _, name := range strings.Split(effects, ",") {
				b.Effects = append(b.Effects, strings.TrimSpace(name))
			}
		}
		return b, nil
	}
}

// checkBounds returns an error if a flag of an exploration has a value that means nothing, or if two
// of them contradict each other.
func checkBounds(cmd *cli.Command) error {
	for _, f := range []struct {
		name  string
		least int
		more  string
	}{
		{"delays", 0, "; -all allows any number"},
		{"faults", 0, ""},
		{"coincidences", 0, ""},
		{"budget", 1, ", or -1 for all schedules"},
		{"parallel", 1, ""},
	} {
		if n := cmd.Int(f.name); cmd.IsSet(f.name) && n < f.least && !(f.name == "budget" && n == -1) {
			return fmt.Errorf("-%s: got %d, want %d or more%s", f.name, n, f.least, f.more)
		}
	}
	switch all := cmd.Bool("all"); {
	case cmd.Duration("time") < 0:
		return fmt.Errorf("-time: got %s, want 0s or more", cmd.Duration("time"))
	case all && cmd.IsSet("delays"):
		return fmt.Errorf("-all allows any number of delays, and -delays at most %d: want one of the two", cmd.Int("delays"))
	}
	return nil
}

func (l *line) exploreCommand() *cli.Command {
	var asJSON, verbose bool
	var save string
	var pages pages
	flags, bounds := exploreFlags()
	return l.deep(&cli.Command{
		Name: "explore", Category: ofScripts, ArgsUsage: "[flags] FILE",
		Usage: "try every order of a race script, and print the findings; the file - is standard input",
		Description: examples("halfopen explore testdata/explore/two-gets.txtar", "halfopen explore -strategy exhaustive -delays 1 testdata/explore/two-gets.txtar",
			"halfopen explore -effects reset,cut:some -budget 500 testdata/explore/two-gets.txtar", "halfopen explore -save found testdata/explore/two-gets.txtar"),
		Flags: append(flags,
			&cli.BoolFlag{Name: "json", Usage: "print the exploration as JSON, for halfopen merge", Destination: &asJSON},
			&cli.StringFlag{Name: "save", Usage: "save the schedules of the findings in this `folder`", Destination: &save},
			&cli.BoolFlag{Name: "v", Usage: "print progress, on a terminal the default", Destination: &verbose},
			htmlFlag(&pages)),
		Action: func(_ context.Context, cmd *cli.Command) error {
			if cmd.NArg() != 1 {
				return misused(cmd, "want one script")
			}
			within, err := bounds(cmd)
			if err != nil {
				return err
			}
			s, err := l.readScript(cmd.Args().First())
			if err != nil {
				return err
			}
			if err := cmp.Or(canBeFolder("save", save), pages.begin()); err != nil {
				return err
			}
			x, err := s.ExploreReport(nil, within, progress(verbose, l.errs))
			if err != nil {
				return err
			}
			if err := l.print(x, asJSON); err != nil {
				return err
			}
			if err := l.save(x, s, save); err != nil {
				return err
			}
			if page := x.Timeline(); page != nil {
				page.Title = s.Name
				if err := pages.write(page, l.errs); err != nil {
					return err
				}
			}
			return verdict(x)
		},
	})
}

// print prints an exploration.
func (l *line) print(x *harness.Exploration, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(l.out).Encode(x)
	}
	return l.paint(x)
}

// save saves the schedules of the findings in that folder, if one is named.
func (l *line) save(x *harness.Exploration, s *harness.Script, folder string) error {
	for _, f := range x.Findings {
		if folder == "" || len(f.Schedule) == 0 {
			continue
		}
		file, err := f.Save(folder, s.File)
		if err != nil {
			return err
		}
		fmt.Fprintf(l.errs, "saved; again: halfopen replay %s\n", file)
	}
	return nil
}

// verdict returns the exit code of an exploration.
func verdict(x *harness.Exploration) error {
	if len(x.Findings) > 0 {
		return failed
	}
	return nil
}

func (l *line) replayCommand() *cli.Command {
	return &cli.Command{
		Name: "replay", Category: ofScripts, ArgsUsage: "SCHEDULE [FILE]",
		Usage:       "run one saved schedule of a script again; FILE is the script, if it was moved",
		Description: examples("halfopen replay found/two-gets-1f2e3d4c.replay", "halfopen replay found/two-gets-1f2e3d4c.replay moved/two-gets.txtar"),
		Action: func(_ context.Context, cmd *cli.Command) error {
			if cmd.NArg() < 1 || cmd.NArg() > 2 {
				return misused(cmd, "want a schedule, and its script if the script was moved")
			}
			file := cmd.Args().First()
			if err := namesFiles(cmd); err != nil {
				return err
			}
			if filepath.Ext(file) == ".txtar" {
				return misused(cmd, "want the schedule, and then its script: "+file+" is a script")
			}
			script, _, err := harness.ReadSchedule(file)
			if err != nil {
				return err
			}
			if cmd.NArg() > 1 {
				script = cmd.Args().Get(1)
			} else if testName.MatchString(script) {
				return fmt.Errorf("%s is of %s, a test in Go: go test -run %s . -halfopen.replay FILE runs it, in the folder of its package", file, script, runOf(script))
			} else if filepath.Ext(script) != ".txtar" {
				return fmt.Errorf("%s is of %q, which is no script; name its script", file, script)
			} else if !below(".", script) && !below(filepath.Dir(file), script) {
				return fmt.Errorf("%s is of %q, which is neither below this folder nor below its own; name its script", file, script)
			}
			s, err := harness.ReadScript(script)
			if errors.Is(err, fs.ErrNotExist) && cmd.NArg() == 1 {
				return fmt.Errorf("%s is of %q: %w; name its script", file, script, err)
			}
			if err != nil {
				return err
			}
			x, err := s.ReplayReport(nil, file)
			if err != nil {
				return err
			}
			code := verdict(x)
			for _, r := range x.Replayed {
				fmt.Fprintln(l.out, r)
				if r.Misfit != "" {
					code = misfit
				}
			}
			for _, f := range slices.Concat(x.Findings, x.Undecided) {
				if err := l.paint(f.Report); err != nil {
					return err
				}
			}
			return code
		},
	}
}

// testName matches the name of a test in Go.
var testName = regexp.MustCompile(`^Test[^a-z\s]\S*$`)

// runOf returns the value of -run for that test alone.
func runOf(test string) string {
	return "'^" + strings.ReplaceAll(test, "/", "$/^") + "$'"
}

// below reports whether a file is in the folder, or in one below it. A saved schedule may come
// from elsewhere, and is not to open what it likes.
func below(folder, file string) bool {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return false
	}
	if file, err = filepath.Abs(file); err != nil {
		return false
	}
	rest, err := filepath.Rel(folder, file)
	return err == nil && filepath.IsLocal(rest)
}

func (l *line) mergeCommand() *cli.Command {
	var asJSON bool
	return &cli.Command{
		Name: "merge", Category: ofScripts, ArgsUsage: "[-json] REPORT...",
		Usage:       "merge the JSON reports of shards",
		Description: examples("halfopen merge shard-0.json shard-1.json shard-2.json"),
		Flags:       []cli.Flag{&cli.BoolFlag{Name: "json", Usage: "print the merged exploration as JSON", Destination: &asJSON}},
		Action: func(_ context.Context, cmd *cli.Command) error {
			if !cmd.Args().Present() {
				return misused(cmd, "want the reports of all shards, which halfopen explore -json prints")
			}
			if err := namesFiles(cmd); err != nil {
				return err
			}
			x, err := harness.MergeFiles(cmd.Args().Slice()...)
			if err != nil {
				return err
			}
			if err := l.print(x, asJSON); err != nil {
				return err
			}
			return verdict(x)
		},
	}
}
