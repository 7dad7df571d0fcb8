package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/internal/deep/on"
	"github.com/halfopen/halfopen/internal/nearest"
)

// The categories of commands; the help has them in alphabetical order.
const (
	ofSuites   = "conformance"
	ofScripts  = "scripts"
	ofPages    = "pages"
	ofService  = "a running service"
	ofPrograms = "other programs"
	ofBubbles  = "the deep bubble"
	ofCommand  = "this command"
)

const rootHelp = `Halfopen {{.Usage}}, deterministically.

usage: halfopen COMMAND [flags] [arguments]
{{range .VisibleCategories}}
{{.Name}}:
{{range .VisibleCommands}}  {{printf "%-12s" .Name}}{{.Usage}}
{{end}}{{end}}
for every command:
  -color auto|always|never  paint reports; auto does on a terminal, and not if NO_COLOR is set

exit codes:
  0  everything held
  1  a case or a script failed
  2  the command line or a script has a mistake
  3  a schedule that is replayed no longer fits its script

examples:
  halfopen check
  halfopen explore testdata/explore/two-gets.txtar
  halfopen help explore
  halfopen help "want body"
`

const commandHelp = `usage: {{.FullName}}{{if .ArgsUsage}} {{.ArgsUsage}}{{end}}

Use it to {{.Usage}}.{{if .Description}}

{{.Description}}{{end}}{{if .VisibleCommands}}

commands:
{{range .VisibleCommands}}  {{printf "%-12s" .Name}}{{.Usage}}
{{end}}{{end}}{{if .VisibleFlags}}

flags:
{{range .VisibleFlags}}{{.}}
{{end}}{{end}}`

// init gives the library our help, and has flags printed as the documentation writes them, with
// one dash.
func init() {
	cli.RootCommandHelpTemplate, cli.CommandHelpTemplate, cli.SubcommandHelpTemplate = rootHelp, commandHelp, commandHelp
	cli.FlagStringer = flagText
}

// flagText returns a flag and what it is for. The name of its value stands in back quotes in
// its usage, as in package flag.
func flagText(f cli.Flag) string {
	d, ok := f.(cli.DocGenerationFlag)
	if !ok {
		return "  -" + f.Names()[0]
	}
	value, text := d.TypeName(), d.GetUsage()
	if before, rest, ok := strings.Cut(text, "`"); ok {
		name, after, _ := strings.Cut(rest, "`")
		value, text = name, before+name+after
	}
	names := "-" + strings.Join(f.Names(), ", -")
	if d.TakesValue() {
		names += " " + value
	}
	return fmt.Sprintf("  %s\n        %s", names, text)
}

// examples returns the part of a description that has some.
func examples(lines ...string) string { return "examples:\n  " + strings.Join(lines, "\n  ") }

func (l *line) helpCommand() *cli.Command {
	return &cli.Command{
		Name: "help", Category: ofCommand, ArgsUsage: "[COMMAND | VERB]",
		Usage:       "describe a command, or a verb of the script language",
		Description: examples("halfopen help", "halfopen help check", "halfopen help hold", `halfopen help "want body"`),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			root := cmd.Root()
			topic := strings.Join(cmd.Args().Slice(), " ")
			if topic == "" {
				return cli.ShowRootCommandHelp(root)
			}
			text, err := harness.ManualOf(topic)
			if c := root.Command(topic); c != nil {
				if showErr := cli.ShowCommandHelp(ctx, root, c.Name); showErr != nil || err != nil {
					return showErr
				}
				fmt.Fprintln(l.out, "\nScripts have a verb of that name too:")
			} else if err != nil {
				if near := nearest.DidYouMean(topic, commandNames(root)); near != "" {
					return fmt.Errorf("%q is no command%s", topic, near)
				}
				return err
			}
			fmt.Fprint(l.out, text)
			return nil
		},
	}
}

func (l *line) versionCommand() *cli.Command {
	return &cli.Command{
		Name: "version", Category: ofCommand, Usage: "print the version of this command and of Go",
		Action: func(_ context.Context, cmd *cli.Command) error {
			if cmd.Args().Present() {
				return misused(cmd, "takes no arguments")
			}
			cli.ShowVersion(cmd.Root())
			return nil
		},
	}
}

// completeCompletion completes the command that the library makes.
func (l *line) completeCompletion(c *cli.Command) {
	c.Hidden, c.Category, c.Usage, c.ArgsUsage = false, ofCommand, "print a completion script for bash, zsh, fish or pwsh", "SHELL"
	c.OnUsageError = l.usageError
	var shells []string
	for _, shell := range c.Commands {
		shells = append(shells, shell.Name)
		do := shell.Action
		shell.OnUsageError = l.usageError
		shell.Action = func(ctx context.Context, cmd *cli.Command) error {
			if cmd.Args().Present() {
				return naming(cmd, misused(cmd, "takes no arguments"))
			}
			return do(ctx, cmd)
		}
	}
	slices.Sort(shells)
	c.Action = func(_ context.Context, cmd *cli.Command) error {
		there := strings.Join(shells, ", ")
		if wrong := cmd.Args().First(); wrong != "" {
			return fmt.Errorf("%s: unknown shell %q%s; there are: %s", cmd.FullName(), wrong, nearest.DidYouMean(wrong, shells), there)
		}
		return naming(cmd, misused(cmd, "want one shell of "+there))
	}
}

// version returns the version of this command, and what decides the order inside its steps.
func version() string {
	own := "(devel)"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		own = info.Main.Version
	}
	bubbles := "ordinary bubbles"
	if on.Deep() {
		bubbles = "deep bubbles"
	}
	return fmt.Sprintf("%s, %s, %s", own, runtime.Version(), bubbles)
}
