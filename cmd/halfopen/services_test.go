package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// servicesPage returns docs/services.md.
func servicesPage(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("../../docs/services.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// The SDK of the documentation has the leak that the page shows, at its line, and nothing else:
// with the body closed its tests pass.
func TestServicesSDK(t *testing.T) {
	page := servicesPage(t)
	files := goFiles(page)
	if len(files) != 2 {
		t.Fatalf("got %d files, want the code and its test", len(files))
	}
	m := newUserModule(t, "quotes.test/quotes")
	for _, f := range files {
		m.write(f.name, f.text)
	}
	out, err := m.test()
	if err == nil || strings.Contains(out, "--- FAIL: TestCutOff") {
		t.Errorf("got %v, want TestBusy alone to fail:\n%s", err, out)
	}
	wantShown(t, out, page, "`TestBusy` fails:")

	fixed := strings.Replace(files[0].text, "\tif resp.StatusCode", "\tdefer resp.Body.Close()\n\tif resp.StatusCode", 1)
	m.write(files[0].name, fixed)
	if out, err := m.test(); err != nil || fixed == files[0].text {
		t.Errorf("corrected: got %v:\n%s", err, out)
	}
}

// The rules of the documentation have the effects that the page shows, line by line.
func TestServicesProxy(t *testing.T) {
	page := servicesPage(t)
	block := func(words string) string {
		t.Helper()
		found := regexp.MustCompile(regexp.QuoteMeta(words) + "\n\n```\n((?s).*?)```").FindStringSubmatch(page)
		if found == nil {
			t.Fatalf("the page has no block behind %q", words)
		}
		return found[1]
	}
	rules := strings.Replace(block("`quotes.txtar`:"), "127.0.0.1:8080", "SERVER", 1)
	_, rules, _ = strings.Cut(rules, "\n") // throughProxy writes a claim of its own
	code, out, log := throughProxy(t, rules)
	if code != held || !strings.HasPrefix(out, "200, 1000 bytes, true\n200, ") || !strings.HasSuffix(out, " bytes, false\n502, 54 bytes, true\n") {
		t.Errorf("got exit code %d and\n%s", code, out)
	}
	log = strings.NewReplacer("rules.txtar", "quotes.txtar", "PROXY", "127.0.0.1:39701").Replace(log)
	if want := block("to standard error:"); log != want {
		t.Errorf("got\n%s\nwant\n%s", log, want)
	}
}

// The files of rules that the help of proxy names are rules.
func TestProxyExamples(t *testing.T) {
	files, err := filepath.Glob("../../testdata/proxy/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("got %q, %v", files, err)
	}
	for _, file := range files {
		if _, err := new(line).readRules(file); err != nil {
			t.Error(err)
		}
	}
}
