package main

import (
	"flag"
	"fmt"
	"io"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/harness/view"
)

// pages has the folder in which a command writes pages with timelines: the value of its flag
// -html. A nil one has none.
type pages struct{ dir string }

// htmlFlag defines the flag -html.
func htmlFlag(fs *flag.FlagSet) *pages {
	p := new(pages)
	fs.StringVar(&p.dir, "html", "", "write a page with the timeline of what ran to this `folder`")
	return p
}

// begin has the runs from now on keep their timelines, if there is to be a page.
func (p *pages) begin() { harness.KeepTimelines(p != nil && p.dir != "") }

// write writes a page, if one is wanted, and says where it is. It reports whether that
// succeeded.
func (p *pages) write(page *view.Page, errs io.Writer) bool {
	if p == nil || p.dir == "" {
		return true
	}
	file, err := page.Save(p.dir)
	if err != nil {
		fmt.Fprintf(errs, "halfopen: -html: %v\n", err)
		return false
	}
	fmt.Fprintf(errs, "timeline: %s\n", file)
	return true
}
