package pool

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

var survivor = regexp.MustCompile(`^(\w+\.go):(\d+):(\d+) ([A-Z_]+)$`)

// The mutants that no test kills are listed with the line that each changes
// and the reason why that does not matter. A line that has moved or changed has
// to be looked at again: see testdata/survivors.txt.
func TestSurvivors(t *testing.T) {
	data, err := os.ReadFile("testdata/survivors.txt")
	if err != nil {
		t.Fatal(err)
	}
	sources := make(map[string][]string)
	for i, entry := range strings.Split(strings.TrimSpace(string(data)), "\n\n") {
		if strings.HasPrefix(entry, "#") {
			continue
		}
		lines := strings.Split(entry, "\n")
		if len(lines) < 3 {
			t.Errorf("entry %d: got %d lines, want the place, the line and a reason:\n%s", i, len(lines), entry)
			continue
		}
		if err := checkSurvivor(sources, lines[0], strings.TrimSpace(lines[1])); err != nil {
			t.Errorf("%s: %v", lines[0], err)
		}
	}
}

// checkSurvivor wants the line of that place to read as recorded.
func checkSurvivor(sources map[string][]string, place, want string) error {
	m := survivor.FindStringSubmatch(place)
	if m == nil {
		return fmt.Errorf("not file.go:line:column KIND")
	}
	lines, ok := sources[m[1]]
	if !ok {
		data, err := os.ReadFile(m[1])
		if err != nil {
			return err
		}
		lines = strings.Split(string(data), "\n")
		sources[m[1]] = lines
	}
	var line, column int
	fmt.Sscan(m[2], &line)
	fmt.Sscan(m[3], &column)
	switch {
	case line > len(lines):
		return fmt.Errorf("the file has %d lines", len(lines))
	case strings.TrimSpace(lines[line-1]) != want:
		return fmt.Errorf("the line reads\n\t%s\nwant\n\t%s", strings.TrimSpace(lines[line-1]), want)
	case column > len(lines[line-1]):
		return fmt.Errorf("the line has no column %d", column)
	}
	return nil
}
