package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/urfave/cli/v3"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/harness/view"
)

// standardInput is the name of a script that comes from there.
const standardInput = "-"

// mostInScript is how many bytes are read of standard input, as [harness.ReadScript] reads of
// a file.
const mostInScript = 4 << 20

// readScript reads a script: of a file, or of standard input.
func (l *line) readScript(file string) (*harness.Script, error) {
	if file != standardInput {
		return harness.ReadScript(file)
	}
	data, err := io.ReadAll(io.LimitReader(l.in, mostInScript+1))
	if err != nil {
		return nil, err
	}
	if len(data) > mostInScript {
		return nil, fmt.Errorf("standard input: more than %d bytes", mostInScript)
	}
	return harness.ParseScript(file, data)
}

func (l *line) verbsCommand() *cli.Command {
	return &cli.Command{
		Name: "verbs", Category: ofScripts, ArgsUsage: "[SECTION]",
		Usage:       "print the manual of the script language, or a section of it",
		Description: examples("halfopen verbs", "halfopen verbs start", `halfopen verbs "let go"`, "halfopen verbs outcome"),
		Action: func(_ context.Context, cmd *cli.Command) error {
			switch cmd.NArg() {
			case 0:
				fmt.Fprint(l.out, harness.Manual())
				return nil
			case 1:
				text, err := harness.ManualOf(cmd.Args().First())
				fmt.Fprint(l.out, text)
				return err
			}
			return misused(cmd, "want one section, in quotes if it has several words")
		},
	}
}

func (l *line) runCommand() *cli.Command {
	var verbose, update bool
	var pages pages
	return l.deep(&cli.Command{
		Name: "run", Category: ofScripts, ArgsUsage: "[flags] FILE...",
		Usage:       "run race scripts on net/http; the file - is standard input",
		Description: examples("halfopen run testdata/races/body-cancel.txtar", "halfopen run -v - <testdata/races/body-cancel.txtar", "halfopen run -html out testdata/races/body-cancel.txtar"),
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "v", Usage: "print the trace of each script", Destination: &verbose},
			&cli.BoolFlag{Name: "update", Usage: "rewrite the golden traces", Destination: &update},
			htmlFlag(&pages),
		},
		Action: func(_ context.Context, cmd *cli.Command) error {
			if !cmd.Args().Present() {
				return misused(cmd, "want one script or more")
			}
			if update && slices.Contains(cmd.Args().Slice(), standardInput) {
				return errors.New("-update has no file to rewrite: the script is standard input")
			}
			if err := cmp.Or(checkNames(cmd.Args().Slice()), pages.begin()); err != nil {
				return err
			}
			worst := exit(held)
			for _, file := range cmd.Args().Slice() {
				err := l.runFile(file, verbose, update, pages)
				code, bare := errors.AsType[exit](err)
				if err != nil && !bare {
					fmt.Fprintln(l.errs, naming(cmd, err)) // and the other scripts run
					code = mistake
				}
				worst = max(worst, code)
			}
			if worst == held {
				return nil
			}
			return worst
		},
	})
}

func (l *line) runFile(file string, verbose, update bool, pages pages) error {
	s, err := l.readScript(file)
	if err != nil {
		return err
	}
	r, err := s.TestReport(nil)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if update && (!r.Failed() || r.Failures[0].Kind == "trace") {
		if err := s.Update(r); err != nil {
			return err
		}
		fmt.Fprintf(l.out, "%s: trace updated\n", s.Name)
		return nil
	}
	if err := l.paint(r); err != nil {
		return err
	}
	if verbose {
		fmt.Fprint(l.out, r.Trace())
	}
	if run := r.Timeline(); run != nil {
		if err := pages.write(&view.Page{Title: s.Name, Runs: []*view.Run{run}}, l.errs); err != nil {
			return err
		}
	}
	if r.Failed() {
		return failed
	}
	return nil
}

func (l *line) formatCommand() *cli.Command {
	var list, write bool
	return &cli.Command{
		Name: "fmt", Category: ofScripts, ArgsUsage: "[flags] FILE...",
		Usage:       "format race scripts: print them, or rewrite their files; the file - is standard input",
		Description: examples("halfopen fmt testdata/races/body-cancel.txtar", "halfopen fmt -l testdata/races/body-cancel.txtar testdata/races/broken-vanish.txtar", "halfopen fmt -w mine.txtar"),
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "l", Usage: "print only the names of the files that would change; the exit code is 1 if there are any", Destination: &list},
			&cli.BoolFlag{Name: "w", Usage: "rewrite the files that change, instead of printing", Destination: &write},
		},
		Action: func(_ context.Context, cmd *cli.Command) error {
			if !cmd.Args().Present() {
				return misused(cmd, "want one script or more")
			}
			if write && slices.Contains(cmd.Args().Slice(), standardInput) {
				return errors.New("-w has no file to rewrite: the script is standard input")
			}
			if err := checkNames(cmd.Args().Slice()); err != nil {
				return err
			}
			code := exit(held)
			for _, file := range cmd.Args().Slice() {
				changed, err := l.formatFile(file, list, write)
				if err != nil {
					fmt.Fprintln(l.errs, naming(cmd, err)) // and the other scripts are formatted
					code = mistake
				}
				if list && changed && !write {
					code = max(code, failed)
				}
			}
			if code == held {
				return nil
			}
			return code
		},
	}
}

// formatFile formats a script: it lists its name, writes it, or prints it.
func (l *line) formatFile(file string, list, write bool) (changed bool, err error) {
	s, err := l.readScript(file)
	if err != nil {
		return false, err
	}
	text, changed := s.Format()
	switch {
	case list && changed:
		fmt.Fprintln(l.out, file)
	case !list && !write:
		l.out.Write(text)
	}
	if write && changed {
		err = os.WriteFile(file, text, 0o666)
	}
	return changed, err
}
