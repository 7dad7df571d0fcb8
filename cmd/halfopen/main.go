// Halfopen runs and explores race scripts without a line of Go, and asks transports the
// cases of a conformance suite. The commands are listed by
//
//	halfopen help
//
// and each one, with its flags and examples, by halfopen help COMMAND. A verb of the
// script language is described by halfopen help VERB.
//
// The exit code is 0 if everything held, 1 if a case or a script failed, and 2
// if the command or a script has a mistake. It is 3 if a schedule that is replayed no
// longer fits its script.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/urfave/cli/v3"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/internal/color"
	"github.com/halfopen/halfopen/internal/nearest"
)

// An exit is an exit code without a further word; a command that returns another error has a
// mistake.
type exit int

const (
	failed  exit = 1
	mistake exit = 2
	misfit  exit = 3
)

func (e exit) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// held is the exit code if everything held.
const held = 0

func main() { os.Exit(runCommandLine(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// runCommandLine runs the command that args name, and returns its exit code.
func runCommandLine(args []string, in io.Reader, out, errs io.Writer) int {
	l := &line{args: args, in: in, out: out, errs: errs}
	err := l.root().Run(context.Background(), append([]string{"halfopen"}, args...))
	code, bare := errors.AsType[exit](err)
	switch {
	case err == nil:
		return held
	case !bare:
		fmt.Fprintln(errs, inVariable(err))
		return int(mistake)
	}
	return int(code)
}

// A line is one command line. Its methods make the commands.
type line struct {
	args      []string
	in        io.Reader
	out, errs io.Writer
	color     string // the setting
}

// paint prints a text with reports, on a terminal in color.
func (l *line) paint(text fmt.Stringer) error {
	s := text.String()
	if color.Wanted(l.color, l.out) {
		s = color.Report(s)
	}
	_, err := io.WriteString(l.out, s)
	return err
}

// root returns the command of which all others are subcommands.
func (l *line) root() *cli.Command {
	root := &cli.Command{
		Name:  "halfopen",
		Usage: "finds leaks and races of connections", ArgsUsage: "COMMAND [flags] [arguments]",
		Version: version(),
		Commands: []*cli.Command{
			l.checkCommand(), l.runCommand(), l.exploreCommand(), l.replayCommand(), l.mergeCommand(),
			l.newCommand(), l.formatCommand(), l.verbsCommand(), l.exportCommand(), l.importCommand(), l.diagnoseCommand(),
			l.proxyCommand(), l.testCommand(), l.overlayCommand(), l.helpCommand(), l.versionCommand(),
		},
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "color", Value: color.Auto, Usage: "paint reports: auto (on a terminal, and not if NO_COLOR is set), always or never",
				Sources: cli.EnvVars("HALFOPEN_COLOR"), Destination: &l.color, Validator: color.Check},
		},
		HideHelpCommand:                 true,
		EnableShellCompletion:           true,
		ConfigureShellCompletionCommand: l.completeCompletion,
		Writer:                          l.out,
		ErrWriter:                       l.errs,
		ExitErrHandler:                  func(context.Context, *cli.Command, error) {},
		OnUsageError:                    l.usageError,
		Action:                          l.noCommand,
	}
	for _, c := range root.Commands {
		do := c.Action
		c.OnUsageError = l.usageError
		c.Action = func(ctx context.Context, cmd *cli.Command) error {
			if err := emptyFlag(cmd); err != nil {
				return naming(cmd, err)
			}
			return naming(cmd, do(ctx, cmd))
		}
	}
	return root
}

// naming puts the name of its command in front of a mistake, unless the mistake is in a
// script, whose file and line come first.
func naming(cmd *cli.Command, err error) error {
	_, bare := errors.AsType[exit](err)
	_, inScript := errors.AsType[*harness.ParseError](err)
	if err == nil || bare {
		return err
	}
	if inScript {
		if is := otherKind(cmd, err); is != "" {
			return fmt.Errorf("%w%s", err, is)
		}
		return err
	}
	return fmt.Errorf("%s: %w%s", cmd.FullName(), err, otherKind(cmd, err))
}

// noCommand is for a line that names no command.
func (l *line) noCommand(_ context.Context, root *cli.Command) error {
	if root.Args().Present() {
		wrong := root.Args().First()
		return fmt.Errorf("halfopen: unknown command %q%s; halfopen help lists them", wrong, nearest.DidYouMean(wrong, commandNames(root)))
	}
	root.Writer = l.errs
	cli.ShowRootCommandHelp(root)
	return mistake
}

func commandNames(root *cli.Command) (names []string) {
	for _, c := range root.VisibleCommands() {
		names = append(names, c.Name)
	}
	return names
}
