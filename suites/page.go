package suites

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/halfopen/halfopen/harness/view"
)

// The most that a page of a report keeps of each result: runs, and bytes of an event.
const (
	mostRuns  = 2
	mostBytes = 160
)

// keep takes the timelines of a result, if they were kept, as far as a page shows them: of an
// exploration the first finding, and the schedule that held and is nearest to it.
func (r *Result) keep(runs ...*view.Run) {
	for _, run := range runs {
		if run == nil || len(r.Runs) == mostRuns {
			continue
		}
		run.Secrets, run.Again = "", ""
		for i := range run.Steps {
			if e := run.Steps[i].Event; e != nil && len(e.Bytes) > mostBytes {
				e.Bytes = bytes.Clone(e.Bytes[:mostBytes])
			}
		}
		r.Runs = append(r.Runs, run)
	}
}

// Page returns the report as a page: a matrix of the cases and the subjects, each cell of
// which leads to the timelines of its result, if they were kept: see
// [github.com/halfopen/halfopen/harness.KeepTimelines].
func (r *Report) Page(title string) *view.Page {
	page := &view.Page{Title: title, Matrix: new(view.Matrix)}
	for _, s := range r.Subjects {
		page.Matrix.Subjects = append(page.Matrix.Subjects, s.String())
	}
	for i, c := range r.Cases {
		row := view.MatrixCase{Name: c.Name, Claim: c.Claim}
		for _, res := range r.Results[i*len(r.Subjects) : (i+1)*len(r.Subjects)] {
			cell := view.Cell{State: strings.ToLower(string(res.State)), Schedules: res.Schedules, Text: res.Reason}
			if res.State == Failed {
				cell.Text, _, _ = strings.Cut(res.Report, "\n")
			}
			for n, run := range res.Runs {
				run.Name = fmt.Sprintf("%s, %s", c.Name, res.Subject)
				if n > 0 {
					run.Name += ": " + run.Verdict
				}
				cell.Runs = append(cell.Runs, len(page.Runs))
				page.Runs = append(page.Runs, run)
			}
			row.Cells = append(row.Cells, cell)
		}
		page.Matrix.Cases = append(page.Matrix.Cases, row)
	}
	return page
}
