package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/halfopen/halfopen/internal/deep"
	"github.com/halfopen/halfopen/internal/deep/on"
)

const testUsage = `usage: halfopen test [go test flags] [packages]

This command runs go test with the deep bubble. Then, in a testing/synctest
bubble, waiting for a mutex of the same bubble is durable, and the order of
goroutines, select, timers and maps is the same in each run. Code outside bubbles
runs as usual. The command edits a copy of a few files of the Go tree that the go
command uses here (Go 1.26 or Go 1.27), and keeps the copy in the user's cache
directory. To test without the deep bubble, run go test.
`

// testCommand runs go test with the deep bubble, and returns its exit code.
func testCommand(args []string, out, errs io.Writer) int {
	if len(args) > 0 && slices.Contains([]string{"-h", "-help", "--help"}, args[0]) {
		fmt.Fprint(out, testUsage)
		return held
	}
	b, err := deep.Prepare(args, errs)
	if err != nil {
		fmt.Fprintf(errs, "halfopen test: %v\n", err)
		return mistake
	}
	return runProcess(b.Command("test", args...), "test", out, errs)
}

// runProcess runs a program to its end, and returns its exit code.
func runProcess(cmd *exec.Cmd, name string, out, errs io.Writer) int {
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, out, errs
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() >= 0 {
		return exit.ExitCode()
	}
	if err != nil {
		fmt.Fprintf(errs, "halfopen %s: %v\n", name, err)
		return mistake
	}
	return held
}

// overlayCommand prints the settings that give every go command the deep bubble.
func overlayCommand(fs *flag.FlagSet) func([]string, io.Writer, io.Writer) int {
	file := fs.Bool("file", false, "print only the path of the overlay file; a Go tree that Go has downloaded by itself has none")
	usage := fs.Usage
	fs.Usage = func() {
		usage()
		fmt.Fprint(fs.Output(), `
The command prints lines for a shell: eval "$(halfopen overlay)". The lines set
GOFLAGS to the overlay and the build tag `+deep.Tag+`. Go accepts no overlay for a
tree that it has downloaded by itself. For such a tree the lines set GOROOT and
PATH to a tree of links and edited files, and GOTOOLCHAIN to local.
`)
	}
	return func(args []string, out, errs io.Writer) int {
		if len(args) > 0 {
			fmt.Fprintln(errs, "halfopen overlay: takes no arguments")
			return mistake
		}
		b, err := deep.Prepare(nil, errs)
		if err == nil && *file && b.Overlay == "" {
			err = fmt.Errorf("this tree of %s has no overlay file: halfopen overlay without -file prints what to set instead", b.Version)
		}
		if err != nil {
			fmt.Fprintf(errs, "halfopen overlay: %v\n", err)
			return mistake
		}
		if *file {
			fmt.Fprintln(out, b.Overlay)
			return held
		}
		for _, set := range b.Environment() {
			name, value, _ := strings.Cut(set, "=")
			fmt.Fprintf(out, "export %s='%s'\n", name, strings.ReplaceAll(value, "'", `'\''`))
		}
		return held
	}
}

// rebuiltVariable is set in the environment of a halfopen that halfopen -deep
// rebuilt.
const rebuiltVariable = "HALFOPEN_DEEP"

// runDeep rebuilds this program with the deep bubble and runs it with args. If
// this program has been rebuilt already, runDeep does nothing, and ended is false.
func runDeep(args []string, out, errs io.Writer) (code int, ended bool) {
	if on.Deep() {
		fmt.Fprintf(errs, "bubbles are deep (%s)\n", runtime.Version())
		return held, false
	}
	fail := func(err error) (int, bool) {
		fmt.Fprintf(errs, "halfopen %s: -deep: %v\n", args[0], err)
		return mistake, true
	}
	if os.Getenv(rebuiltVariable) != "" {
		return fail(errors.New("halfopen was rebuilt, but its bubbles are not deep"))
	}
	b, err := deep.Prepare(nil, errs)
	if err != nil {
		return fail(err)
	}
	dir, err := os.MkdirTemp("", "halfopen-")
	if err != nil {
		return fail(err)
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "halfopen")
	if runtime.GOOS == "windows" {
		program += ".exe"
	}
	if err := rebuild(b, program); err != nil {
		return fail(err)
	}
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), rebuiltVariable+"=1")
	return runProcess(cmd, args[0], out, errs), true
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
