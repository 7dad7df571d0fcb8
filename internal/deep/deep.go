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
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Tag is the build tag with which programs are built for the deep bubble.
const Tag = "halfopendeep"

// Build says how to run the go command so that the programs it builds have deep
// bubbles.
type Build struct {
	Version string // the Go release, as in go1.26.8
	Overlay string // the overlay file, or "" if Tree is used in its place
	Tree    string // a Go tree of links and edited files, or ""
	goflags string // the user's GOFLAGS
}

// Prepare makes the edited files for the Go tree that the go command uses in
// the current directory. It keeps them in the user's cache directory, in a
// folder named after the Go release, the edits and the edited files; if an
// earlier call has made the folder, Prepare uses it.
//
// The go command accepts an overlay for a Go tree, but not for a tree that it
// has downloaded by itself. For such a tree Prepare makes a tree of symbolic
// links in which only the edited files are real files. It also does so if an
// overlay is set already, in GOFLAGS or in args, the arguments of the go command
// that will run: the go command uses only one overlay.
//
// Prepare compiles the edited files. That takes some seconds, and happens only
// when they are made: then Prepare writes a line to log.
func Prepare(args []string, log io.Writer) (*Build, error) {
	g, err := askGo()
	if err != nil {
		return nil, err
	}
	if err := checkRelease(g.GOVERSION); err != nil {
		return nil, err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	p := plan{edits: edits, version: g.GOVERSION, root: g.GOROOT, cache: filepath.Join(cache, "halfopen", "deep"), log: log}
	p.tree = isBelow(g.GOMODCACHE, g.GOROOT) || hasOverlay(args, g.GOFLAGS)
	b, err := p.make()
	if err == nil {
		b.goflags = g.GOFLAGS
	}
	return b, err
}

// goEnv has the settings of the go command that Prepare needs.
type goEnv struct{ GOVERSION, GOROOT, GOMODCACHE, GOFLAGS string }

// askGo returns the settings of the go command in the current directory.
func askGo() (g goEnv, err error) {
	out, err := exec.Command("go", "env", "-json", "GOVERSION", "GOROOT", "GOMODCACHE", "GOFLAGS").Output()
	if err != nil {
		return g, fmt.Errorf("go env: %w%s", err, stderrOf(err))
	}
	return g, json.Unmarshal(out, &g)
}

// stderrOf returns what a failed command wrote to its standard error.
func stderrOf(err error) string {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && len(exit.Stderr) > 0 {
		return "\n" + string(exit.Stderr)
	}
	return ""
}

var release = regexp.MustCompile(`^go1\.2[67](\.\d+)?([-+ ].*)?$`)

// checkRelease returns an error unless version is a Go release for whose runtime
// the edits were written.
func checkRelease(version string) error {
	if release.MatchString(version) {
		return nil
	}
	return fmt.Errorf("%s: the deep bubble works only with Go 1.26 and Go 1.27: "+
		"choose one of them, as in GOTOOLCHAIN=go1.27.3, or run without the deep bubble, as in go test", version)
}

// isBelow reports whether path is inside the folder dir.
func isBelow(dir, path string) bool {
	for _, p := range []*string{&dir, &path} {
		if real, err := filepath.EvalSymlinks(*p); err == nil {
			*p = real
		}
	}
	rel, err := filepath.Rel(dir, path)
	return err == nil && dir != "" && filepath.IsLocal(rel)
}

// plan has the settings for one set of edited files.
type plan struct {
	edits         []edit
	version, root string
	cache         string // the folder of all sets of edited files
	tree          bool   // make a tree of links, and no overlay
	log           io.Writer
}

// make returns the build. It makes the build's files if they do not exist yet.
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
	// Make everything in another folder and rename it, so that it appears at
	// once. If several processes do this at the same time, the first one that is
	// ready provides the folder. The others have made the same files.
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

// has reports whether an edit belongs to this release.
func (p plan) has(e edit) bool {
	return e.only == "" || strings.HasPrefix(p.version, "go"+e.only)
}

// name returns the folder's name. It is another one whenever a file or an edit
// changes.
func (p plan) name(originals map[string][]byte) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%q\n%t\n%+v\n", p.version, p.root, p.tree, p.edits)
	for _, a := range added {
		fmt.Fprintf(h, "%s\n%s\n", a.file, addedText(a.from))
	}
	for _, file := range p.paths() {
		fmt.Fprintf(h, "%s %d\n%s", file, len(originals[file]), originals[file])
	}
	version, _, _ := strings.Cut(p.version, " ")
	return version + "-" + hex.EncodeToString(h.Sum(nil)[:8])
}

// addedText returns an embedded file.
func addedText(name string) []byte {
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
		files[a.file] = addedText(a.from)
	}
	return files, nil
}

// write writes the files into the folder made and compiles the edited packages.
// The caller renames the folder to dir afterwards.
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
	for _, name := range slices.Sorted(maps.Keys(files)) {
		file := filepath.FromSlash(name)
		to := filepath.Join(made, "src", file)
		if err := writeFile(to, files[name]); err != nil {
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
// error here and not in the middle of a user's test.
func (p plan) compile(cmd *exec.Cmd) error {
	files := p.paths()
	for _, a := range added {
		files = append(files, a.file)
	}
	for _, file := range files {
		if pkg := file[:strings.LastIndex(file, "/")]; !slices.Contains(cmd.Args, pkg) {
			cmd.Args = append(cmd.Args, pkg)
		}
	}
	// These packages do not depend on the user's module and flags.
	cmd.Dir = os.TempDir()
	cmd.Env = append(cmd.Environ(), "GOWORK=off", "GOFLAGS=")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: the edited runtime does not compile: %w\n%s", p.version, err, out.Bytes())
	}
	return nil
}

// link makes a copy of the Go tree's folder rel at to. Folders without an edited
// file, and files that are not edited, are symbolic links in the copy.
func link(to, root, rel string, files map[string][]byte) error {
	paths := slices.Sorted(maps.Keys(files))
	inside := func(file string) bool { return rel == "" || strings.HasPrefix("src/"+file, rel+"/") }
	if !slices.ContainsFunc(paths, inside) {
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
	for _, file := range paths {
		if dir, name := filepath.Split("src/" + file); dir == rel+"/" {
			if err := os.WriteFile(filepath.Join(to, name), files[file], fs.FileMode(0o666)); err != nil {
				return err
			}
		}
	}
	return nil
}
