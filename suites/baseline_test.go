package suites_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/internal/mini"
	"github.com/halfopen/halfopen/suites"
)

// startedEnv says that this is the process of a test that fails.
const startedEnv = "HALFOPEN_TEST_STARTED"

// A failure stands at the line of the user's test, the summary has the lines of a baseline,
// and with these the test passes, until an entry is of no use any more.
func TestBaseline(t *testing.T) {
	small := func(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
		tr := &mini.Transport{DialContext: t.Net.DialContext}
		return tr, s.Apply(tr)
	}
	_, _, here, _ := runtime.Caller(0)
	if os.Getenv(startedEnv) != "" {
		suites.TestTransport(t, small) // here, and two lines
		return
	}
	const fails, holds = "close-request-header", "reuse-sequential"
	run := func(name string, flags ...string) (out string, passed bool) {
		cmd := exec.Command(os.Args[0], append([]string{"-test.v", "-test.run=^TestBaseline$/^http1$/^" + name + "$"}, flags...)...)
		cmd.Env = append(os.Environ(), startedEnv+"=1")
		b, err := cmd.CombinedOutput()
		return string(b), err == nil
	}
	out, passed := run(fails)
	entry := regexp.MustCompile(`(?m)^ +(http1/` + fails + ` .+)$`).FindStringSubmatch(out)
	for _, want := range []string{
		"baseline_test.go:" + strconv.Itoa(here+2) + ": A request that says Connection: close",
		"baseline_test.go:" + strconv.Itoa(here+2) + ": 1 cases: 0 held, 1 FAILED, 0 quirk, 0 undecided, 0 n/a",
	} {
		if passed || !strings.Contains(out, want) || entry == nil {
			t.Fatalf("got passed %v:\n%s\nwant it failed, with %q and an entry for a baseline", passed, out, want)
		}
	}
	file := filepath.Join(t.TempDir(), "quirks")
	for _, tt := range []struct {
		text, name, want string
		passes           bool
	}{
		{"# known\n\n" + entry[1] + "\n", fails, "1 cases: 0 held, 0 FAILED, 1 quirk", true},
		{fails + " over every protocol", fails, "1 quirk", true},
		{"h2/" + fails + " over another protocol", fails, "1 FAILED", false},
		{holds + " no more", holds, "has a quirk (no more), and holds", false},
		{fails, fails, file + ":1: " + fails + " has no reason behind it", false},
		{"nothing known", fails, file + `:1: suites: quirk for unknown case "nothing"`, false},
		{"# known\n\nreuse-sequentail known", fails, file + `:3: suites: quirk for unknown case "reuse-sequentail" (did you mean "reuse-sequential"?)`, false},
		{"htp1/reuse-sequential known", fails, file + `:1: suites: quirk for unknown case "htp1/reuse-sequential"`, false},
	} {
		if err := os.WriteFile(file, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, passed := run(tt.name, "-halfopen.quirks="+file); passed != tt.passes || !strings.Contains(out, tt.want) {
			t.Errorf("with the baseline %q: got passed %v:\n%s\nwant %v, and %q", tt.text, passed, out, tt.passes, tt.want)
		}
	}
	if out, passed := run(fails, "-halfopen.quirks="+file+".missing"); passed || !strings.Contains(out, "no such file") {
		t.Errorf("with a baseline that is not there: got passed %v:\n%s", passed, out)
	}
}
