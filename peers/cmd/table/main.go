// Table reads the output of go test -bench and prints it as one table: a line
// for each measure, a column for each subject.
//
//	go test -bench . -count 5 ./net | go run ./cmd/table
//
// It reads benchmarks whose names end in measure/subject. The first subject of a
// measure is ours. Each figure is the median of its runs. After the figure of a peer
// stands the ratio of our figure to it: 0.50 means that ours needs half the time, or
// half the bytes. Lines that begin with "Note: " are printed below the table.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "table:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	t, err := read(in)
	if err != nil {
		return err
	}
	if len(t.rows) == 0 {
		return fmt.Errorf("no benchmark of the form measure/subject in the input")
	}
	return t.print(out)
}

// table holds the results of the input, in the order of the input.
type table struct {
	rows     []*row
	subjects []string // all, ours first
	notes    []string
}

// row holds the results of one measure.
type row struct {
	measure string
	unit    string
	ours    string
	runs    map[string][]float64 // by subject
}

// line matches the result of a benchmark: its name, how often it ran, and its figures.
// Go appends the number of processors to the name unless it is 1.
var line = regexp.MustCompile(`^Benchmark(\S+)/([^/\s]+?)(?:-\d+)?\s+\d+\s+(.*)$`)

func read(in io.Reader) (*table, error) {
	t := new(table)
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		if note, ok := strings.CutPrefix(lines.Text(), "Note: "); ok {
			t.notes = append(t.notes, note)
			continue
		}
		m := line.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		value, unit, err := figure(m[3])
		if err != nil {
			return nil, fmt.Errorf("%q: %w", lines.Text(), err)
		}
		t.add(strings.ReplaceAll(m[1], "_", " "), m[2], value, unit)
	}
	return t, lines.Err()
}

// figure returns the figure of a line that the table shows: the time, or, if the time is
// 0 because the benchmark does not measure it, the benchmark's first own figure.
func figure(figures string) (value float64, unit string, err error) {
	words := strings.Fields(figures)
	if len(words)%2 != 0 {
		return 0, "", fmt.Errorf("a figure has no unit")
	}
	for ; len(words) > 0; words = words[2:] {
		v, err := strconv.ParseFloat(words[0], 64)
		if err != nil {
			return 0, "", err
		}
		switch words[1] {
		case "MB/s", "B/op", "allocs/op":
			continue
		case "ns/op":
			if v == 0 {
				continue
			}
			return v, words[1], nil
		}
		if unit == "" {
			value, unit = v, words[1]
		}
	}
	if unit == "" {
		return 0, "", fmt.Errorf("no figure")
	}
	return value, unit, nil
}

func (t *table) add(measure, subject string, value float64, unit string) {
	i := slices.IndexFunc(t.rows, func(r *row) bool { return r.measure == measure })
	if i < 0 {
		i = len(t.rows)
		t.rows = append(t.rows, &row{measure: measure, unit: unit, ours: subject, runs: make(map[string][]float64)})
	}
	if !slices.Contains(t.subjects, subject) {
		t.subjects = append(t.subjects, subject)
	}
	r := t.rows[i]
	r.runs[subject] = append(r.runs[subject], value)
}

func (t *table) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "measure\tunit\t%s\n", strings.Join(t.subjects, "\t"))
	for _, r := range t.rows {
		ours := median(r.runs[r.ours])
		cells := []string{r.measure, strings.TrimSuffix(r.unit, "/op")}
		for _, s := range t.subjects {
			v := median(r.runs[s])
			switch {
			case len(r.runs[s]) == 0:
				cells = append(cells, "-")
			case s == r.ours || v == 0:
				cells = append(cells, amount(v))
			default:
				cells = append(cells, fmt.Sprintf("%s (%.2f)", amount(v), ours/v))
			}
		}
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	for i, note := range t.notes {
		if i == 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintln(w, note)
	}
	return w.Flush()
}

// amount returns v with at least three digits: runs differ by more than the fourth one.
func amount(v float64) string {
	digits := 0
	for limit := 100.0; v < limit && digits < 2; limit /= 10 {
		digits++
	}
	return strconv.FormatFloat(v, 'f', digits, 64)
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	values = slices.Sorted(slices.Values(values))
	middle := len(values) / 2
	if len(values)%2 == 1 {
		return values[middle]
	}
	return (values[middle-1] + values[middle]) / 2
}
