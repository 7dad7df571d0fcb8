package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"

	"github.com/urfave/cli/v3"
	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
)

// starters has the files that halfopen new writes, as templates.
//
//go:embed new
var starters embed.FS

// scriptFolder is where the first script is written.
const scriptFolder = "testdata/races"

func (l *line) newCommand() *cli.Command {
	return &cli.Command{
		Name: "new", Category: ofScripts, ArgsUsage: "[FOLDER]",
		Usage: "write a first test and a first script for a package of yours",
		Description: `The command writes leaks_test.go and ` + scriptFolder + `/first.txtar into the folder, by
default this one, which has to be in a module. It overwrites nothing.

` + examples("halfopen new", "halfopen new internal/backend"),
		Action: func(_ context.Context, cmd *cli.Command) error {
			if cmd.NArg() > 1 {
				return misused(cmd, "want one folder at most")
			}
			folder := filepath.Clean(cmd.Args().First()) // "" is "."
			path, required, err := findModule(folder)
			if err != nil {
				return err
			}
			name, err := packageName(folder, path)
			if err != nil {
				return err
			}
			if err := writeStarters(folder, name); err != nil {
				return err
			}
			fmt.Fprintf(l.out, "wrote %s and %s\n\nnow:\n", filepath.Join(folder, "leaks_test.go"), filepath.Join(folder, scriptFolder, "first.txtar"))
			if !required {
				fmt.Fprintln(l.out, "  go get github.com/halfopen/halfopen")
			}
			here := "."
			if folder != here {
				here = "./" + filepath.ToSlash(folder)
			}
			fmt.Fprintf(l.out, "  go test %s\n", here)
			return nil
		},
	}
}

// findModule returns the path of the module that the folder is in, and whether it requires
// halfopen, or is it.
func findModule(folder string) (path string, required bool, err error) {
	folder, err = filepath.Abs(folder)
	if err != nil {
		return "", false, err
	}
	if info, err := os.Stat(folder); err != nil {
		return "", false, err
	} else if !info.IsDir() {
		return "", false, fmt.Errorf("%s is not a folder", folder)
	}
	for at := folder; ; at = filepath.Dir(at) {
		name := filepath.Join(at, "go.mod")
		data, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) && at != filepath.Dir(at) {
			continue
		}
		if err != nil {
			return "", false, fmt.Errorf("%s is in no module: begin with go mod init", folder)
		}
		mod, err := modfile.ParseLax(name, data, nil)
		if err != nil {
			return "", false, err
		}
		if mod.Module == nil {
			return "", false, fmt.Errorf("%s: no module line", name)
		}
		path, own := mod.Module.Mod.Path, "github.com/halfopen/halfopen"
		required = path == own
		for _, r := range mod.Require {
			required = required || r.Mod.Path == own
		}
		inside, err := filepath.Rel(at, folder)
		return strings.TrimSuffix(path+"/"+filepath.ToSlash(inside), "/."), required, err
	}
}

// packageName returns the name of the package in the folder, or one that suits its path if
// there is none.
func packageName(folder, path string) (string, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return "", err
	}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.PackageClauseOnly)
		if err != nil {
			return "", err
		}
		if name := parsed.Name.Name; !strings.HasSuffix(name, "_test") {
			return name, nil
		}
	}
	prefix, _, _ := module.SplitPathVersion(path)
	name := regexp.MustCompile(`[^a-z0-9_]`).ReplaceAllString(strings.ToLower(prefix[strings.LastIndex(prefix, "/")+1:]), "")
	if !token.IsIdentifier(name) {
		name = "leaks"
	}
	return name, nil
}

// writeStarters writes the first test and the first script, unless one of them is there.
func writeStarters(folder, name string) error {
	files := []struct{ from, to string }{{"leaks_test.go.txt", "leaks_test.go"}, {"first.txtar", scriptFolder + "/first.txtar"}}
	for _, file := range files {
		if to := filepath.Join(folder, file.to); exists(to) {
			return fmt.Errorf("%s is there already", to)
		}
	}
	text, err := template.ParseFS(starters, "new/*")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(folder, scriptFolder), 0o777); err != nil {
		return err
	}
	for _, file := range files {
		f, err := os.OpenFile(filepath.Join(folder, file.to), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if err != nil {
			return err
		}
		err = text.ExecuteTemplate(f, file.from, struct{ Package, Scripts string }{name, scriptFolder})
		if err = errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	return nil
}

func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}
