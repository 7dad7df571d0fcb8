// Sample runs the service of package leaky on real sockets, and writes what it records: a trace, a
// capture if tcpdump is there and may capture, and a goroutine profile. The tests of halfopen read
// what it has written.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"time"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/internal/leaky"
)

func main() {
	folder := flag.String("o", ".", "the folder to write to")
	every := flag.Duration("every", 300*time.Millisecond, "the time between two requests")
	flag.Parse()
	if err := sample(*folder, *every); err != nil {
		log.Fatal(err)
	}
}

// asked lists the paths that callers ask for, one after the other.
var asked = []string{"/prices/apple", "/prices/pear", "/prices/apple", "/total?items=apple,plum", "/prices/pear", "/prices/plum", "/total?items=plum,pear", "/prices/apple",
	"/prices/plum", "/prices/apple", "/prices/plum", "/prices/apple", "/prices/plum", "/prices/apple", "/prices/plum", "/prices/apple"}

func sample(folder string, every time.Duration) error {
	backend := httptest.NewUnstartedServer(leaky.Backend())
	backend.Config.IdleTimeout = 2 * every
	backend.Start()
	defer backend.Close()
	stop, err := capture(filepath.Join(folder, "leaky.pcap"), backend.Listener.Addr().(*net.TCPAddr).Port)
	if err != nil {
		log.Print("no capture: ", err)
	}

	rec := &faultnet.Recorder{Payload: 512}
	client := &http.Client{Transport: &http.Transport{DialContext: rec.WrapDialer(nil)}}
	service := httptest.NewServer(&leaky.Service{Client: client, Backend: backend.URL})
	defer service.Close()
	for _, path := range asked {
		resp, err := http.Get(service.URL + path)
		if err != nil {
			return err
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		time.Sleep(every)
	}
	time.Sleep(5 * every) // the backend closes the connections that are idle

	if err := write(filepath.Join(folder, "leaky.trace"), func(w io.Writer) error { _, err := rec.WriteTo(w); return err }); err != nil {
		return err
	}
	for debug, name := range map[int]string{1: "leaky.goroutines1.txt", 2: "leaky.goroutines.txt"} { // in any order: each has a file of its own
		var b strings.Builder
		if err := pprof.Lookup("goroutine").WriteTo(&b, debug); err != nil {
			return err
		}
		if err := write(filepath.Join(folder, name), func(w io.Writer) error { _, err := io.WriteString(w, shortPaths(b.String())); return err }); err != nil {
			return err
		}
	}
	if stop != nil {
		return stop()
	}
	return nil
}

func write(file string, to func(io.Writer) error) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	if err := to(f); err != nil {
		return err
	}
	return f.Close()
}

// shortPaths leaves out where this machine has Go and this module.
func shortPaths(profile string) string {
	if wd, err := os.Getwd(); err == nil {
		for dir := wd; ; dir = filepath.Dir(dir) {
			if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
				profile = strings.ReplaceAll(profile, dir+"/", "/src/halfopen/")
				break
			} else if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	if out, err := exec.Command("go", "env", "GOROOT").Output(); err == nil {
		profile = strings.ReplaceAll(profile, strings.TrimSpace(string(out))+"/", "/usr/local/go/")
	}
	return profile
}

// capture has tcpdump write the packets of a port of loopback. It returns when that has begun.
func capture(file string, port int) (stop func() error, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, "tcpdump", "-i", "lo", "-U", "--immediate-mode", "-Z", "root", "-w", file, fmt.Sprintf("tcp port %d", port))
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	said, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		cancel()
		return nil, err
	}
	b := bufio.NewReader(said)
	if first, _ := b.ReadString('\n'); !strings.Contains(first, "listening on") {
		cancel()
		return nil, errors.New(first)
	}
	go io.Copy(io.Discard, b)
	return func() error {
		cancel()
		cmd.Wait() // it was interrupted
		return nil
	}, nil
}
