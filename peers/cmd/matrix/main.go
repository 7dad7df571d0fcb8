// Command matrix runs every case on every peer, and prints a table of the results: a
// row for each subject, a column for each group of cases. With -v it also prints each
// quirk, with its reason and the shortest script that shows it.
//
// If the end of a case could not be seen, the case is undecided: matrix prints the
// reason, and the case does not count as failed. The exit code is 1 if a case failed or
// if a quirk is gone.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/halfopen/halfopen/peers/subjects"
	"github.com/halfopen/halfopen/suites"
)

func main() {
	verbose := flag.Bool("v", false, "print each quirk with its script")
	only := flag.String("only", "", "run the cases only on subjects whose name contains this `text`")
	named := flag.String("run", "", "run only the cases whose name matches this regular `expression`")
	flag.Parse()
	which, err := regexp.Compile(*named)
	if err != nil {
		fmt.Fprintln(os.Stderr, "matrix: -run:", err)
		os.Exit(2)
	}
	flag.Set("halfopen.frozen", "400ms") // silenceper/pool holds its mutex while it dials
	flag.Set("halfopen.parallel", "1")   // the documentation of package subjects says why
	goredis.SetLogger(silent{})          // it logs each dial that fails
	log.SetOutput(io.Discard)            // net/http logs responses without a request
	rows := run(*only, which, func(r *row) {
		fmt.Fprintf(os.Stderr, "%s: %d results, %d schedules, %v\n", r.name, len(r.results), r.schedules(), r.took.Round(time.Millisecond))
	})
	write(os.Stdout, rows, *verbose)
	if failed(rows) {
		os.Exit(1)
	}
}

// failed reports whether a case failed.
func failed(rows []*row) bool {
	return slices.ContainsFunc(rows, func(r *row) bool { return r.count("", suites.Failed) > 0 })
}

type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

// row has a subject and the results of the cases on it.
type row struct {
	name    string
	results []suites.Result
	took    time.Duration
}

// count returns how many cases of a group are in a state; an empty group means all.
func (r *row) count(g suites.Group, s suites.State) (n int) {
	for _, res := range r.results {
		if (g == "" || res.Case.Group() == g) && res.State == s {
			n++
		}
	}
	return n
}

func (r *row) schedules() (n int) {
	for _, res := range r.results {
		if res.State != suites.NotApplicable {
			n += res.Schedules
		}
	}
	return n
}

// run runs the cases of which on the subjects, one after the other; the documentation of package
// subjects says why.
func run(only string, which *regexp.Regexp, done func(*row)) (rows []*row) {
	add := func(s suites.Subject, cases []suites.Case) {
		if !strings.Contains(s.String(), only) {
			return
		}
		r, began := &row{name: s.String()}, time.Now()
		for _, c := range cases {
			if which.MatchString(c.Name) {
				r.results = append(r.results, s.Run(c))
			}
		}
		if len(r.results) == 0 {
			return
		}
		r.took = time.Since(began)
		rows = append(rows, r)
		done(r)
	}
	for _, s := range subjects.Transports() {
		for _, p := range s.Speaks {
			add(suites.Subject{Name: s.Name, Protocol: p, Maker: s.Maker, Quirks: s.Quirks}, suites.Cases())
		}
	}
	for _, s := range subjects.Clients() {
		add(s.Subject(), suites.ClientCases())
	}
	return rows
}

// states lists the states that a cell counts, in the order of the heading.
var states = []suites.State{suites.Held, suites.Failed, suites.Quirky, suites.Undecided, suites.NotApplicable}

// write writes a table for HTTP clients and one for the other subjects. Each cell has a
// number for each of states. Below stand the quirks, the undecided cases and the
// failures.
func write(w io.Writer, rows []*row, verbose bool) {
	http := func(r *row) bool { return len(r.results) > 0 && r.results[0].Subject.Protocol != 0 }
	fmt.Fprintln(w, "held/FAILED/quirk/undecided/not applicable")
	table(w, filter(rows, http), suites.Groups())
	table(w, filter(rows, func(r *row) bool { return !http(r) }), suites.ClientGroups())
	for _, r := range rows {
		for _, state := range []suites.State{suites.Quirky, suites.Undecided} {
			for _, c := range causes(r, state) {
				fmt.Fprintf(w, "\n%s: %s: %s\n  %s\n", r.name, state, c.reason, strings.Join(c.cases, " "))
			}
		}
		for _, res := range r.results {
			switch {
			case res.State == suites.Failed:
				fmt.Fprintf(w, "\n%s: FAILED: %s: %s\n%s", r.name, res.Case.Name, res.Case.Claim, res.Report)
			case res.State == suites.Quirky && verbose:
				fmt.Fprintf(w, "\n%s: %s: %s\n%s%s", r.name, res.Case.Name, res.Case.Claim, res.Report, res.Script)
			}
		}
	}
}

func filter(rows []*row, keep func(*row) bool) []*row {
	return slices.DeleteFunc(slices.Clone(rows), func(r *row) bool { return !keep(r) })
}

func table(w io.Writer, rows []*row, groups []suites.Group) {
	if len(rows) == 0 {
		return
	}
	fmt.Fprintln(w)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	cell := func(s string) { fmt.Fprintf(t, "%s\t", s) }
	cell("subject")
	for _, g := range groups {
		cell(string(g))
	}
	fmt.Fprintln(t, "all\tschedules")
	for _, r := range rows {
		cell(r.name)
		for _, g := range append(slices.Clone(groups), "") {
			var counts []string
			for _, state := range states {
				counts = append(counts, strconv.Itoa(r.count(g, state)))
			}
			cell(strings.Join(counts, "/"))
		}
		fmt.Fprintln(t, r.schedules())
	}
	t.Flush()
}

// cause has a reason why cases are in a state, and the names of these cases.
type cause struct {
	reason string
	cases  []string
}

// causes returns the reasons why cases of a row are in a state, each once.
func causes(r *row, state suites.State) (all []cause) {
	for _, res := range r.results {
		if res.State != state {
			continue
		}
		i := slices.IndexFunc(all, func(c cause) bool { return c.reason == res.Reason })
		if i < 0 {
			all, i = append(all, cause{reason: res.Reason}), len(all)
		}
		all[i].cases = append(all[i].cases, res.Case.Name)
	}
	return all
}
