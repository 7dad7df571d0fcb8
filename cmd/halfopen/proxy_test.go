package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// clientURL is the variable that makes the test binary a program which asks for that URL three
// times, with package net/http as it is, and prints what it gets.
const clientURL = "HALFOPEN_TEST_CLIENT_URL"

// runClient does what that program does, and returns the number of requests that failed.
func runClient(url string) (failures int) {
	http.DefaultTransport.(*http.Transport).DisableKeepAlives = true
	for range 3 {
		resp, err := http.Get(url)
		if err != nil {
			fmt.Println("failed")
			failures++
			continue
		}
		b, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		fmt.Printf("%d, %d bytes, %t\n", resp.StatusCode, len(b), err == nil)
	}
	return failures
}

// throughProxy runs that program behind a proxy with these rules, in which SERVER is the address
// of a server that answers with 1,000 bytes. In what is printed PROXY stands for the address
// of the proxy.
func throughProxy(t *testing.T, rules string, flags ...string) (code exit, out, log string) {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, strings.Repeat("0123456789", 100))
	}))
	defer srv.Close()
	server := srv.Listener.Addr().String()
	file := filepath.Join(t.TempDir(), "rules.txtar")
	if err := os.WriteFile(file, []byte("# Rules.\n"+strings.ReplaceAll(rules, "SERVER", server)), 0o666); err != nil {
		t.Fatal(err)
	}
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(clientURL, "http://api.test/")
	code, out, log = halfopen(append(append([]string{"proxy"}, flags...), file, "--", own)...)
	_, address, _ := strings.Cut(log, " on ")
	address, _, _ = strings.Cut(strings.Split(address, "\n")[0], `"`)
	return code, out, strings.NewReplacer(file, "rules.txtar", server, "SERVER", address, "PROXY").Replace(log)
}

// A program that has no place for a dialer runs behind the proxy: the rules have their effects,
// and the proxy says which, the same each time.
func TestProxy(t *testing.T) {
	rules := "fault c1 server->client data as corrupt:0 nth 1\nfault c2 server->client data as reset from 500\nfault dial d3 as refuse\nroute api.test:80 SERVER\n"
	code, out, log := throughProxy(t, strings.Replace(rules, "fault c1", "fault c9", 1))
	if code != failed || out != "200, 1000 bytes, true\n200, "+cutBody(out)+" bytes, false\n502, 54 bytes, true\n" {
		t.Errorf("got exit code %d and\n%s", code, out)
	}
	want := `forward proxy (HTTP, SOCKS5) on PROXY
c1: GET http://api.test/
c2: GET http://api.test/
rules.txtar:3: c2 server->client data as reset
c3: GET http://api.test/
rules.txtar:4: dial d3 api.test:80 as refuse
c3: dial tcp: connect: connection refused
rules.txtar:2: fault c9 server->client data as corrupt:0 nth 1: never fired
rules.txtar:3: fault c2 server->client data as reset from 500: fired once
rules.txtar:4: fault dial d3 as refuse: fired once
`
	if log != want {
		t.Errorf("got the log\n%s\nwant\n%s", log, want)
	}

	code, _, log = throughProxy(t, "shape dial as delay:1ms\nroute api.test:80 SERVER\n", "-json")
	want = `{"what":"listening","text":"forward proxy (HTTP, SOCKS5) on PROXY"}
{"what":"accepted","conn":"c1","text":"GET http://api.test/"}
{"what":"fired","event":"dial d1 api.test:80","rule":"rules.txtar:2","outcome":"delay:1ms"}
`
	last := `{"what":"rule","rule":"rules.txtar:2","fired":3,"text":"shape dial as delay:1ms"}` + "\n"
	if code != held || !strings.HasPrefix(log, want) || !strings.HasSuffix(log, last) {
		t.Errorf("got exit code %d and the log\n%s\nwant it to begin with\n%s\nand to end with\n%s", code, log, want, last)
	}
}

// cutBody returns the number of bytes that the second answer had: the reset is behind 500 bytes
// of the stream, and a kernel may drop what its program has not read.
func cutBody(out string) string {
	lines := strings.Split(out, "\n")
	if len(lines) < 2 {
		return "?"
	}
	return strings.TrimSuffix(strings.TrimPrefix(lines[1], "200, "), " bytes, false")
}

// The exit code is that of the command, if it is not 0.
func TestProxyExitCode(t *testing.T) {
	if code, out, log := throughProxy(t, "fault dial d2 as delay:1ms\n"+"fault c* client->server data as reset always\nroute api.test:80 SERVER\n"); code != 3 || out != "failed\nfailed\nfailed\n" {
		t.Errorf("got exit code %d and\n%s%s", code, out, log)
	}
}

// A mapping leads to a server: a program dials the mapping in place of it.
func TestProxyMap(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	rules := filepath.Join(t.TempDir(), "rules")
	if err := os.WriteFile(rules, []byte("# Each dial is refused.\nfault dial as refuse always\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := free.Addr().String()
	free.Close()
	t.Setenv(clientURL, "http://"+at+"/") // package net/http never asks a proxy for loopback
	code, out, log := halfopen("proxy", "-listen", "", "-map", "api="+at+"="+busy.Addr().String(), rules, "--", own)
	if code != 3 || out != "failed\nfailed\nfailed\n" || !strings.Contains(log, "mapping api: "+at+" to "+busy.Addr().String()) || !strings.Contains(log, "fired 3 times") {
		t.Errorf("got exit code %d and\n%s%s", code, out, log)
	}
}
