package main

import (
	"cmp"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/halfopen/halfopen/harness/view"
	"github.com/halfopen/halfopen/harness/view/pcapng"
)

// format is a form in which a run can be exported.
type format struct {
	name, ending, doc string
	write             func(run *view.Run, w io.Writer) error
}

var formats = []format{
	{"pcapng", ".pcapng", "for Wireshark, with the keys of TLS", func(run *view.Run, w io.Writer) error { return pcapng.Write(w, run) }},
	{"perfetto", ".json", "for ui.perfetto.dev", (*view.Run).WritePerfetto},
	{"mermaid", ".mmd", "a sequence diagram for an issue", (*view.Run).WriteMermaid},
	{"svg", ".svg", "a picture", (*view.Run).WriteSVG},
}

func formatNames() string {
	var names []string
	for _, f := range formats {
		names = append(names, fmt.Sprintf("%s (%s, %s)", f.name, f.ending, f.doc))
	}
	return strings.Join(names, ", ")
}

func exportCommand(fs *flag.FlagSet) func([]string, io.Writer, io.Writer) int {
	to := fs.String("to", "", "the `format`, if the name of the file does not say it: "+formatNames())
	file := fs.String("o", "", "write to this `file` instead of to standard output")
	number := fs.Int("run", 1, "the number of the run, of a page that has several")
	return func(args []string, out, errs io.Writer) int {
		mistaken := func(format string, args ...any) int {
			fmt.Fprintf(errs, "halfopen export: "+format+"\n", args...)
			return mistake
		}
		if len(args) != 1 {
			fs.Usage()
			return mistaken("want one page that -html or -halfopen.report has written")
		}
		i := slices.IndexFunc(formats, func(f format) bool {
			return *to == f.name || *to == "" && f.ending == filepath.Ext(*file)
		})
		if i < 0 {
			return mistaken("unknown format %q; there are: %s", cmp.Or(*to, filepath.Ext(*file)), formatNames())
		}
		runs, err := readRuns(args[0])
		switch {
		case err != nil:
			return mistaken("%v", err)
		case *number < 1 || *number > len(runs):
			return mistaken("-run %d: %s has %d runs", *number, args[0], len(runs))
		}
		target, err := openOutput(cmp.Or(*file, "-"), out)
		if err != nil {
			return mistaken("%v", err)
		}
		if err := target.finish(func(w io.Writer) error { return formats[i].write(runs[*number-1], w) }); err != nil {
			return mistaken("%v", err)
		}
		return held
	}
}

// readRuns returns the runs of a page.
func readRuns(file string) ([]*view.Run, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	page, err := view.ReadHTML(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return page.Runs, nil
}
