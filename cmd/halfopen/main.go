// Halfopen runs and explores race scripts without a line of Go.
//
// Usage:
//
//	halfopen check            run every case on net/http and pool, and print a table of the results
//	halfopen run FILE...      run race scripts on net/http
//	halfopen explore FILE     try every order of a race script, and print the findings
//	halfopen replay SCHEDULE  run one saved schedule of a script again
//	halfopen merge REPORT...  merge the JSON reports of shards
//	halfopen export PAGE      write a run of a page for Wireshark, Perfetto or an issue
//	halfopen test             run go test with the deep bubble
//	halfopen overlay          print the settings that give every go command the deep bubble
//	halfopen verbs            print the manual of the script language
//
// The exit code is 0 if everything held, 1 if a case or a script failed, and 2
// if the command or a script has a mistake. It is 3 if a schedule that is replayed no
// longer fits its script.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// The exit codes.
const (
	held    = 0
	failed  = 1
	mistake = 2
	misfit  = 3
)

type command struct {
	name  string
	args  string
	doc   string
	flags func(*flag.FlagSet) func(args []string, out, errs io.Writer) int
	deep  bool // has the flag -deep
}

var commands = []command{
	{"check", "[flags]", "run every case on net/http and pool, and print a table of the results", checkCommand, true},
	{"run", "[flags] FILE...", "run race scripts on net/http", runCommand, true},
	{"explore", "[flags] FILE", "try every order of a race script, and print the findings", exploreCommand, true},
	{"replay", "SCHEDULE [FILE]", "run one saved schedule of a script again", replayCommand, false},
	{"merge", "[-json] REPORT...", "merge the JSON reports of shards", mergeCommand, false},
	{"export", "[-to FORMAT] [-o FILE] PAGE", "write a run of a page for Wireshark, Perfetto or an issue", exportCommand, false},
	{"test", "[go test flags] [packages]", "run go test with the deep bubble", nil, false},
	{"overlay", "[-file]", "print the settings that give every go command the deep bubble", overlayCommand, false},
	{"verbs", "", "print the manual of the script language", verbsCommand, false},
}

func main() { os.Exit(runCommandLine(os.Args[1:], os.Stdout, os.Stderr)) }

// runCommandLine runs the command that args name, and returns its exit code.
func runCommandLine(args []string, out, errs io.Writer) int {
	if len(args) == 0 {
		usage(errs)
		return mistake
	}
	if slices.Contains([]string{"help", "-h", "-help", "--help"}, args[0]) {
		usage(out)
		return held
	}
	i := slices.IndexFunc(commands, func(c command) bool { return c.name == args[0] })
	if i < 0 {
		fmt.Fprintf(errs, "halfopen: unknown command %q\n", args[0])
		usage(errs)
		return mistake
	}
	c := commands[i]
	if c.flags == nil {
		return testCommand(args[1:], out, errs) // it passes its flags on to go test
	}
	fs := flag.NewFlagSet("halfopen "+c.name, flag.ContinueOnError)
	fs.SetOutput(errs)
	fs.Usage = func() {
		fmt.Fprintf(errs, "usage: %s\n", strings.TrimSpace("halfopen "+c.name+" "+c.args))
		fs.PrintDefaults()
	}
	do := c.flags(fs)
	inDeep := new(bool)
	if c.deep {
		inDeep = fs.Bool("deep", false, "rebuild halfopen with the deep bubble, and run the command with that")
	}
	if err := fs.Parse(args[1:]); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return held
		}
		return mistake
	}
	if *inDeep {
		if code, ended := runDeep(args, out, errs); ended {
			return code
		}
	}
	return do(fs.Args(), out, errs)
}

func usage(w io.Writer) {
	fmt.Fprintln(w, "usage:")
	for _, c := range commands {
		fmt.Fprintf(w, "  %-42s %s\n", strings.TrimSpace("halfopen "+c.name+" "+c.args), c.doc)
	}
}
