package suites

import (
	"fmt"
	"go/version"
	"runtime"
	"runtime/debug"
	"strings"

	"golang.org/x/mod/semver"
)

// Versions is a range of versions, of Go or of a module: from From, until before
// Until. The zero value is all versions of Go.
type Versions struct {
	// Module is the path of the module whose version counts, as go.mod has it; ""
	// is Go itself, and with it the standard library.
	Module string
	// From is the first version in the range: "go1.27.0", "v1.73.0". "" is all that
	// come before Until. "go1.27" includes the release candidates of it.
	From string
	// Until is the first version behind the range. "" is none: it goes on.
	Until string
}

// String returns the range in words: "go1.27.0 until go1.27.2", "since go1.26",
// "github.com/valyala/fasthttp since v1.73.0". That of all versions of Go is "".
func (v Versions) String() string {
	var words []string
	if v.Module != "" {
		words = append(words, v.Module)
	}
	switch {
	case v.From != "" && v.Until != "":
		words = append(words, v.From, "until", v.Until)
	case v.From != "":
		words = append(words, "since", v.From)
	case v.Until != "":
		words = append(words, "until", v.Until)
	}
	return strings.Join(words, " ")
}

// contains reports whether the version that this program was built with is in the
// range, and whether that is known: the version of a module stands in the
// program ([debug.ReadBuildInfo]), but not in a test that Go 1.26 builds, and not
// if the module is replaced by a folder.
func (v Versions) contains() (in, known bool) {
	have, compare := versionOf(v), version.Compare
	if v.Module != "" {
		compare = semver.Compare
	}
	if have == "" {
		return false, false
	}
	return (v.From == "" || compare(have, v.From) >= 0) && (v.Until == "" || compare(have, v.Until) < 0), true
}

// versionOf returns the version that this program has of what a range is about.
func versionOf(v Versions) string {
	if v.Module != "" {
		return moduleVersion(v.Module)
	}
	return goVersion(runtime.Version())
}

// check returns an error if an end of the range is no version.
func (v Versions) check() error {
	valid, kind := version.IsValid, "of Go: go1.27 or go1.27.2"
	if v.Module != "" {
		valid, kind = semver.IsValid, "of a module: v1.2.3"
	}
	for _, end := range []string{v.From, v.Until} {
		if end != "" && !valid(end) {
			return fmt.Errorf("got version %q, want one %s", end, kind)
		}
	}
	return nil
}

// goVersion returns the version in a string of [runtime.Version]: "go1.27.3" of
// "go1.27.3 X:opts", "go1.28" of "devel go1.28-5d3a6f1 Mon Nov 23". It is "" if
// there is none.
func goVersion(s string) string {
	for _, word := range strings.Fields(s) {
		if v, _, _ := strings.Cut(word, "-"); version.IsValid(v) {
			return v
		}
	}
	return ""
}

// moduleVersion returns the version of a module in this program, or "" if it is not known.
func moduleVersion(path string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, m := range append(info.Deps, &info.Main) {
		if m.Path != path {
			continue
		}
		if m.Replace != nil {
			m = m.Replace
		}
		if semver.IsValid(m.Version) {
			return m.Version
		}
	}
	return ""
}
