package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/halfopen/halfopen/internal/nearest"
)

// usageError says what is wrong with a flag: it adds the flag that may be meant, or what its
// value has to be, and how the command is used.
func (l *line) usageError(_ context.Context, cmd *cli.Command, err error, _ bool) error {
	text := err.Error()
	if wrong, ok := strings.CutPrefix(text, "flag provided but not defined: -"); ok {
		var names []string
		for _, f := range cmd.VisibleFlags() {
			names = append(names, f.Names()...)
		}
		text += nearest.DidYouMean(wrong, names)
	} else if m := badValue.FindStringSubmatch(text); m != nil {
		text = fmt.Sprintf("flag -%s: %s", m[2], wantOfValue(m[1], m[3]))
	}
	return fmt.Errorf("%s: %s\nusage: %s", cmd.FullName(), text, usage(cmd))
}

// badValue and badVariable match what the library says about a value that cannot be read.
var (
	badValue    = regexp.MustCompile(`^invalid value ("(?:[^"\\]|\\.)*") for flag -(\S+): (.*)$`)
	badVariable = regexp.MustCompile(`could not parse ("(?:[^"\\]|\\.)*") as \S+ value from environment variable "(\w+)" for flag \S+: (.*)$`)
)

// inVariable returns an error about a value in the environment with the variable in front.
func inVariable(err error) error {
	if m := badVariable.FindStringSubmatch(err.Error()); m != nil {
		return fmt.Errorf("halfopen: %s: %s", m[2], wantOfValue(m[1], m[3]))
	}
	return err
}

// wantOfValue returns what a quoted value has to be. Its cause is an error of package strconv or
// time, or one that says itself what it got.
func wantOfValue(value, cause string) string {
	for _, of := range []struct{ cause, want string }{
		{"value out of range", "a number that is not so large"},
		{"strconv.ParseInt", "a whole number"},
		{"strconv.ParseUint", "a whole number, 0 or more"},
		{"parse error", "true or false"},
		{"time: ", "a time such as 90s or 1m30s"},
	} {
		if strings.Contains(cause, of.cause) {
			return fmt.Sprintf("got %s, want %s", value, of.want)
		}
	}
	return cause
}

// mayBeEmpty has the flags whose empty value means something.
var mayBeEmpty = []string{"listen", "run", "subject"}

// emptyFlag returns the mistake of a flag without a value: that of a variable of the shell which is
// not set, most often.
func emptyFlag(cmd *cli.Command) error {
	for _, f := range cmd.Flags {
		s, ok := f.(*cli.StringFlag)
		if ok && cmd.IsSet(s.Name) && cmd.String(s.Name) == "" && !slices.Contains(mayBeEmpty, s.Name) {
			_, rest, _ := strings.Cut(s.Usage, "`")
			value, _, _ := strings.Cut(rest, "`")
			return fmt.Errorf("-%s %q: want its %s, or leave the flag out", s.Name, "", value)
		}
	}
	return nil
}

// canBeFolder returns an error if that value of a flag is not, and cannot become, a folder. It
// says so before anything runs, whose result would be lost.
func canBeFolder(flag, name string) error {
	for at := filepath.Clean(name); name != ""; at = filepath.Dir(at) {
		info, err := os.Stat(at)
		switch {
		case err == nil && info.IsDir():
			return nil
		case err == nil:
			return fmt.Errorf("-%s %s: %s is not a folder", flag, name, at)
		case at == filepath.Dir(at) || !errors.Is(err, os.ErrNotExist):
			return fmt.Errorf("-%s: %w", flag, err)
		}
	}
	return nil
}

// checkNames returns an error if standard input is to be read twice.
func checkNames(files []string) error {
	if i := slices.Index(files, standardInput); i >= 0 && slices.Contains(files[i+1:], standardInput) {
		return errors.New("the file -, which is standard input, can be read only once")
	}
	return nil
}

// namesFiles returns an error if standard input is among the files of a command that does not read it.
func namesFiles(cmd *cli.Command) error {
	if slices.Contains(cmd.Args().Slice(), standardInput) {
		return misused(cmd, "want the names of files: "+cmd.Name+" reads no standard input")
	}
	return nil
}

func usage(cmd *cli.Command) string { return strings.TrimSpace(cmd.FullName() + " " + cmd.ArgsUsage) }

// misused returns the mistake of a command that has the wrong arguments.
func misused(cmd *cli.Command, want string) error {
	return fmt.Errorf("%s\nusage: %s", want, usage(cmd))
}
