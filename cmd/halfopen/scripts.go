package main

import (
	"flag"
	"fmt"
	"io"
	"net/http"
	"text/tabwriter"
	"time"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/pool"
	"github.com/halfopen/halfopen/testdata"
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
	return func(args []string, out, errs io.Writer) int {
		if len(args) == 0 {
			fmt.Fprintln(errs, "halfopen run: which script?")
			fs.Usage()
			return mistake
		}
		code := held
		for _, file := range args {
			code = max(code, runFile(file, *verbose, *update, out, errs))
		}
		return code
	}
}

func runFile(file string, verbose, update bool, out, errs io.Writer) int {
	s, err := harness.ReadScript(file)
	if err != nil {
		fmt.Fprintln(errs, err)
		return mistake
	}
	r, err := s.Run(nil)
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
	if r.Failed() {
		return failed
	}
	return held
}

func checkCommand(fs *flag.FlagSet) func([]string, io.Writer, io.Writer) int {
	verbose := fs.Bool("v", false, "print the report of what failed")
	return func(args []string, out, errs io.Writer) int {
		if len(args) > 0 {
			fmt.Fprintln(errs, "halfopen check: takes no arguments; halfopen run FILE runs a script of yours")
			return mistake
		}
		scripts, err := testdata.Scripts()
		if err != nil {
			fmt.Fprintln(errs, err)
			return mistake
		}
		return check(scripts, *verbose, out)
	}
}

// subjects is what check runs the scripts against.
var subjects = []struct {
	name  string
	maker harness.Maker
}{
	{"net/http", harness.NetHTTP},
	{"pool", func(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
		tr := &pool.Transport{DialContext: t.Net.DialContext}
		return tr, s.Apply(tr)
	}},
}

// check runs the scripts against every subject and prints a table.
func check(scripts []*harness.Script, verbose bool, out io.Writer) int {
	start := time.Now()
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprint(w, "script")
	for _, subject := range subjects {
		fmt.Fprintf(w, "\t%s", subject.name)
	}
	fmt.Fprintln(w, "\tclaim")
	var broken []*harness.Report
	counts := make([]int, len(subjects))
	for _, s := range scripts {
		fmt.Fprint(w, s.Name)
		for i, subject := range subjects {
			r, err := s.Run(subject.maker)
			cell := "held"
			switch {
			case err != nil:
				cell = err.Error()
			case r.Failed():
				cell = "FAILED"
				broken = append(broken, r)
			default:
				counts[i]++
			}
			fmt.Fprintf(w, "\t%s", cell)
		}
		fmt.Fprintf(w, "\t%s\n", s.Claim)
	}
	w.Flush()
	fmt.Fprintf(out, "\n%d scripts in %s; held:", len(scripts), time.Since(start).Round(time.Millisecond))
	for i, subject := range subjects {
		fmt.Fprintf(out, " %s %d", subject.name, counts[i])
	}
	fmt.Fprintln(out)
	for i, r := range broken {
		if !verbose && i > 0 {
			fmt.Fprintf(out, "\n%d more failed; -v shows them\n", len(broken)-1)
			break
		}
		fmt.Fprintf(out, "\n--- %s\n%s", r.Name, r)
	}
	if len(broken) > 0 {
		return failed
	}
	return held
}
