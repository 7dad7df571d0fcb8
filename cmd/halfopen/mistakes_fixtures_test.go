//go:build unix

package main

import (
	"os"
	"strings"
	"testing"
)

// fixtures are the files that the commands of testdata/mistakes name, besides those with contents of
// their own there.
var fixtures = map[string]string{
	"good.txtar":      "# It holds.\nwant conns 0\n\n-- trace --\n",
	"typo.txtar":      "# A typo.\nserve api.test:80\ngte r1 http://api.test/\n",
	"wrong.txtar":     "# It does not hold.\nwant conns 1\n",
	"two.txtar":       "# Two requests.\nserve api.test:80\nget r1 http://api.test/\nget r2 http://api.test/\nrest\n",
	"good.replay":     "halfopen replay 2\n# two.txtar\nstart r1\ndial d1 api.test:80 as refuse\nend\n",
	"by-hand.txtar":   "# One order.\nserve api.test:80\nget r1 http://api.test/\nopen d1\nrest\n",
	"spaces.txtar":    "#It holds.\n\n  want   conns 0\n",
	"noclaim.txtar":   "want conns 0\n",
	"text.txt":        "no report\n",
	"empty":           "",
	"keep.json":       "a report of yesterday\n",
	"good.trace":      "halfopen trace 1\n0.0 d1 dial tcp x:1\n0.1 d1 open c1 a b\n0.2 c1 write 5\n0.3 c1 read 5\n0.4 c1 close\n0.5 end\n",
	"rules.txtar":     "# Rules.\nfault dial as refuse\n",
	"other/go.mod":    "module example.com/other\n",
	"other/x.go":      "package 1\n",
	"bad/go.mod":      "modul example.com/bad\n",
	"nameless/go.mod": "// A module without a name.\n",
	"folder/x.txt":    "x\n",
	"wrong.pcap":      "\xd4\xc3\xb2\xa1" + strings.Repeat("\x09", 20),
	"short.pcap":      "\xd4\xc3\xb2\xa1\x02\x00",
	"wrong.pcapng":    "\x0a\x0d\x0d\x0a" + strings.Repeat("\x09", 40),
	"packed.pb.gz":    "\x1f\x8b\x08\x00",
	"binary.prof":     "goroutine\x00profile\n",
	"cut.html":        "<script id=\"data\" type=\"application/json\">{\"Title\": \"x\", \"Runs\": [{",
	"empty.html":      "<script id=\"data\" type=\"application/json\">{\"title\": \"x\"}</script>",
	"packed.html":     "<script id=\"data\" type=\"application/gzip\">H4sI!!!</script>",
}

// writeFixtures writes them into this folder, with the reports of two shards and a page.
func writeFixtures(t *testing.T) {
	t.Helper()
	for _, dir := range []string{"folder", "other", "bad", "nameless"} {
		if err := os.Mkdir(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	write := func(name, text string) {
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range fixtures {
		write(name, text)
	}
	for _, s := range []struct{ name, index, total, budget string }{
		{"shard0.json", "0", "3", "20"}, {"shard1.json", "1", "3", "20"}, {"shard2.json", "2", "3", "20"},
		{"four2.json", "2", "4", "20"}, {"ten2.json", "2", "3", "10"},
	} {
		os.Setenv("HALFOPEN_SHARD", s.index)
		os.Setenv("HALFOPEN_SHARDS", s.total)
		code, out, errs := halfopen("explore", "-json", "-budget", s.budget, "two.txtar")
		if code != held {
			t.Fatalf("got exit code %d\n%s", code, errs)
		}
		write(s.name, out)
	}
	os.Unsetenv("HALFOPEN_SHARD")
	os.Unsetenv("HALFOPEN_SHARDS")
	if code, _, errs := halfopen("run", "-html", ".", "good.txtar"); code != held && code != failed {
		t.Fatalf("got exit code %d\n%s", code, errs)
	}
	if err := os.Rename("good.html", "page.html"); err != nil {
		t.Fatal(err)
	}
}
