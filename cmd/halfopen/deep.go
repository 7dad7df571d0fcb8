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

It is go test with the deep bubble: in a testing/synctest bubble a wait for a
mutex of the same bubble is durable, and the order of goroutines, select, timers
and maps is the same in each run. Code outside bubbles runs as ever. It is made
from the Go tree that the go command uses here, Go 1.26 or Go 1.27, and kept in
the user's cache directory. To leave it out, run go test.
`

// testCommand runs go test with the deep bubble. The exit code is go test's.
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
	return start(b.Command("test", args...), "test", out, errs)
}

// start runs a command to its end, and returns its exit code.
func start(cmd *exec.Cmd, name string, out, errs io.Writer) int {
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

// overlayCommand prints what makes every go command have the deep bubble.
func overlayCommand(fs *flag.FlagSet) func([]string, io.Writer, io.Writer) int {
	file := fs.Bool("file", false, "print only the overlay file's path; there is none for a tree that Go has downloaded by itself")
	usage := fs.Usage
	fs.Usage = func() {
		usage()
		fmt.Fprint(fs.Output(), `
It prints lines for a shell: eval "$(halfopen overlay)". They set GOFLAGS to the
overlay and the build tag `+deep.Tag+`. Go takes no overlay for a tree that it
has downloaded by itself; then they set GOROOT and PATH to a tree of links with
the edited files in it, and GOTOOLCHAIN to local.
`)
	}
	return func(args []string, out, errs io.Writer) int {
		if len(args) > 0 {
			fmt.Fprintln(errs, "halfopen overlay: takes no arguments")
			return mistake
		}
		b, err := deep.Prepare(nil, errs)
		if err == nil && *file && b.Overlay == "" {
			err = fmt.Errorf("for this tree of %s there can be none: halfopen overlay without -file says what to set instead", b.Version)
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

// startedAnew is set in the environment of a halfopen that halfopen -deep
// started.
const startedAnew = "HALFOPEN_DEEP"

// again builds this program with the deep bubble and runs it with args. ended
// is false if this is that program already.
func again(args []string, out, errs io.Writer) (code int, ended bool) {
	if on.Deep() {
		fmt.Fprintf(errs, "the bubble is deep (%s)\n", runtime.Version())
		return held, false
	}
	fail := func(err error) (int, bool) {
		fmt.Fprintf(errs, "halfopen %s: -deep: %v\n", args[0], err)
		return mistake, true
	}
	if os.Getenv(startedAnew) != "" {
		return fail(errors.New("the program was built anew, and its bubble is not deep"))
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
	cmd.Env = append(os.Environ(), startedAnew+"=1")
	return start(cmd, args[0], out, errs), true
}

// rebuild builds this program from the module of the current directory, or, if
// that does not know halfopen, from the version that this program has.
func rebuild(b *deep.Build, program string) error {
	const self = "github.com/halfopen/halfopen/cmd/halfopen"
	cmd := b.Command("build", "-o", program, self)
	if exec.Command("go", "list", self).Run() != nil {
		info, ok := debug.ReadBuildInfo()
		if !ok || !strings.HasPrefix(info.Main.Version, "v") {
			return fmt.Errorf("the module of this directory does not require github.com/halfopen/halfopen: run it in one that does")
		}
		cmd = b.Command("install", self+"@"+info.Main.Version)
		cmd.Env = append(cmd.Environ(), "GOBIN="+filepath.Dir(program))
	}
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, said)
	}
	return nil
}
