// Package testdata embeds the race scripts that come with halfopen, so that a
// program that does not run from the source tree has them too. README.md is the
// manual of their language.
package testdata

import (
	"embed"
	"io/fs"

	"github.com/halfopen/halfopen/harness"
)

//go:embed races/*.txtar
var races embed.FS

// Scripts returns all race scripts, parsed, in alphabetical order.
func Scripts() ([]*harness.Script, error) {
	files, err := fs.Glob(races, "races/*.txtar")
	if err != nil {
		return nil, err
	}
	var scripts []*harness.Script
	for _, file := range files {
		data, err := races.ReadFile(file)
		if err != nil {
			return nil, err
		}
		s, err := harness.ParseScript("testdata/"+file, data)
		if err != nil {
			return nil, err
		}
		scripts = append(scripts, s)
	}
	return scripts, nil
}
