package deep

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// Command returns a go command with the deep bubble: name is build, test, run,
// install or vet, and args are its arguments. Build tags that args or GOFLAGS
// set stay set.
func (b *Build) Command(name string, args ...string) *exec.Cmd {
	tags, rest := withTag(args, b.goflags)
	flags := []string{name}
	if b.Overlay != "" {
		flags = append(flags, "-overlay="+b.Overlay)
	}
	cmd := exec.Command("go", append(append(flags, "-tags="+tags), rest...)...)
	if b.Tree != "" {
		cmd.Path, cmd.Err = b.goCommand(), nil
		cmd.Env = append(os.Environ(), "GOROOT="+b.Tree, "GOTOOLCHAIN=local", "PATH="+b.path())
	}
	return cmd
}

// goCommand returns the path of the go command in the tree of links.
func (b *Build) goCommand() string {
	name := "go"
	if runtime.GOOS == "windows" {
		name = "go.exe"
	}
	return filepath.Join(b.Tree, "bin", name)
}

// path returns the value of PATH with which the tree's go command is found first.
func (b *Build) path() string {
	return filepath.Join(b.Tree, "bin") + string(filepath.ListSeparator) + os.Getenv("PATH")
}

// Environment returns the environment variables that give every go command the
// deep bubble, as "NAME=value".
func (b *Build) Environment() []string {
	tags, _ := withTag(nil, b.goflags)
	var kept []string
	for _, flag := range strings.Fields(b.goflags) {
		if name, _, _ := strings.Cut(flag, "="); strings.TrimLeft(name, "-") != "tags" {
			kept = append(kept, flag)
		}
	}
	if b.Overlay != "" {
		kept = append(kept, "-overlay="+b.Overlay)
	}
	env := []string{"GOFLAGS=" + strings.Join(append(kept, "-tags="+tags), " ")}
	if b.Tree != "" {
		env = append(env, "GOROOT="+b.Tree, "GOTOOLCHAIN=local", "PATH="+b.path())
	}
	return env
}

// withTag returns the build tags of args (or of goflags, if args has none) and
// Tag. It also returns args without their build tags.
func withTag(args []string, goflags string) (tags string, rest []string) {
	for _, flag := range strings.Fields(goflags) {
		if v, ok := strings.CutPrefix(strings.TrimLeft(flag, "-"), "tags="); ok {
			tags = v
		}
	}
	for i := 0; i < len(args); i++ {
		name, value, ok := strings.Cut(args[i], "=")
		switch name {
		case "-args", "--args":
			return addTag(tags), append(rest, args[i:]...)
		case "-tags", "--tags":
			if !ok && i+1 < len(args) {
				i++
				value = args[i]
			}
			tags = value
		default:
			rest = append(rest, args[i])
		}
	}
	return addTag(tags), rest
}

// addTag returns tags and Tag as one list.
func addTag(tags string) string {
	if tags == "" {
		return Tag
	}
	return tags + "," + Tag
}

// hasOverlay reports whether args or goflags set an overlay.
func hasOverlay(args []string, goflags string) bool {
	for _, flag := range append(strings.Fields(goflags), args...) {
		name, _, _ := strings.Cut(strings.TrimLeft(flag, "-"), "=")
		switch name {
		case "args":
			return false
		case "overlay":
			return true
		}
	}
	return false
}
