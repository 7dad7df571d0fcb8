package suites

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// String returns the report as text: see [Report.WriteText]. It has all failures.
func (r *Report) String() string { return r.text(false, len(r.Results)) }

// WriteText writes the report as text: a table with a row for each case and a column for each
// subject, the quirks with their reasons, the cases that are undecided, and the first failure
// with the shortest script that shows it. With verbose it writes every failure, and for each
// quirk the script or the steps that show it.
func (r *Report) WriteText(w io.Writer, verbose bool) error {
	failures := 1
	if verbose {
		failures = len(r.Results)
	}
	_, err := io.WriteString(w, r.text(verbose, failures))
	return err
}

func (r *Report) text(quirkReports bool, failures int) string {
	var b strings.Builder
	r.writeTable(&b)
	r.writeQuirks(&b, quirkReports)
	r.writeUndecided(&b)
	r.writeFailures(&b, failures)
	return b.String()
}

// writeTable writes a row for each case, with its state for each subject and the number of
// schedules, and below it the totals.
func (r *Report) writeTable(b *strings.Builder) {
	names, protocols := []string{""}, []string{"case"}
	for _, s := range r.Subjects {
		names, protocols = append(names, s.Name), append(protocols, s.Protocol.String())
	}
	rows := [][]string{names, append(protocols, "claim")}
	for i, c := range r.Cases {
		row := []string{c.Name}
		for _, res := range r.Results[i*len(r.Subjects) : (i+1)*len(r.Subjects)] {
			row = append(row, res.cell())
		}
		rows = append(rows, append(row, c.Claim))
	}
	rows = append(rows, []string{})
	all := 0
	for _, state := range []State{Held, Quirky, Undecided, NotApplicable, Failed} {
		row := []string{string(state)}
		for i := range r.Subjects {
			row = append(row, fmt.Sprint(countOf(r.of(i), state)))
		}
		rows = append(rows, row)
	}
	row := []string{"schedules"}
	for i := range r.Subjects {
		n := 0
		for _, res := range r.of(i) {
			n += res.Schedules
		}
		all += n
		row = append(row, fmt.Sprint(n))
	}
	rows = append(rows, row)
	fmt.Fprintf(b, "%s\n%d cases x %d subjects, %d schedules in %s\n", align(rows),
		len(r.Cases), len(r.Subjects), all, r.Elapsed.Round(100*time.Millisecond))
}

// cell returns the state for the table, with the number of schedules where more than one was
// tried.
func (r Result) cell() string {
	if r.Schedules <= 1 || r.State == Quirky {
		return string(r.State)
	}
	return fmt.Sprintf("%s %d", r.State, r.Schedules)
}

func countOf(results []Result, state State) (n int) {
	for _, r := range results {
		if r.State == state {
			n++
		}
	}
	return n
}

// align puts the cells of each column below one another. The last one of a full
// row is as long as it is.
func align(rows [][]string) string {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			fmt.Fprintf(&line, "%-*s  ", widths[i], cell)
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.String()
}

// writeQuirks writes the cases that are known not to hold: for each the subjects, with the
// mechanism and the promise that is broken. With reports each is followed by the report of
// its first subject: its shortest script, or the steps of a case that is run once.
func (r *Report) writeQuirks(b *strings.Builder, reports bool) {
	heading := "\nquirks: known not to hold\n"
	for i, c := range r.Cases {
		var of, quirks []string
		shown := ""
		for _, res := range r.Results[i*len(r.Subjects) : (i+1)*len(r.Subjects)] {
			if res.State != Quirky {
				continue
			}
			of = append(of, res.Subject.String())
			if shown == "" {
				shown = cmp.Or(res.Script, res.Report)
			}
			text := "  " + res.Quirk.String() + "\n"
			if res.Quirk.Breaks != "" {
				text += "  breaks: " + res.Quirk.Breaks + "\n"
			}
			if !slices.Contains(quirks, text) {
				quirks = append(quirks, text)
			}
		}
		if len(of) == 0 {
			continue
		}
		fmt.Fprintf(b, "%s\n%s: %s\n%s", heading, c.Name, strings.Join(of, ", "), strings.Join(quirks, ""))
		heading = ""
		if reports {
			for l := range strings.Lines(shown) {
				b.WriteString("    " + l)
			}
		}
	}
}

// writeUndecided writes the cases that did not come to their ends, each with the reason.
func (r *Report) writeUndecided(b *strings.Builder) {
	heading := "\nundecided: their end could not be seen\n"
	for _, res := range r.Results {
		if res.State == Undecided {
			fmt.Fprintf(b, "%s\n%s: %s\n  %s\n", heading, res.Case.Name, res.Subject, res.Reason)
			heading = ""
		}
	}
}

// writeFailures writes the first failures, each with its claim and the shortest script that
// shows it, and how many more there are.
func (r *Report) writeFailures(b *strings.Builder, most int) {
	failures := r.failures()
	for i, f := range failures {
		if i == most {
			fmt.Fprintf(b, "\n%d more failed\n", len(failures)-i)
			break
		}
		file, line := f.place()
		fmt.Fprintf(b, "\n--- %s: %s\n%s  (%s:%d)\n%s", f.Subject, f.Case.Name, f.Case.Claim, file, line, f.Report)
	}
}
