package harness

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

// outcome returns what a run came to, in a line: the fate of each request, and the
// number of connections that it took.
func (c *census) outcome(tags []string) string {
	opened := c.t.net.Opened()
	c.mu.Lock()
	defer c.mu.Unlock()
	var b strings.Builder
	b.Grow(64)
	for _, o := range c.ops {
		b.WriteString(o.name + " ")
		r := o.request
		switch {
		case !o.returned:
			b.WriteString("pending")
		case o.err != nil:
			b.WriteString(errorClass(o.err))
		case r == nil:
			b.WriteString("done")
		case r.resp == nil:
			b.WriteString("nothing")
		case r.readErr != nil:
			b.WriteString("body " + errorClass(r.readErr))
		default:
			b.WriteString(strconv.Itoa(r.resp.StatusCode))
		}
		if r == nil {
			b.WriteString(", ")
			continue
		}
		if n := len(r.runs); n > 0 {
			b.WriteString(" on " + r.runs[n-1].ID())
		}
		if n := len(r.runs) + r.byPacket; n > 1 {
			fmt.Fprintf(&b, " (sent %d times)", n)
		}
		b.WriteString(", ")
	}
	b.WriteString(strconv.Itoa(opened) + " opened")
	for _, tag := range tags {
		b.WriteString(", " + tag)
	}
	return b.String()
}

// errorClass returns the name of an error that scripts use, or its text.
func errorClass(err error) string {
	for _, e := range errorNames {
		if e.is(err) {
			return e.name
		}
	}
	if err == io.EOF {
		return "eof"
	}
	return err.Error()
}
