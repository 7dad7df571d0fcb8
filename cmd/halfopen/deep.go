package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/halfopen/halfopen/internal/deep"
	"github.com/halfopen/halfopen/internal/deep/on"
)

func (l *line) testCommand() *cli.Command {
	return &cli.Command{
		Name: "test", Category: ofBubbles, ArgsUsage: "[go test flags] [packages]",
		Usage: "run go test with the deep bubble",
		Description: `Then, in a testing/synctest bubble, waiting for a mutex of the same bubble is
durable, and the order of goroutines, select, timers and maps is the same in each
run. Code outside bubbles runs as usual. The command edits a copy of a few files of
the Go tree that the go command uses here (Go 1.26 or Go 1.27), and keeps the copy in
the user's cache directory. To test without the deep bubble, run go test.

` + examples("halfopen test ./...", "halfopen test -run TestPool -v ."),
		SkipFlagParsing: true, // go test does that
		Action: func(_ context.Context, cmd *cli.Command) error {
			args := cmd.Args().Slice()
			if len(args) > 0 && slices.Contains([]string{"-h", "-help", "--help"}, args[0]) {
				return cli.ShowSubcommandHelp(cmd)
			}
			b, err := deep.Prepare(args, l.errs)
			if err != nil {
				return err
			}
			return l.runProcess(b.Command("test", args...))
		},
	}
}

// runProcess runs a program to its end, and returns its exit code.
func (l *line) runProcess(cmd *exec.Cmd) error {
	cmd.Stdin, cmd.Stdout, cmd.Stderr = l.in, l.out, l.errs
	err := cmd.Run()
	if ended, ok := errors.AsType[*exec.ExitError](err); ok && ended.ExitCode() >= 0 {
		return exit(ended.ExitCode())
	}
	return err
}

func (l *line) overlayCommand() *cli.Command {
	var file bool
	return &cli.Command{
		Name: "overlay", Category: ofBubbles, ArgsUsage: "[-file]",
		Usage: "print the settings that give every go command the deep bubble",
		Description: `The command prints lines for a shell: eval "$(halfopen overlay)". The lines set
GOFLAGS to the overlay and the build tag ` + deep.Tag + `. Go accepts no overlay for a
tree that it has downloaded by itself. For such a tree the lines set GOROOT and
PATH to a tree of links and edited files, and GOTOOLCHAIN to local.`,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "file", Usage: "print only the path of the overlay file; a Go tree that Go has downloaded by itself has none", Destination: &file},
		},
		Action: func(_ context.Context, cmd *cli.Command) error {
			if cmd.Args().Present() {
				return misused(cmd, "takes no arguments")
			}
			b, err := deep.Prepare(nil, l.errs)
			if err == nil && file && b.Overlay == "" {
				err = fmt.Errorf("this tree of %s has no overlay file: halfopen overlay without -file prints what to set instead", b.Version)
			}
			if err != nil {
				return err
			}
			if file {
				fmt.Fprintln(l.out, b.Overlay)
				return nil
			}
			for _, set := range b.Environment() {
				name, value, _ := strings.Cut(set, "=")
				fmt.Fprintf(l.out, "export %s='%s'\n", name, strings.ReplaceAll(value, "'", `'\''`))
			}
			return nil
		},
	}
}

// deep adds the flag -deep to a command.
func (l *line) deep(c *cli.Command) *cli.Command {
	var wanted bool
	c.Flags = append(c.Flags, &cli.BoolFlag{Name: "deep", Usage: "rebuild halfopen with the deep bubble, and run the command with that", Destination: &wanted})
	do := c.Action
	c.Action = func(ctx context.Context, cmd *cli.Command) error {
		if wanted && !on.Deep() {
			return l.runDeep()
		}
		if wanted {
			fmt.Fprintf(l.errs, "bubbles are deep (%s)\n", runtime.Version())
		}
		return do(ctx, cmd)
	}
	return c
}

// rebuiltVariable is set in the environment of a halfopen that halfopen -deep
// rebuilt.
const rebuiltVariable = "HALFOPEN_DEEP"

// runDeep rebuilds this program with the deep bubble, and runs it on the same line.
func (l *line) runDeep() error {
	if os.Getenv(rebuiltVariable) != "" {
		return errors.New("-deep: halfopen was rebuilt, but its bubbles are not deep")
	}
	b, err := deep.Prepare(nil, l.errs)
	if err != nil {
		return fmt.Errorf("-deep: %w", err)
	}
	dir, err := os.MkdirTemp("", "halfopen-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "halfopen")
	if runtime.GOOS == "windows" {
		program += ".exe"
	}
	if err := rebuild(b, program); err != nil {
		return fmt.Errorf("-deep: %w", err)
	}
	cmd := exec.Command(program, l.args...)
	cmd.Env = append(os.Environ(), rebuiltVariable+"=1")
	return l.runProcess(cmd)
}

// rebuild builds this program with the halfopen that the module of the current
// directory requires. If the module requires none, it builds this program's own
// version.
func rebuild(b *deep.Build, program string) error {
	const self = "github.com/halfopen/halfopen/cmd/halfopen"
	cmd := b.Command("build", "-o", program, self)
	if exec.Command("go", "list", self).Run() != nil {
		info, ok := debug.ReadBuildInfo()
		if !ok || !strings.HasPrefix(info.Main.Version, "v") {
			return fmt.Errorf("the module of this directory does not require github.com/halfopen/halfopen: use -deep in a module that does")
		}
		cmd = b.Command("install", self+"@"+info.Main.Version)
		cmd.Env = append(cmd.Environ(), "GOBIN="+filepath.Dir(program))
	}
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, output)
	}
	return nil
}
