package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/halfopen/halfopen/harness/view"
	"github.com/halfopen/halfopen/harness/view/pcapng"
	"github.com/halfopen/halfopen/internal/nearest"
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
			if err := namesFiles(cmd); err != nil {
				return err
			}
			i := slices.IndexFunc(formats, func(f format) bool {
				return to == f.name || to == "" && f.ending == filepath.Ext(file)
			})
			if i < 0 {
				return unknownFormat(to, file)
			}
			page := cmd.Args().First()
			runs, err := readRuns(page)
			switch {
			case err != nil:
				return err
			case len(runs) == 0:
				return fmt.Errorf("%s: the page shows no run step by step", page)
			case number != 1 && len(runs) == 1:
				return fmt.Errorf("-run %d: want 1: %s has one run", number, page)
			case number < 1 || number > len(runs):
				return fmt.Errorf("-run %d: want a number from 1 to %d, which are the runs of %s", number, len(runs), page)
			}
			target, err := openOutput("o", cmp.Or(file, "-"), l.out, page)
			if err != nil {
				return err
			}
			return target.finish(func(w io.Writer) error { return formats[i].write(runs[number-1], w) })
		},
	}
}

// unknownFormat says that neither the flag -to nor the name of the file names a format.
func unknownFormat(to, file string) error {
	var names []string
	wrong, text := to, fmt.Sprintf("-to: unknown format %q", to)
	for _, f := range formats {
		names = append(names, f.name)
	}
	if to == "" {
		wrong, text = filepath.Ext(file), fmt.Sprintf("-o %s: the name does not say the format", file)
		for i, f := range formats {
			names[i] = f.ending
		}
	}
	if to == "" && file == "" {
		text = "want a format: -to FORMAT, or -o FILE with its ending"
	}
	return fmt.Errorf("%s%s; there are: %s", text, nearest.DidYouMean(wrong, names), formatNames())
}

// readRuns returns the runs of a page.
func readRuns(file string) ([]*view.Run, error) {
	f, err := openFile(file)
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
