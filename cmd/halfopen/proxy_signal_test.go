//go:build !windows

package main

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// commandDir returns a folder in which this program is the command.
func commandDir(t *testing.T) string {
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(own, filepath.Join(dir, commandName)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// An interrupt ends the proxy, also while connections are open: the exit code says whether each
// rule has fired, and the last lines how often.
func TestProxyInterrupted(t *testing.T) {
	dir := commandDir(t)
	rules := filepath.Join(dir, "rules")
	if err := os.WriteFile(rules, []byte("# The first dial is not answered.\nfault dial d1 as black-hole\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		cmd := exec.Command(filepath.Join(dir, commandName), "proxy", "-admin", "127.0.0.1:0", "-map", "api=127.0.0.1:0=api.test:80", rules)
		out, err := cmd.StdoutPipe()
		if err != nil || cmd.Start() != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		next := func() string { lines.Scan(); return lines.Text() }
		if line := next(); !strings.HasPrefix(line, "forward proxy (HTTP, SOCKS5) on 127.0.0.1:") {
			t.Errorf("got %q", line)
		}
		at, _, ok := strings.Cut(strings.TrimPrefix(next(), "mapping api: "), " to api.test:80")
		if !ok {
			t.Errorf("got %q", lines.Text())
		}
		if line := next(); !strings.HasPrefix(line, "admin (toxiproxy's API) on 127.0.0.1:") || !strings.HasSuffix(line, ", seed 1") {
			t.Errorf("got %q", line)
		}
		failed := make(chan error)
		go func() {
			_, err := http.Get("http://" + at)
			failed <- err
		}()
		for _, want := range []string{"c1: mapping api", rules + ":2: dial d1 api.test:80 as black-hole"} {
			if line := next(); line != want {
				t.Errorf("got %q, want %q", line, want)
			}
		}
		cmd.Process.Signal(sig)
		if err := <-failed; err == nil {
			t.Error("the request went through")
		}
		for strings.Contains(next(), "c1: ") {
		}
		if line := lines.Text(); !strings.HasSuffix(line, "fault dial d1 as black-hole: fired once") {
			t.Errorf("got %q", line)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v: got %v", sig, err)
		}
	}
}

// At a SIGHUP the proxy reads its rules again. A mistake changes nothing.
func TestProxyRereads(t *testing.T) {
	dir := commandDir(t)
	rules := filepath.Join(dir, "rules")
	write := func(text string) {
		if err := os.WriteFile(rules, []byte("# Rules.\n"+text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	srv := httptest.NewServer(http.NotFoundHandler())
	defer srv.Close()
	server := srv.Listener.Addr().String()
	write("fault dial as refuse always\n")
	cmd := exec.Command(filepath.Join(dir, commandName), "proxy", "-listen", "", "-map", "api=127.0.0.1:0="+server, rules)
	out, err := cmd.StdoutPipe()
	if err != nil || cmd.Start() != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	until := func(want string) {
		t.Helper()
		for lines.Scan() {
			if strings.Contains(lines.Text(), want) {
				return
			}
		}
		t.Fatalf("the proxy has ended without %q", want)
	}
	lines.Scan()
	at, _, _ := strings.Cut(strings.TrimPrefix(lines.Text(), "mapping api: "), " to ")
	get := func() bool {
		resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Get("http://" + at)
		if err == nil {
			resp.Body.Close()
		}
		return err == nil
	}
	for _, tt := range []struct {
		rules, say string
		through    bool
	}{
		{"fault dial as refuse alwyas\n", `the rules stay as they are: ` + rules + `:2: fault dial as refuse alwyas: `, false},
		{"shape dial as delay:1ms\n", rules + ":2: fault dial as refuse always: fired ", true},
	} {
		write(tt.rules)
		cmd.Process.Signal(syscall.SIGHUP)
		until(tt.say)
		if got := get(); got != tt.through {
			t.Errorf("%s got an answer: %t, want %t", tt.rules, got, tt.through)
		}
	}
	cmd.Process.Signal(os.Interrupt)
	until("shape dial as delay:1ms: fired once")
	if err := cmd.Wait(); err != nil {
		t.Errorf("got %v", err)
	}
}
