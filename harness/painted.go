package harness

import (
	"cmp"
	"flag"
	"fmt"
	"os"

	"github.com/halfopen/halfopen/internal/color"
)

// colorFlag is when reports of tests are painted.
var colorFlag = colorSetting(cmp.Or(os.Getenv("HALFOPEN_COLOR"), color.Auto))

func init() {
	flag.Var(&colorFlag, "halfopen.color", "paint reports: `when` is auto (on a terminal, and not if NO_COLOR is set), always or never (HALFOPEN_COLOR)")
}

// colorSetting is a setting of color as a flag.
type colorSetting string

// String implements [flag.Value].
func (s *colorSetting) String() string { return string(*s) }

// Set implements [flag.Value].
func (s *colorSetting) Set(text string) error {
	*s = colorSetting(text)
	return color.Check(text)
}

// painted returns a report for the output of a test.
func painted(report fmt.Stringer) string {
	text := report.String()
	if color.Wanted(string(colorFlag), os.Stdout) {
		return color.Report(text)
	}
	return text
}
