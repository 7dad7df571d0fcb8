//go:build toxiproxy

package proxy

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// requests are sent to both servers, one after the other. PORT1 is the port that the server has
// chosen for the proxy "one". Differs says why the answers differ, where they do.
var requests = []struct {
	method, path, body string
	differs            string
}{
	{"GET", "/version", "", "each names its version"},
	{"GET", "/proxies", "", ""},
	{"POST", "/proxies", `{"name":"one","listen":"127.0.0.1:0","upstream":"127.0.0.1:1"}`, ""},
	{"POST", "/proxies", `{"name":"one","listen":"127.0.0.1:0","upstream":"127.0.0.1:1"}`, ""},
	{"POST", "/proxies", `{"name":"off","listen":"127.0.0.1:0","upstream":"127.0.0.1:1","enabled":false}`, ""},
	{"POST", "/proxies", `{"name":"busy","listen":"127.0.0.1:PORT1","upstream":"127.0.0.1:1"}`, ""},
	{"POST", "/proxies", `{"listen":"127.0.0.1:0","upstream":"127.0.0.1:1"}`, ""},
	{"POST", "/proxies", `{"name":"x","listen":"127.0.0.1:0"}`, ""},
	{"POST", "/proxies", `{"name":"x"`, ""},
	{"POST", "/proxies", ``, ""},
	{"POST", "/proxies", `[]`, ""},
	{"POST", "/proxies", `{"name":1}`, ""},
	{"POST", "/proxies", `{"name":"x","upstream":"127.0.0.1:1","enabled":"yes"}`, ""},
	{"POST", "/proxies", `{"name":"every","upstream":"127.0.0.1:1"}`, "without an address toxiproxy listens on every address of the machine, and halfopen on loopback"},
	{"DELETE", "/proxies/every", "", ""},
	{"POST", "/proxies", `{"name":"wide","listen":"0.0.0.0:0","upstream":"127.0.0.1:1"}`, "halfopen listens on loopback only"},
	{"DELETE", "/proxies/wide", "", "halfopen listens on loopback only"},
	{"GET", "/proxies", "", ""},
	{"GET", "/proxies/one", "", ""},
	{"GET", "/proxies/none", "", ""},
	{"DELETE", "/proxies/none", "", ""},
	{"GET", "/proxies/", "", ""},
	{"PUT", "/proxies", "", ""},
	{"GET", "/nothing", "", ""},
	{"GET", "/metrics", "", ""},

	{"GET", "/proxies/one/toxics", "", ""},
	{"GET", "/proxies/none/toxics", "", ""},
	{"POST", "/proxies/one/toxics", `{"type":"latency","attributes":{"latency":5,"jitter":1}}`, ""},
	{"POST", "/proxies/one/toxics", `{"type":"latency"}`, ""},
	{"POST", "/proxies/one/toxics", `{"type":"bandwidth","stream":"upstream","toxicity":0.5,"attributes":{"rate":10}}`, ""},
	{"POST", "/proxies/one/toxics", `{"name":"s","type":"slow_close","stream":"UPSTREAM","attributes":{"delay":1}}`, ""},
	{"POST", "/proxies/one/toxics", `{"type":"timeout","attributes":{"timeout":10}}`, ""},
	{"POST", "/proxies/one/toxics", `{"type":"reset_peer"}`, ""},
	{"POST", "/proxies/one/toxics", `{"type":"slicer","attributes":{"average_size":64,"size_variation":32,"delay":10}}`, ""},
	{"POST", "/proxies/one/toxics", `{"type":"limit_data","attributes":{"bytes":1000,"more":1}}`, ""},
	{"POST", "/proxies/one/toxics", `{"type":"noise"}`, ""},
	{"POST", "/proxies/one/toxics", `{}`, ""},
	{"POST", "/proxies/one/toxics", `{"name":"q","type":"latency","stream":"sideways"}`, ""},
	{"POST", "/proxies/one/toxics", `{"name":"q","type":"latency","attributes":{"latency":"slow"}}`, ""},
	{"POST", "/proxies/one/toxics", `{"name":"q","type":"latency","attributes":7}`, ""},
	{"POST", "/proxies/one/toxics", `{"name":"q","type":"latency","toxicity":"all"}`, ""},
	{"POST", "/proxies/one/toxics", `{"name":"q","type":"latency","attributes":{"latency":-1}}`, "halfopen refuses an attribute with which a toxic could not work"},
	{"DELETE", "/proxies/one/toxics/q", "", "halfopen refuses an attribute with which a toxic could not work"},
	{"POST", "/proxies/none/toxics", `{"type":"latency"}`, ""},
	{"GET", "/proxies/one/toxics", "", ""},
	{"GET", "/proxies/one", "", ""},
	{"GET", "/proxies/one/toxics/s", "", ""},
	{"GET", "/proxies/one/toxics/none", "", ""},
	{"POST", "/proxies/one/toxics/s", `{"attributes":{"delay":9}}`, ""},
	{"PATCH", "/proxies/one/toxics/s", `{"toxicity":0.25}`, ""},
	{"PATCH", "/proxies/one/toxics/s", `{"attributes":{"delay":"x"}}`, ""},
	{"PATCH", "/proxies/one/toxics/s", `{`, ""},
	{"POST", "/proxies/one/toxics/none", `{}`, ""},
	{"DELETE", "/proxies/one/toxics/s", "", ""},
	{"DELETE", "/proxies/one/toxics/s", "", ""},

	{"POST", "/proxies/one", `{"upstream":"127.0.0.1:2"}`, ""},
	{"POST", "/proxies/one", `{"enabled":true}`, ""},
	{"PATCH", "/proxies/one", `{"enabled":false}`, ""},
	{"POST", "/proxies/one", `{"enabled":"no"}`, ""},
	{"POST", "/proxies/one", `{"listen":"127.0.0.1"}`, ""},
	{"POST", "/proxies/none", `{}`, ""},
	{"POST", "/reset", "", ""},
	{"GET", "/proxies/one", "", ""},
	{"GET", "/reset", "", ""},

	{"POST", "/populate", `[{"name":"two","listen":"127.0.0.1:0","upstream":"127.0.0.1:2"},{"name":"three","listen":"127.0.0.1:0","upstream":"127.0.0.1:3","enabled":false}]`, ""},
	{"POST", "/populate", `[{"name":"one","listen":"127.0.0.1:PORT1","upstream":"127.0.0.1:2"}]`, ""},
	{"POST", "/populate", `[{"name":"four","listen":"127.0.0.1:0","upstream":"127.0.0.1:4"},{"upstream":"127.0.0.1:5"}]`, ""},
	{"POST", "/populate", `[{"name":"four","listen":"127.0.0.1:0"}]`, ""},
	{"POST", "/populate", `[{"name":"four","listen":"127.0.0.1:0","upstream":"127.0.0.1:4"},{"name":"five","listen":"127.0.0.1:PORT1","upstream":"127.0.0.1:5"}]`, ""},
	{"POST", "/populate", `{}`, ""},
	{"POST", "/populate", `[]`, ""},
	{"DELETE", "/proxies/two", "", ""},
	{"GET", "/proxies", "", ""},
}

var (
	// chosen matches the port that a server has chosen.
	chosen = regexp.MustCompile(`127\.0\.0\.1:\d{4,5}`)
	// goType matches the name of a Go type in an error of package json: each server has its own.
	goType = regexp.MustCompile(`(json: cannot unmarshal \w+ into Go).*","status"`)
	// logger matches a field of toxiproxy's answers that no documentation has.
	logger = regexp.MustCompile(`"Logger":\{\},`)
)

// normal returns an answer without what is chance, or of one server by design.
func normal(body string) string {
	body = chosen.ReplaceAllString(body, "127.0.0.1:PORT")
	body = goType.ReplaceAllString(body, `$1 TYPE","status"`)
	return logger.ReplaceAllString(body, "")
}

// startToxiproxy builds and runs the server of toxiproxy until the test ends, and returns its
// address.
func startToxiproxy(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "toxiproxy.exe")
	build := exec.Command("go", "build", "-o", binary, ".")
	build.Dir = filepath.Join("testdata", "toxiproxy")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	theirs := exec.Command(binary)
	out, err := theirs.StdoutPipe()
	if err != nil || theirs.Start() != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { theirs.Process.Kill(); theirs.Wait() })
	lines := bufio.NewScanner(out)
	lines.Scan()
	return lines.Text()
}

// The proxy answers each request as toxiproxy's server does: the status, the type of the body
// and its bytes. Where it does not, the table says why, and the answers must differ.
func TestCompare(t *testing.T) {
	servers := [2]*api{{at: start(t).admin}, {at: startToxiproxy(t)}}
	same := 0
	for _, q := range requests {
		ours, real := servers[0].ask(t, q.method, q.path, q.body), servers[1].ask(t, q.method, q.path, q.body)
		switch {
		case ours == real && q.differs == "":
			same++
		case ours != real && q.differs != "":
			t.Logf("%s %s %s: %s\n  halfopen:  %s\n  toxiproxy: %s", q.method, q.path, q.body, q.differs, ours, real)
		default:
			t.Errorf("%s %s %s (%s)\n  halfopen:  %s\n  toxiproxy: %s", q.method, q.path, q.body, q.differs, ours, real)
		}
	}
	wantOnPage(t, fmt.Sprintf("sends %d requests", len(requests)))
	wantOnPage(t, fmt.Sprintf("%d are the same", same))
}

// wantOnPage checks that the documentation has these words.
func wantOnPage(t *testing.T, words string) {
	t.Helper()
	page, err := os.ReadFile("../../docs/services.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), words) {
		t.Errorf("docs/services.md does not say %q", words)
	}
}

// api is a server, and the port of its proxy "one".
type api struct{ at, port string }

// ask sends a request, and returns the answer with the chosen ports left out.
func (a *api) ask(t *testing.T, method, path, body string) string {
	t.Helper()
	if a.port != "" {
		body = strings.ReplaceAll(body, "PORT1", a.port)
	}
	req, err := http.NewRequest(method, "http://"+a.at+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if m := chosen.FindString(string(b)); path == "/proxies" && a.port == "" && m != "" {
		_, a.port, _ = strings.Cut(m, ":")
	}
	return fmt.Sprintf("%d, %s, %s", resp.StatusCode, resp.Header.Get("Content-Type"), normal(string(b)))
}
