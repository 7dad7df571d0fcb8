package harness_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/halfopen/halfopen/harness"
)

// program is a program that misbehaves.
type program struct {
	does   string
	run    func(t *testing.T) string // returns its report
	want   string                    // what the report has, or, if the process ends, what is printed
	ends   bool                      // the process
	crowds bool                      // it leaves so many goroutines that all that follows takes longer: the process ends behind it
}

// programs is all of them. Those at the end are what no test can survive: see
// docs/debugging.md, "What ends the process".
var programs = slices.Concat(bodies, callbacks, transports, waits, misuses, reports, endings)

// longestProgram is how long, in real time, it takes until a program counts as one that
// hangs: each takes three seconds at most on a machine that has nothing else to do.
const longestProgram = 4 * time.Minute

// Whatever the code under test does, its test has an ordinary result, on one screen, and
// the next test of the process runs. What ends the process is at most eight programs.
func TestPrograms(t *testing.T) {
	if which := os.Getenv(programsEnv); which != "" {
		runPrograms(t, which)
		return
	}
	t.Parallel()
	if len(programs) < 80 || len(endings) > 8 {
		t.Errorf("got %d programs, of which %d end the process; want at least 80, and at most 8", len(programs), len(endings))
	}
	// Most of them wait: some processes at once take less time.
	const processes = 3
	var group sync.WaitGroup
	for i := range processes {
		group.Go(func() {
			to := (i + 1) * len(programs) / processes
			for from := i * len(programs) / processes; from < to; {
				from += judgePrograms(t, from, to)
			}
		})
	}
	group.Wait()
}

// spinning is true while a program runs: what would run for ever ends with it, so that the
// next program has the machine to itself.
var spinning atomic.Bool

const programsEnv = "HALFOPEN_TEST_PROGRAMS"

// What a process prints behind each program's report, and behind that of the next test.
const (
	endOfReport  = "\x00 end of report\n"
	endOfProgram = "\x00 end of program\n"
)

// runPrograms runs the programs of that range. One that ends the process is run only as the
// first.
func runPrograms(t *testing.T, which string) {
	harness.SetMost(5_000, 1<<20) // more would only take longer
	var from, to int
	fmt.Sscanf(which, "%d-%d", &from, &to)
	for i, p := range programs[from:to] {
		if p.ends && i > 0 {
			break
		}
		spinning.Store(true)
		fmt.Print(p.run(t), endOfReport)
		spinning.Store(false)
		fmt.Print(harness.TestReport("next", func(t *harness.T) {
			t.Serve("api.test:80", nil)
			t.Get("r1", t.Net.Transport(), "http://api.test/").Finish()
		}), endOfProgram)
		if p.crowds {
			break
		}
	}
	os.Exit(0)
}

// judgePrograms runs the programs of that range in a process of its own, and returns how many of
// them it has judged.
func judgePrograms(t *testing.T, from, to int) (judged int) {
	ctx, kill := context.WithCancel(context.Background())
	defer kill()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestPrograms$", "-halfopen.frozen=50ms")
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d-%d", programsEnv, from, to))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	hangs := time.AfterFunc(longestProgram, kill)
	in := bufio.NewReader(stdout)
	for {
		p := programs[min(from+judged, to-1)]
		out, err := readTo(in, endOfProgram)
		if err != nil {
			failed := cmd.Wait() != nil
			switch {
			case !failed && judged > 0:
				return judged
			case !hangs.Stop():
				t.Errorf("%s: got no end in %s, after:\n%.2000s", p.does, longestProgram, out)
			case !p.ends:
				t.Errorf("%s: got the end of the process, after:\n%.2000s%.4000s", p.does, out, stderr.String())
			case !strings.Contains(out+stderr.String(), p.want):
				t.Errorf("%s: got:\n%.4000s%.4000s\nwant %q in it", p.does, out, stderr.String(), p.want)
			}
			return judged + 1
		}
		hangs.Reset(longestProgram)
		p.judge(t, out)
		judged++
	}
}

// judge looks at what a program has printed, and the next test after it.
func (p program) judge(t *testing.T, out string) {
	report, next, _ := strings.Cut(out, endOfReport)
	if p.ends {
		t.Errorf("%s: got a report, want the end of the process:\n%s", p.does, report)
	}
	if !strings.Contains(report, p.want) {
		t.Errorf("%s: got:\n%.4000s\nwant %q in it", p.does, report, p.want)
	}
	if lines := strings.Count(report, "\n"); lines > 65 || len(report) > 12_000 {
		t.Errorf("%s: got %d lines and %d bytes, want one screen, in:\n%.3000s", p.does, lines, len(report), report)
	}
	if i := strings.IndexFunc(report, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r == 0x7f }); i >= 0 {
		t.Errorf("%s: got the control byte %#x in:\n%.3q", p.does, report[i], report)
	}
	if next != "next: held\n" {
		t.Errorf("%s: the next test: got %s", p.does, next)
	}
}

// readTo reads to the end of that text, and returns what is before it.
func readTo(in *bufio.Reader, end string) (string, error) {
	var b strings.Builder
	for {
		line, err := in.ReadString('\n')
		b.WriteString(line)
		if before, ok := strings.CutSuffix(b.String(), end); ok || err != nil {
			return before, err
		}
	}
}

// once returns a program that is one test.
func once(body func(t *harness.T)) func(*testing.T) string {
	return func(*testing.T) string { return harness.TestReport("program", body).String() }
}

// exploring returns a program that is explored.
func exploring(body func(t *harness.T)) func(*testing.T) string {
	return func(*testing.T) string {
		x, err := harness.ExploreReport("program", harness.Bounds{Schedules: 50}, nil, body)
		return fmt.Sprint(x, "\n", err, "\n")
	}
}

// scripted returns a program that is a script, over net/http.
func scripted(text string) func(*testing.T) string {
	return func(*testing.T) string {
		s, err := harness.ParseScript("program.txtar", []byte(text))
		if err != nil {
			return err.Error() + "\n"
		}
		r, err := s.TestReport(harness.NetHTTP)
		if err != nil {
			return err.Error() + "\n"
		}
		return r.String()
	}
}

const apiURL = "http://api.test/"

// getting returns a test with a request over net/http to that handler.
func getting(h http.HandlerFunc) func(*testing.T) string {
	return once(func(t *harness.T) {
		t.Serve("api.test:80", h)
		t.Get("r1", t.Net.Transport(), apiURL).Finish()
	})
}

// posting returns a test that sends a request with that body over net/http.
func posting(body io.ReadCloser) func(*testing.T) string {
	return once(func(t *harness.T) {
		t.Serve("api.test:80", http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) { io.Copy(io.Discard, req.Body) }))
		t.Start("r1", t.Net.Transport(), sending(body)).Await()
	})
}

// answered returns a test whose transport answers with that body, which is read.
func answered(body io.ReadCloser) func(*testing.T) string {
	return once(func(t *harness.T) { t.Get("r1", answering(body), apiURL).Finish() })
}

// over returns a test with a request over that transport.
func over(rt roundTripper) func(*testing.T) string {
	return once(func(t *harness.T) { t.Get("r1", rt, apiURL).Await() })
}
