package ginkgosuite_test

import (
	"encoding/xml"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"
	"go.uber.org/goleak"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/suites"
	"github.com/halfopen/halfopen/suites/ginkgosuite"
	"github.com/halfopen/halfopen/suites/goleakcheck"
)

// TestMain leaves out the goroutine for signals that Ginkgo keeps to the end of the process.
func TestMain(m *testing.M) {
	log.SetOutput(io.Discard) // net/http logs unsolicited bytes
	goleakcheck.VerifyTestMain(m, goleak.IgnoreAnyFunction(
		"github.com/onsi/ginkgo/v2/internal/interrupt_handler.(*InterruptHandler).registerForInterrupts.func2"))
}

// net/http is a subject under Ginkgo, as in a project that uses Ginkgo: there is a spec for
// each case over each protocol, and those that a filter leaves over pass. What each case says
// of net/http is tested in package suites.
func TestSuites(t *testing.T) {
	gomega.RegisterFailHandler(ginkgo.Fail)
	config, reporter := ginkgo.GinkgoConfiguration()
	config.LabelFilter = "limit && !http2 || conn && h2"
	want := [2]int{1: 1} // that run, and all of them: that of Shard among these
	for _, c := range suites.Cases() {
		want[1] += 3 // HTTP/1, and HTTP/2 with TLS and without
		if g := c.Group(); g == "limit" || g == "conn" {
			want[0]++
		}
	}
	var got [2]int
	ginkgo.ReportAfterSuite("counts", func(r ginkgo.Report) {
		got = [2]int{r.PreRunStats.SpecsThatWillRun, r.PreRunStats.TotalSpecs}
	})
	ginkgo.RunSpecs(t, "suites", config, reporter)
	if got != want {
		t.Errorf("got %d specs of %d, want %d of %d", got[0], got[1], want[0], want[1])
	}
}

var _ = ginkgosuite.Describe("net/http", harness.NetHTTP, suites.NetHTTPQuirks...)

var _ = ginkgo.It("knows which process of Ginkgo's this is", func() {
	s := ginkgosuite.Shard()
	gomega.Expect(s.Total).To(gomega.BeNumerically(">=", 1))
	gomega.Expect(s.Index).To(gomega.BeNumerically("<", s.Total))
	gomega.Expect(s.Index).To(gomega.Equal(ginkgo.GinkgoParallelProcess() - 1))
})

// head begins each of the README's files.
const head = `package mine

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"os"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/pool"
	"github.com/halfopen/halfopen/suites"
	"github.com/halfopen/halfopen/suites/ginkgosuite"
	"github.com/halfopen/halfopen/suites/gomegamatch"
)

// What a file of the README does not need.
var (
	_ tls.Config
	_ = fmt.Sprint
	_ http.RoundTripper
	_ = os.Getenv
	_ testing.TB
	_ = By
	_ = Expect
	_ harness.T
	_ pool.Transport
	_ suites.Case
	_ = ginkgosuite.Shard
	_ = gomegamatch.BeStuck
)

`

// user is the rest of a user's suite: an exploration, a table, and proof that
// each process took part.
const user = `
func TestMine(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "mine")
}

var _ = SynchronizedBeforeSuite(func() []byte { return nil }, func([]byte) {
	Expect(os.WriteFile(fmt.Sprintf("process-%d-of-%d", GinkgoParallelProcess(), ginkgosuite.Shard().Total), nil, 0o666)).To(Succeed())
})

var _ = Describe("an exploration", Label("cancel"), func() {
	It("finds nothing", func() {
		harness.Explore(GinkgoT(), harness.Bounds{Schedules: 50}, func(t *harness.T) {
			t.Serve("api.test:80", nil)
			tr := t.Net.Transport()
			t.Get("r1", tr, "http://api.test/").MayCancel()
			r2 := t.Get("r2", tr, "http://api.test/")
			t.Rest()
			NewWithT(t).Expect(r2).NotTo(gomegamatch.BeStuck())
		})
	})
})

var _ = DescribeTable("a table", func(c suites.Case) {
	suites.Subjects()[0].Test(GinkgoT(), c)
}, ginkgosuite.Entries(suites.HTTP1))

var _ = It("is filtered out", Label("http2"), func() { Fail("it ran") })
`

// Ginkgo as a user runs it, in a module of the user's own with the README's
// subjects: labels choose, processes share, repetitions repeat, and the report is
// one that JUnit's consumers read.
func TestGinkgo(t *testing.T) {
	dir := module(t)
	// Ginkgo's command runs every test function, without its filter.
	if err := os.Remove(filepath.Join(dir, "tuned_test.go")); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "mine_test.go", head+user)
	procs := runtime.GOMAXPROCS(0)
	t.Setenv("GOMAXPROCS", strconv.Itoa(procs)) // go test -cpu is for this process alone
	out, err := goCommand(dir, "run", "-mod=mod", "github.com/onsi/ginkgo/v2/ginkgo", "-p", "--repeat", "3",
		"--label-filter", "cancel && !http2", "--junit-report", "r.xml")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if n := strings.Count(out, "SUCCESS!"); n != 4 {
		t.Errorf("got %d runs that passed, want one and 3 more:\n%s", n, out)
	}
	if procs > 4 {
		procs-- // as Ginkgo counts them
	}
	for i := range procs {
		if _, err := os.Stat(filepath.Join(dir, fmt.Sprintf("process-%d-of-%d", i+1, procs))); err != nil {
			t.Errorf("a process took no part: %v", err)
		}
	}

	// Those that ran are those of the group, over HTTP/1.1: once of the README's
	// pool and once of the table.
	var got, want []string
	name := regexp.MustCompile(`^\[It\] (?:my pool (\w+)|(a) table) ([\w-]+): `)
	explored := false
	for _, spec := range passed(t, filepath.Join(dir, "r.xml")) {
		m := name.FindStringSubmatch(spec)
		if m == nil {
			explored = explored || strings.Contains(spec, "an exploration finds nothing")
			continue
		}
		if m[1] == "http2" || m[1] == "h2" || m[1] == "h2c" || !strings.HasPrefix(m[3], "cancel-") {
			t.Errorf("got %q run in spite of the filter", spec)
		}
		got = append(got, m[3])
	}
	for _, c := range suites.Cases() {
		if c.Group() != "cancel" || c.Protocols != 0 && c.Protocols&suites.HTTP1 == 0 {
			continue
		}
		// The README's pool has all settings, and so every case applies.
		want = append(want, c.Name, c.Name)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) || !explored {
		t.Errorf("got %v run (the exploration: %v), want %v", got, explored, want)
	}
}

// passed returns the specs that passed, as a JUnit report of Ginkgo's names them. No other
// one has failed.
func passed(t *testing.T, file string) (specs []string) {
	t.Helper()
	var report struct {
		XMLName xml.Name `xml:"testsuites"`
		Suites  []struct {
			Failures int `xml:"failures,attr"`
			Errors   int `xml:"errors,attr"`
			Cases    []struct {
				Name   string `xml:"name,attr"`
				Status string `xml:"status,attr"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := xml.Unmarshal(data, &report); err != nil {
		t.Fatal(err)
	}
	if len(report.Suites) != 1 || report.Suites[0].Failures+report.Suites[0].Errors > 0 {
		t.Fatalf("got %+v", report)
	}
	for _, c := range report.Suites[0].Cases {
		if c.Status == "passed" && strings.HasPrefix(c.Name, "[It]") {
			specs = append(specs, c.Name)
		}
	}
	return specs
}

// The README's subject for plain tests, as a user runs a part of it; and each of
// its subjects takes at most 15 lines.
func TestTunedTransport(t *testing.T) {
	dir := module(t)
	out, err := goCommand(dir, "test", "-mod=mod", "-v", "-run", "^TestTuned$/^http1$/^cancel-")
	if err != nil || !strings.Contains(out, "--- PASS: TestTuned/http1/cancel-waiter") {
		t.Errorf("got %v\n%s", err, out)
	}
}

// module writes a module of a user's own, with the files of the README's section about
// transports. It needs what this module needs, in the same versions, and nothing
// is downloaded for it.
func module(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		data, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	dir := t.TempDir()
	_, needs, _ := strings.Cut(read("go.mod"), "\n")
	write(t, dir, "go.mod", "module mine.test/mine\n"+needs+
		"\nrequire github.com/halfopen/halfopen v0.0.0\n\nreplace github.com/halfopen/halfopen => "+root+"\n")
	write(t, dir, "go.sum", read("go.sum"))
	_, section, _ := strings.Cut(read("README.md"), "\n## Check a transport of your own\n")
	section, _, _ = strings.Cut(section, "\n## ")
	blocks := regexp.MustCompile("`(\\w+_test\\.go)`:\n\n```go\n((?s).*?)```").FindAllStringSubmatch(section, -1)
	if len(blocks) != 2 {
		t.Fatalf("got %d subjects in the README, want 2", len(blocks))
	}
	for _, b := range blocks {
		if n := strings.Count(b[2], "\n"); n > 15 {
			t.Errorf("%s: got %d lines for a subject, want at most 15", b[1], n)
		}
		write(t, dir, b[1], head+b[2])
	}
	return dir
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

func goCommand(dir string, args ...string) (string, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	// Nothing of the run that this one is part of reaches the other one.
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "GINKGO_") && !strings.HasPrefix(v, "HALFOPEN_") && !strings.HasPrefix(v, "TEST_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, "GOFLAGS=", "GOWORK=off")
	out, err := cmd.CombinedOutput()
	return string(out), err
}
