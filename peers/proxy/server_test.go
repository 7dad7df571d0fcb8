package proxy

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// command is the program "halfopen", which TestMain builds.
var command string

func TestMain(m *testing.M) {
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "halfopen")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	command = filepath.Join(dir, "halfopen.exe")
	build := exec.Command("go", "build", "-o", command, "./cmd/halfopen")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		panic(err.Error() + "\n" + string(out))
	}
	return m.Run()
}

// server is a proxy that runs, and what it prints.
type server struct {
	t     *testing.T
	admin string
	lines *bufio.Scanner
}

// start runs the proxy with an admin address until the test ends.
func start(t *testing.T, flags ...string) *server {
	t.Helper()
	cmd := exec.Command(command, append([]string{"proxy", "-listen", "", "-admin", "127.0.0.1:0"}, flags...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		io.Copy(io.Discard, out)
		cmd.Wait()
	})
	s := &server{t: t, lines: bufio.NewScanner(out)}
	text := s.until("admin (toxiproxy's API) on ")
	s.admin, _, _ = strings.Cut(text, ",")
	return s
}

// until reads what the proxy prints up to the line that has these words, and returns the rest
// of that line.
func (s *server) until(words string) string {
	s.t.Helper()
	var seen []string
	for s.lines.Scan() {
		if rest, ok := cutBehind(s.lines.Text(), words); ok {
			return rest
		}
		seen = append(seen, s.lines.Text())
	}
	s.t.Fatalf("the proxy has ended without a line that has %q; it printed\n%s", words, strings.Join(seen, "\n"))
	return ""
}

// cutBehind returns what stands behind the words.
func cutBehind(line, words string) (rest string, ok bool) {
	_, rest, ok = strings.Cut(line, words)
	return rest, ok
}
