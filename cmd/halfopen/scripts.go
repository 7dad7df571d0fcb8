package main

import (
	"flag"
	"fmt"
	"io"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/harness/view"
)

func verbsCommand(*flag.FlagSet) func([]string, io.Writer, io.Writer) int {
	return func(args []string, out, errs io.Writer) int {
		if len(args) > 0 {
			fmt.Fprintln(errs, "halfopen verbs: takes no arguments")
			return mistake
		}
		fmt.Fprint(out, harness.Manual())
		return held
	}
}

func runCommand(fs *flag.FlagSet) func([]string, io.Writer, io.Writer) int {
	verbose := fs.Bool("v", false, "print the trace of each script")
	update := fs.Bool("update", false, "rewrite the golden traces")
	pages := htmlFlag(fs)
	return func(args []string, out, errs io.Writer) int {
		if len(args) == 0 {
			fmt.Fprintln(errs, "halfopen run: want one script or more")
			fs.Usage()
			return mistake
		}
		code := held
		pages.begin()
		for _, file := range args {
			code = max(code, runFile(file, *verbose, *update, pages, out, errs))
		}
		return code
	}
}

func runFile(file string, verbose, update bool, pages *pages, out, errs io.Writer) int {
	s, err := harness.ReadScript(file)
	if err != nil {
		fmt.Fprintln(errs, err)
		return mistake
	}
	r, err := s.TestReport(nil)
	if err != nil {
		fmt.Fprintf(errs, "%s: %v\n", file, err)
		return mistake
	}
	if update && (!r.Failed() || r.Failures[0].Kind == "trace") {
		if err := s.Update(r); err != nil {
			fmt.Fprintln(errs, err)
			return mistake
		}
		fmt.Fprintf(out, "%s: trace updated\n", s.Name)
		return held
	}
	fmt.Fprint(out, r)
	if verbose {
		fmt.Fprint(out, r.Trace())
	}
	if run := r.Timeline(); run != nil && !pages.write(&view.Page{Title: s.Name, Runs: []*view.Run{run}}, errs) {
		return mistake
	}
	if r.Failed() {
		return failed
	}
	return held
}
