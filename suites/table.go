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

// String returns the report as text: a table with a row for each case and a column for each
// subject, the quirks with their reasons, and the failures, each with the shortest script
// that shows it.
func (r *Report) String() string {
	var b strings.Builder
	r.WriteTable(&b)
	r.WriteQuirks(&b, false)
	r.WriteUndecided(&b)
	r.WriteFailures(&b, len(r.Results))
	return b.String()
}

// WriteTable writes a row for each case, with what it came to for each subject
// and how many schedules that took, and below it the totals.
func (r *Report) WriteTable(w io.Writer) error {
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
	_, err := fmt.Fprintf(w, "%s\n%d cases x %d subjects, %d schedules in %s\n", align(rows),
		len(r.Cases), len(r.Subjects), all, r.Elapsed.Round(100*time.Millisecond))
	return err
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

// WriteQuirks writes what is known not to hold: for each subject the cases, with
// the mechanism and what says that it should be otherwise. It writes nothing if
// there are none. With reports each is followed by what shows it, of the first of the
// subjects: its shortest script, or the steps of a case that is run once.
func (r *Report) WriteQuirks(w io.Writer, reports bool) error {
	var b strings.Builder
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
		fmt.Fprintf(&b, "\n%s: %s\n%s", c.Name, strings.Join(of, ", "), strings.Join(quirks, ""))
		if reports {
			for l := range strings.Lines(shown) {
				b.WriteString("    " + l)
			}
		}
	}
	if b.Len() == 0 {
		return nil
	}
	_, err := fmt.Fprintf(w, "\nquirks: known not to hold\n%s", b.String())
	return err
}

// WriteUndecided writes the cases whose end could not be seen, each with why, and
// nothing if there are none.
func (r *Report) WriteUndecided(w io.Writer) error {
	var b strings.Builder
	for _, res := range r.Results {
		if res.State == Undecided {
			fmt.Fprintf(&b, "\n%s: %s\n  %s\n", res.Case.Name, res.Subject, res.Reason)
		}
	}
	if b.Len() == 0 {
		return nil
	}
	_, err := fmt.Fprintf(w, "\nundecided: their end could not be seen\n%s", b.String())
	return err
}

// WriteFailures writes the first so many of the cases that failed, each with
// its claim and the shortest script that shows it, and how many more there are.
func (r *Report) WriteFailures(w io.Writer, most int) error {
	var b strings.Builder
	failures := r.failures()
	for i, f := range failures {
		if i == most {
			fmt.Fprintf(&b, "\n%d more failed\n", len(failures)-i)
			break
		}
		file, line := f.place()
		fmt.Fprintf(&b, "\n--- %s: %s\n%s  (%s:%d)\n%s", f.Subject, f.Case.Name, f.Case.Claim, file, line, f.Report)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
