package deep

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Tag is the build tag of what is built for the deep bubble.
const Tag = "halfopendeep"

// A Build says how to run the go command so that what it builds has deep
// bubbles.
type Build struct {
	Version string // of Go, as in go1.26.8
	Overlay string // the overlay file, or "" if Tree stands for it
	Tree    string // a Go tree of links with the edited files in it, or ""
	goflags string // what GOFLAGS is without it
}

// Prepare makes the edited files for the Go tree that the go command uses in
// the current directory, or finds them where an earlier call left them: in the
// user's cache directory, by the Go release, the edits and the edited files.
//
// The go command takes an overlay for a Go tree, but for none that it has
// downloaded by itself. For such a tree Prepare makes a tree of symbolic links
// in which the edited files are real ones. It does so too if args, the
// arguments of the go command that is to run, or GOFLAGS have an overlay: of two
// the go command uses one.
//
// Prepare compiles what it makes. That takes some seconds, and happens once:
// Prepare writes a line about it to log.
func Prepare(args []string, log io.Writer) (*Build, error) {
	g, err := askGo()
	if err != nil {
		return nil, err
	}
	if err := known(g.GOVERSION); err != nil {
		return nil, err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	p := plan{edits: edits, version: g.GOVERSION, root: g.GOROOT, cache: filepath.Join(cache, "halfopen", "deep"), log: log}
	p.tree = below(g.GOMODCACHE, g.GOROOT) || hasOverlay(args, g.GOFLAGS)
	b, err := p.make()
	if err == nil {
		b.goflags = g.GOFLAGS
	}
	return b, err
}

// A goEnv is what the go command says about itself.
type goEnv struct{ GOVERSION, GOROOT, GOMODCACHE, GOFLAGS string }

func askGo() (g goEnv, err error) {
	out, err := exec.Command("go", "env", "-json", "GOVERSION", "GOROOT", "GOMODCACHE", "GOFLAGS").Output()
	if err != nil {
		return g, fmt.Errorf("go env: %w%s", err, said(err))
	}
	return g, json.Unmarshal(out, &g)
}

// said returns what a command that failed wrote to its standard error.
func said(err error) string {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && len(exit.Stderr) > 0 {
		return "\n" + string(exit.Stderr)
	}
	return ""
}

var release = regexp.MustCompile(`^go1\.2[67](\.\d+)?([-+ ].*)?$`)

// known returns an error if version is no Go release whose runtime the edits
// were written for.
func known(version string) error {
	if release.MatchString(version) {
		return nil
	}
	return fmt.Errorf("%s: the deep bubble knows the runtime of Go 1.26 and of Go 1.27 only: "+
		"choose one of them, as in GOTOOLCHAIN=go1.27.3, or run without the deep bubble, as in go test", version)
}

// below reports whether path lies in the folder dir.
func below(dir, path string) bool {
	for _, p := range []*string{&dir, &path} {
		if real, err := filepath.EvalSymlinks(*p); err == nil {
			*p = real
		}
	}
	rel, err := filepath.Rel(dir, path)
	return err == nil && dir != "" && filepath.IsLocal(rel)
}

// A plan is what Prepare makes.
type plan struct {
	edits         []edit
	version, root string
	cache         string // the folder of all that was made before
	tree          bool
	log           io.Writer
}

// make returns the build, and makes its files unless they are there.
func (p plan) make() (*Build, error) {
	originals, err := p.read()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(p.cache, p.name(originals))
	b := &Build{Version: p.version}
	if p.tree {
		b.Tree = filepath.Join(dir, "goroot")
	} else {
		b.Overlay = filepath.Join(dir, "overlay.json")
	}
	if _, err := os.Stat(dir); err == nil {
		return b, nil
	}
	files, err := p.edited(originals)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(p.log, "halfopen: editing and compiling the runtime of %s, once\n", p.version)
	if err := os.MkdirAll(p.cache, 0o777); err != nil {
		return nil, err
	}
	// All of it appears at once. Several processes may do this at a time: the
	// first to be ready wins, and what the others made is the same.
	made, err := os.MkdirTemp(p.cache, "made-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(made)
	if err := os.Chmod(made, 0o755); err != nil {
		return nil, err
	}
	if err := p.write(made, dir, files); err != nil {
		return nil, err
	}
	if err := os.Rename(made, dir); err != nil {
		if _, there := os.Stat(dir); there != nil {
			return nil, err
		}
	}
	return b, nil
}

// paths returns the files below GOROOT/src that are edited, sorted.
func (p plan) paths() (list []string) {
	for _, e := range p.edits {
		if p.has(e) {
			list = append(list, e.file)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// read returns the files to be edited, as they are in the Go tree.
func (p plan) read() (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, file := range p.paths() {
		text, err := os.ReadFile(filepath.Join(p.root, "src", filepath.FromSlash(file)))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.version, err)
		}
		files[file] = text
	}
	return files, nil
}

// has reports whether an edit is one for this release.
func (p plan) has(e edit) bool {
	return e.only == "" || strings.HasPrefix(p.version, "go"+e.only)
}

// name returns the folder's name: whatever of the files or edits changes, it
// does too.
func (p plan) name(originals map[string][]byte) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%q\n%t\n%+v\n", p.version, p.root, p.tree, p.edits)
	for _, a := range added {
		fmt.Fprintf(h, "%s\n%s\n", a.file, text(a.from))
	}
	for _, file := range p.paths() {
		fmt.Fprintf(h, "%s %d\n%s", file, len(originals[file]), originals[file])
	}
	version, _, _ := strings.Cut(p.version, " ")
	return version + "-" + hex.EncodeToString(h.Sum(nil)[:8])
}

func text(name string) []byte {
	b, err := sources.ReadFile(name)
	if err != nil {
		panic("deep: " + err.Error()) // it is embedded
	}
	return b
}

// edited returns all files that differ from the Go tree, by their path below
// GOROOT/src.
func (p plan) edited(originals map[string][]byte) (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, file := range p.paths() {
		var own []edit
		for _, e := range p.edits {
			if e.file == file && p.has(e) {
				own = append(own, e)
			}
		}
		out, err := apply(p.version, file, originals[file], own)
		if err != nil {
			return nil, err
		}
		files[file] = out
	}
	for _, a := range added {
		if _, err := os.Stat(filepath.Join(p.root, "src", filepath.FromSlash(a.file))); err == nil {
			return nil, fmt.Errorf("%s: %s: the Go tree is edited already", p.version, a.file)
		}
		files[a.file] = text(a.from)
	}
	return files, nil
}

// write writes the files into the folder made, which is called dir later, and
// compiles the edited packages.
func (p plan) write(made, dir string, files map[string][]byte) error {
	if p.tree {
		tree := filepath.Join(made, "goroot")
		if err := link(tree, p.root, "", files); err != nil {
			return err
		}
		return p.compile((&Build{Tree: tree}).Command("build"))
	}
	var first, last struct{ Replace map[string]string }
	first.Replace, last.Replace = map[string]string{}, map[string]string{}
	for file, text := range files {
		file = filepath.FromSlash(file)
		to := filepath.Join(made, "src", file)
		if err := writeFile(to, text); err != nil {
			return err
		}
		original := filepath.Join(p.root, "src", file)
		first.Replace[original] = to
		last.Replace[original] = filepath.Join(dir, "src", file)
	}
	overlay := filepath.Join(made, "overlay.json")
	if err := writeJSON(overlay, first); err != nil {
		return err
	}
	if err := p.compile((&Build{Overlay: overlay}).Command("build")); err != nil {
		return err
	}
	return writeJSON(overlay, last)
}

func writeFile(name string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return err
	}
	return os.WriteFile(name, text, 0o666)
}

func writeJSON(name string, v any) error {
	text, err := json.MarshalIndent(v, "", "\t")
	if err != nil {
		return err
	}
	return writeFile(name, append(text, '\n'))
}

// compile builds the edited packages, so that an edit that does not fit is an
// error here and not in the middle of somebody's test.
func (p plan) compile(cmd *exec.Cmd) error {
	for _, file := range p.paths() {
		if pkg := file[:strings.LastIndex(file, "/")]; !slices.Contains(cmd.Args, pkg) {
			cmd.Args = append(cmd.Args, pkg)
		}
	}
	// Whatever the user's module and flags are, these packages are the same.
	cmd.Dir = os.TempDir()
	cmd.Env = append(cmd.Environ(), "GOWORK=off", "GOFLAGS=")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: the edited runtime does not compile: %w\n%s", p.version, err, out.Bytes())
	}
	return nil
}

// link makes to a copy of the Go tree's folder rel in which everything without
// an edited file in it is a symbolic link.
func link(to, root, rel string, files map[string][]byte) error {
	inside := false
	for file := range files {
		inside = inside || rel == "" || strings.HasPrefix("src/"+file, rel+"/")
	}
	if !inside {
		return os.Symlink(filepath.Join(root, filepath.FromSlash(rel)), to)
	}
	if err := os.Mkdir(to, 0o777); err != nil {
		return err
	}
	entries, err := os.ReadDir(filepath.Join(root, filepath.FromSlash(rel)))
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := strings.TrimPrefix(rel+"/"+e.Name(), "/")
		if _, ok := files[strings.TrimPrefix(name, "src/")]; ok && strings.HasPrefix(name, "src/") {
			continue
		}
		if err := link(filepath.Join(to, e.Name()), root, name, files); err != nil {
			return err
		}
	}
	for file, text := range files {
		if dir, name := filepath.Split("src/" + file); dir == rel+"/" {
			if err := os.WriteFile(filepath.Join(to, name), text, fs.FileMode(0o666)); err != nil {
				return err
			}
		}
	}
	return nil
}
