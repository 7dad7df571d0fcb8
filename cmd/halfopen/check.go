package main

import (
	"cmp"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/halfopen/halfopen/suites"
)

// wanted says which cases run on which subjects, and which reports are written.
type wanted struct {
	cases, subjects *regexp.Regexp
	group           string
	json, junit     string
	github, all     bool
	pages           *pages
}

func checkCommand(fs *flag.FlagSet) func([]string, io.Writer, io.Writer) int {
	cases := fs.String("run", "", "only the cases whose names match this `regexp`")
	subjects := fs.String("subject", "", "only the subjects whose names, such as \"net/http h2\", match this `regexp`")
	var want wanted
	fs.StringVar(&want.group, "group", "", "only the cases of this `group`: "+groupNames())
	fs.StringVar(&want.json, "json", "", "write the report as JSON to this `file`; with -, to standard output, and everything else to standard error")
	fs.StringVar(&want.junit, "junit", "", "write the report in the XML format of JUnit to this `file`; with -, as for -json")
	fs.BoolVar(&want.github, "github", os.Getenv("GITHUB_ACTIONS") == "true", "write failures as annotations of GitHub Actions; the default there")
	fs.BoolVar(&want.all, "v", false, "print all failures, not only the first, and a script or a report that shows each quirk")
	want.pages = htmlFlag(fs)
	return func(args []string, out, errs io.Writer) int {
		mistaken := func(format string, args ...any) int {
			fmt.Fprintf(errs, "halfopen check: "+format+"\n", args...)
			return mistake
		}
		var err error
		switch {
		case len(args) > 0:
			return mistaken("takes no arguments; to run a script of your own, use halfopen run FILE")
		case want.json == "-" && want.junit == "-":
			return mistaken("-json and -junit cannot both be standard output")
		case want.group != "" && !slices.Contains(suites.Groups(), suites.Group(want.group)):
			return mistaken("unknown group %q; there are: %s", want.group, groupNames())
		}
		if want.cases, err = regexp.Compile(*cases); err != nil {
			return mistaken("-run: %v", err)
		}
		if want.subjects, err = regexp.Compile(*subjects); err != nil {
			return mistaken("-subject: %v", err)
		}
		code, err := want.check(suites.Cases(), suites.Subjects(), out, errs)
		if err != nil {
			return mistaken("%v", err)
		}
		return code
	}
}

func groupNames() string {
	var names []string
	for _, g := range suites.Groups() {
		names = append(names, string(g))
	}
	return strings.Join(names, ", ")
}

func subjectNames() string {
	var names []string
	for _, s := range suites.Subjects() {
		names = append(names, s.String())
	}
	return strings.Join(names, ", ")
}

// check runs the wanted cases on the wanted subjects, writes the reports, and
// returns the exit code.
func (want wanted) check(cases []suites.Case, subjects []suites.Subject, out, errs io.Writer) (int, error) {
	cases = slices.DeleteFunc(cases, func(c suites.Case) bool {
		return want.group != "" && c.Group() != suites.Group(want.group) || !want.cases.MatchString(c.Name)
	})
	subjects = slices.DeleteFunc(subjects, func(s suites.Subject) bool { return !want.subjects.MatchString(s.String()) })
	switch {
	case len(cases) == 0:
		return mistake, fmt.Errorf("no case matches -run and -group")
	case len(subjects) == 0:
		return mistake, fmt.Errorf("no subject matches -subject; there are: %s", subjectNames())
	}
	// Make the files first: if a report cannot be written, say so before the cases
	// run.
	text := out
	for _, file := range []string{want.json, want.junit} {
		if file == "-" {
			text = errs
		}
	}
	jsonTo, err := openOutput(want.json, out)
	if err != nil {
		return mistake, err
	}
	junitTo, err := openOutput(want.junit, out)
	if err != nil {
		return mistake, err
	}
	// net/http logs errors of servers; here servers make them on purpose.
	logs := log.Writer()
	log.SetOutput(io.Discard)
	want.pages.begin()
	report := suites.Check(cases, subjects)
	log.SetOutput(logs)

	for _, write := range []func() error{
		func() error { return report.WriteText(text, want.all) },
		func() error {
			if !want.github {
				return nil
			}
			return report.WriteAnnotations(text)
		},
		func() error { return jsonTo.finish(report.WriteJSON) },
		func() error { return junitTo.finish(report.WriteJUnit) },
	} {
		if err := write(); err != nil {
			return mistake, err
		}
	}
	if !want.pages.write(report.Page("check"), errs) {
		return mistake, nil
	}
	if report.Failed() {
		return failed, nil
	}
	return held, nil
}

// output receives a report: it is a file or standard output. The zero output
// receives nothing.
type output struct {
	io.Writer
	file *os.File
}

// openOutput returns the output of a flag's value: the file of this name, out for
// "-", and the zero output for "".
func openOutput(name string, out io.Writer) (output, error) {
	switch name {
	case "":
		return output{}, nil
	case "-":
		return output{out, nil}, nil
	}
	f, err := os.Create(name)
	return output{f, f}, err
}

// finish writes the report and closes the file.
func (o output) finish(write func(io.Writer) error) error {
	if o.Writer == nil {
		return nil
	}
	err := write(o)
	if o.file != nil {
		err = cmp.Or(err, o.file.Close())
	}
	return err
}
