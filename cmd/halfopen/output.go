package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
)

// output receives what a command writes: it is a file or standard output. The zero output
// receives nothing.
type output struct {
	to    io.Writer
	file  *os.File
	fresh bool // this command has made the file
}

// openOutput returns the output of a flag's value: the file of this name, out for "-", and the
// zero output for "". A file that is there keeps what it has until there is something to
// write. A file that is read is not written to.
func openOutput(flag, name string, out io.Writer, read ...string) (*output, error) {
	switch name {
	case "":
		return new(output), nil
	case "-":
		return &output{to: out}, nil
	}
	info, err := os.Stat(name)
	for _, other := range read {
		if of, err2 := os.Stat(other); err == nil && err2 == nil && os.SameFile(info, of) {
			return nil, fmt.Errorf("-%s %s: it is the file that is read, and would be lost", flag, name)
		}
	}
	f, openErr := os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o666)
	if openErr != nil {
		return nil, fmt.Errorf("-%s: %w", flag, openErr)
	}
	return &output{to: f, file: f, fresh: os.IsNotExist(err)}, nil
}

// finish writes all that there is, and closes the file.
func (o *output) finish(write func(io.Writer) error) error {
	if o.to == nil {
		return nil
	}
	var err error
	if o.file != nil {
		if info, statErr := o.file.Stat(); statErr == nil && info.Mode().IsRegular() {
			err = o.file.Truncate(0)
		}
	}
	err = cmp.Or(err, write(o.to))
	if o.file != nil {
		err = cmp.Or(err, o.file.Close())
		o.file = nil
	}
	return err
}

// discard closes a file to which nothing was written, and removes it if it is new.
func (o *output) discard() {
	if o.file == nil {
		return
	}
	o.file.Close()
	if o.fresh {
		os.Remove(o.file.Name())
	}
}
