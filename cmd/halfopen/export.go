package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"

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

func (l *line) exportCommand() *cli.Command {
	var to, file string
	var number int
	return &cli.Command{
		Name: "export", Category: ofPages, ArgsUsage: "[flags] PAGE",
		Usage:       "write a run of a page for Wireshark, Perfetto or an issue; -html and -halfopen.report write pages",
		Description: examples("halfopen export -o run.pcapng out/body-cancel.html", "halfopen export -to mermaid out/body-cancel.html"),
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "to", Usage: "the `format`, if the name of the file does not say it: " + formatNames(), Destination: &to},
			&cli.StringFlag{Name: "o", Usage: "write to this `file` instead of to standard output", Destination: &file},
			&cli.IntFlag{Name: "run", Value: 1, Usage: "the `number` of the run, of a page that has several", Destination: &number},
		},
		Action: func(_ context.Context, cmd *cli.Command) error {
			if cmd.NArg() != 1 {
				return misused(cmd, "want one page that -html or -halfopen.report has written")
			}
			i := slices.IndexFunc(formats, func(f format) bool {
				return to == f.name || to == "" && f.ending == filepath.Ext(file)
			})
			if i < 0 {
				return fmt.Errorf("unknown format %q; there are: %s", cmp.Or(to, filepath.Ext(file)), formatNames())
			}
			page := cmd.Args().First()
			runs, err := readRuns(page)
			switch {
			case err != nil:
				return err
			case number < 1 || number > len(runs):
				return fmt.Errorf("-run %d: %s has %d runs", number, page, len(runs))
			}
			target, err := openOutput(cmp.Or(file, "-"), l.out)
			if err != nil {
				return err
			}
			return target.finish(func(w io.Writer) error { return formats[i].write(runs[number-1], w) })
		},
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
