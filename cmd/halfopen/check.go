package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v3"

	"github.com/halfopen/halfopen/internal/nearest"
	"github.com/halfopen/halfopen/suites"
)

// wanted says which cases run on which subjects, and which reports are written.
type wanted struct {
	cases, subjects *regexp.Regexp
	group           string
	json, junit     string
	github, all     bool
	pages           pages
}

func (l *line) checkCommand() *cli.Command {
	var want wanted
	var cases, subjects string
	var list bool
	return l.deep(&cli.Command{
		Name: "check", Category: ofSuites, ArgsUsage: "[flags]",
		Usage: "run every case on net/http and pool, and print a table of the results",
		Description: examples("halfopen check", "halfopen check -group limit -v", "halfopen check -list -run '^cancel-'",
			"halfopen check -subject 'pool h2$' -json report.json", "halfopen check -html out"),
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "run", Usage: "only the cases whose names match this `regexp`", Destination: &cases},
			&cli.StringFlag{Name: "subject", Usage: "only the subjects whose names, such as \"net/http h2\", match this `regexp`", Destination: &subjects},
			&cli.StringFlag{Name: "group", Usage: "only the cases of this `group`: " + groupNames(), Destination: &want.group},
			&cli.BoolFlag{Name: "list", Usage: "print the cases with their groups and claims, and run none", Destination: &list},
			&cli.StringFlag{Name: "json", Usage: "write the report as JSON to this `file`; with -, to standard output, and everything else to standard error", Destination: &want.json},
			&cli.StringFlag{Name: "junit", Usage: "write the report in the XML format of JUnit to this `file`; with -, as for -json", Destination: &want.junit},
			&cli.BoolFlag{Name: "github", Usage: "write failures as annotations of GitHub Actions; the default there", Value: os.Getenv("GITHUB_ACTIONS") == "true", Destination: &want.github},
			&cli.BoolFlag{Name: "v", Usage: "print all failures, not only the first, and a script or a report that shows each quirk", Destination: &want.all},
			htmlFlag(&want.pages),
		},
		Action: func(_ context.Context, cmd *cli.Command) error {
			var err error
			switch {
			case cmd.Args().Present():
				return misused(cmd, "takes no arguments; to run a script of your own, use halfopen run FILE")
			case want.json == "-" && want.junit == "-":
				return errors.New("-json and -junit cannot both be standard output")
			case want.group != "" && !slices.Contains(suites.Groups(), suites.Group(want.group)):
				return fmt.Errorf("unknown group %q%s; there are: %s", want.group, nearest.DidYouMean(want.group, strings.Split(groupNames(), ", ")), groupNames())
			}
			if want.cases, err = regexp.Compile(cases); err != nil {
				return fmt.Errorf("-run: %w", err)
			}
			if want.subjects, err = regexp.Compile(subjects); err != nil {
				return fmt.Errorf("-subject: %w", err)
			}
			if list {
				return want.list(suites.Cases(), l.out)
			}
			return want.check(suites.Cases(), suites.Subjects(), l.out, l.errs)
		},
	})
}

func groupNames() string {
	var names []string
	for _, g := range suites.Groups() {
		names = append(names, string(g))
	}
	return strings.Join(names, ", ")
}

func subjectNames() (names []string) {
	for _, s := range suites.Subjects() {
		names = append(names, s.String())
	}
	return names
}

// choose returns the wanted ones of the cases.
func (want wanted) choose(cases []suites.Case) ([]suites.Case, error) {
	var names []string
	for _, c := range cases {
		names = append(names, c.Name)
	}
	if slices.ContainsFunc(names, want.cases.MatchString) {
		names = nil // those are of other groups, if none is left
	}
	cases = slices.DeleteFunc(cases, func(c suites.Case) bool {
		return want.group != "" && c.Group() != suites.Group(want.group) || !want.cases.MatchString(c.Name)
	})
	if len(cases) == 0 {
		of := ""
		if want.group != "" {
			of = " in the group " + want.group
		}
		return nil, fmt.Errorf("no case%s matches -run %s%s; halfopen check -list lists them", of, want.cases, nearest.DidYouMean(want.cases.String(), names))
	}
	return cases, nil
}

// list prints the wanted cases, a line each.
func (want wanted) list(cases []suites.Case, out io.Writer) error {
	cases, err := want.choose(cases)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, c := range cases {
		fmt.Fprintf(table, "%s\t%s\t%s\n", c.Name, c.Group(), c.Claim)
	}
	return table.Flush()
}

// check runs the wanted cases on the wanted subjects, and writes the reports.
func (want wanted) check(cases []suites.Case, subjects []suites.Subject, out, errs io.Writer) error {
	cases, err := want.choose(cases)
	if err != nil {
		return err
	}
	subjects = slices.DeleteFunc(subjects, func(s suites.Subject) bool { return !want.subjects.MatchString(s.String()) })
	if len(subjects) == 0 {
		return fmt.Errorf("no subject matches -subject %s%s", want.subjects, nearest.ThereAre(want.subjects.String(), subjectNames()))
	}
	// Make the files first: if a report cannot be written, say so before the cases
	// run.
	text := out
	for _, file := range []string{want.json, want.junit} {
		if file == "-" {
			text = errs
		}
	}
	if err := want.pages.begin(); err != nil {
		return err
	}
	jsonTo, err := openOutput("json", want.json, out)
	if err != nil {
		return err
	}
	defer jsonTo.discard()
	junitTo, err := openOutput("junit", want.junit, out)
	if err != nil {
		return err
	}
	defer junitTo.discard()
	// net/http logs errors of servers; here servers make them on purpose.
	logs := log.Writer()
	log.SetOutput(io.Discard)
	report := suites.CheckEach(cases, subjects, checkProgress(errs, len(cases)*len(subjects)))
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
			return err
		}
	}
	if err := want.pages.write(report.Page("check"), errs); err != nil {
		return err
	}
	if report.Failed() {
		return failed
	}
	return nil
}
