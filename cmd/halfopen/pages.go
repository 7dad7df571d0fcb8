package main

import (
	"fmt"
	"io"

	"github.com/urfave/cli/v3"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/harness/view"
)

// pages has the folder in which a command writes pages with timelines: the value of its flag
// -html, or "".
type pages struct{ dir string }

// htmlFlag returns the flag -html.
func htmlFlag(p *pages) cli.Flag {
	return &cli.StringFlag{Name: "html", Usage: "write a page with the timeline of what ran to this `folder`", Destination: &p.dir}
}

// begin has the runs from now on keep their timelines, if there is to be a page. It is an error if
// there can be no folder for it.
func (p pages) begin() error {
	harness.KeepTimelines(p.dir != "")
	return canBeFolder("html", p.dir)
}

// write writes a page, if one is wanted, and says where it is.
func (p pages) write(page *view.Page, errs io.Writer) error {
	if p.dir == "" {
		return nil
	}
	file, err := page.Save(p.dir)
	if err != nil {
		return fmt.Errorf("-html: %w", err)
	}
	fmt.Fprintf(errs, "timeline: %s\n", file)
	return nil
}
