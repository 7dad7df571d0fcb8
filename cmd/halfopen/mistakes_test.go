package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// mistakes are command lines that are wrong, and what is said of them.
var mistakes = []struct {
	args []string
	code exit
	want string
}{
	{nil, mistake, "usage: halfopen COMMAND"},
	{[]string{""}, mistake, `halfopen: unknown command ""`},
	{[]string{"frobnicate"}, mistake, `halfopen: unknown command "frobnicate"; halfopen help lists them`},
	{[]string{"chekc"}, mistake, `halfopen: unknown command "chekc" (did you mean "check"?)`},
	{[]string{"exlpore", "x"}, mistake, `(did you mean "explore"?)`},
	{[]string{"-x"}, mistake, "halfopen: flag provided but not defined: -x"},
	{[]string{"-verison"}, mistake, `(did you mean "version"?)`},
	{[]string{"help", "chekc"}, mistake, `halfopen help: "chekc" is no command (did you mean "check"?)`},
	{[]string{"help", "want", "bdy"}, mistake, `neither a verb nor a section "want bdy" (did you mean "want body"?)`},
	{[]string{"help", "xyzzy"}, mistake, "its sections: before, start,"},
	{[]string{"run"}, mistake, "halfopen run: want one script or more\nusage: halfopen run [flags] FILE..."},
	{[]string{"run", "-x", "good.txtar"}, mistake, "halfopen run: flag provided but not defined: -x"},
	{[]string{"run", "-updaet", "good.txtar"}, mistake, `-updaet (did you mean "update"?)`},
	{[]string{"run", "-color", "allways", "good.txtar"}, mistake, `flag -color: got "allways", want auto, always, never (did you mean "always"?)`},
	{[]string{"run", "-html"}, mistake, "flag needs an argument: -html"},
	{[]string{"run", "-v=maybe", "good.txtar"}, mistake, `invalid value "maybe" for flag -v`},
	{[]string{"run", "typo.txtar"}, mistake, "typo.txtar:3: gte r1 http://api.test/: unknown verb \"gte\" (did you mean \"get\"?)\n"},
	{[]string{"run", "noclaim.txtar"}, mistake, "noclaim.txtar:1: a script begins with its claim"},
	{[]string{"run", "none.txtar"}, mistake, "halfopen run: stat none.txtar: no such file"},
	{[]string{"run", "folder"}, mistake, "not a regular file"},
	{[]string{"run", "/dev/null"}, mistake, "not a regular file"},
	{[]string{"run", "wrong.txtar"}, failed, "got 0 connections open on the client's side [], want 1  (wrong.txtar:2)"},
	{[]string{"run", "typo.txtar", "wrong.txtar"}, mistake, "got 0 connections open"},
	{[]string{"run", "-update", "-"}, mistake, "-update has no file to rewrite"},
	{[]string{"run", "good.txtar"}, failed, "trace line 1"},
	{[]string{"run", "-update", "wrong.txtar"}, failed, "want 1"},
	{[]string{"check", "x"}, mistake, "takes no arguments; to run a script of your own, use halfopen run FILE"},
	{[]string{"check", "-run", "("}, mistake, "halfopen check: -run: error parsing regexp"},
	{[]string{"check", "-subject", "("}, mistake, "-subject: error parsing regexp"},
	{[]string{"check", "-run", "frobnicate"}, mistake, "no case matches -run and -group"},
	{[]string{"check", "-list", "-run", "frobnicate"}, mistake, "no case matches -run and -group"},
	{[]string{"check", "-subject", "curl"}, mistake, "no subject matches -subject; there are: net/http http1, net/http h2, net/http h2c, pool http1,"},
	{[]string{"check", "-group", "frobs"}, mistake, `unknown group "frobs"; there are: reuse, limit, order,`},
	{[]string{"check", "-group", "limti"}, mistake, `unknown group "limti" (did you mean "limit"?)`},
	{[]string{"check", "-json", "-", "-junit", "-"}, mistake, "cannot both be standard output"},
	{[]string{"check", "-json", "none/r.json"}, mistake, "no such file or directory"},
	{[]string{"check", "-junit", "folder"}, mistake, "is a directory"},
	{[]string{"explore"}, mistake, "halfopen explore: want one script\nusage: halfopen explore [flags] FILE"},
	{[]string{"explore", "good.txtar", "wrong.txtar"}, mistake, "want one script"},
	{[]string{"explore", "-strategy", "best", "good.txtar"}, mistake, `unknown strategy "best"`},
	{[]string{"explore", "-strategy", "exhastive", "good.txtar"}, mistake, `(did you mean "exhaustive"?)`},
	{[]string{"explore", "-budget", "many", "good.txtar"}, mistake, `invalid value "many" for flag -budget`},
	{[]string{"explore", "-seed", "-1", "good.txtar"}, mistake, `invalid value "-1" for flag -seed`},
	{[]string{"explore", "-time", "5", "good.txtar"}, mistake, `invalid value "5" for flag -time`},
	{[]string{"explore", "-delay", "1", "good.txtar"}, mistake, `-delay (did you mean "delays"?)`},
	{[]string{"explore", "by-hand.txtar"}, mistake, "by-hand.txtar:4: open d1: an exploration decides what happens next"},
	{[]string{"explore", "-delays", "-2", "good.txtar"}, mistake, "bound Delays: got -2"},
	{[]string{"explore", "-faults", "-5", "good.txtar"}, mistake, "bound Faults: got -5"},
	{[]string{"explore", "-budget", "-2", "good.txtar"}, mistake, "bound Schedules: got -2"},
	{[]string{"explore", "-time", "-1s", "good.txtar"}, mistake, "bound Time: got -1s"},
	{[]string{"explore", "-effects", "refuse,short:1", "good.txtar"}, mistake, `effect "short:1": an exploration cannot give it`},
	{[]string{"explore", "-effects", "refsue", "good.txtar"}, mistake, "refsue"},
	{[]string{"replay"}, mistake, "want a schedule, and its script if the script was moved"},
	{[]string{"replay", "a", "b", "c"}, mistake, "want a schedule"},
	{[]string{"replay", "none.replay"}, mistake, "halfopen replay: stat none.replay: no such file"},
	{[]string{"replay", "good.txtar"}, mistake, `want "halfopen replay 2"`},
	{[]string{"replay", "-v", "x"}, mistake, "flag provided but not defined: -v"},
	{[]string{"merge"}, mistake, "halfopen merge: "},
	{[]string{"merge", "text.txt"}, mistake, "text.txt: invalid character"},
	{[]string{"merge", "none.json"}, mistake, "no such file"},
	{[]string{"export"}, mistake, "want one page that -html or -halfopen.report has written"},
	{[]string{"export", "-to", "png", "page.html"}, mistake, `unknown format "png"; there are: pcapng`},
	{[]string{"export", "-to", "svg", "text.txt"}, mistake, "halfopen export: text.txt: "},
	{[]string{"export", "-o", "x.svg", "none.html"}, mistake, "no such file"},
	{[]string{"import"}, mistake, "halfopen import: want one trace or capture\nusage: halfopen import [flags] FILE"},
	{[]string{"import", "none.trace"}, mistake, "halfopen import: open none.trace: no such file"},
	{[]string{"import", "folder"}, mistake, "halfopen import: folder: not a regular file"},
	{[]string{"import", "text.txt"}, mistake, `halfopen import: text.txt:1: neither a trace of faultnet.Recorder nor a capture (pcap, pcapng): it begins with "no report"`},
	{[]string{"import", "empty"}, mistake, `halfopen import: empty:1: an empty file; want "halfopen trace 1"`},
	{[]string{"import", "wrong.trace"}, mistake, `halfopen import: wrong.trace:3: unknown event "opne" (did you mean "open"?)`},
	{[]string{"import", "wrong.pcap"}, mistake, `halfopen import: wrong.pcap: offset 24: `},
	{[]string{"import", "quiet.trace"}, mistake, `halfopen import: quiet.trace: no request: of 0 connections none carried one`},
	{[]string{"import", "-requests", "0", "good.trace"}, mistake, "halfopen import: -requests: got 0, want 1 or more"},
	{[]string{"import", "-leak-after", "-1s", "good.trace"}, mistake, "halfopen import: -leak-after: got -1s, want 0s or more"},
	{[]string{"import", "-transport", "MaxConnPerHost=2", "good.trace"}, mistake, `(did you mean "MaxConnsPerHost"?)`},
	{[]string{"import", "-address", "x:2", "good.trace"}, mistake, "halfopen import: good.trace: no request to x:2; there are connections to: x:1"},
	{[]string{"import", "-o", "none/x.txtar", "good.trace"}, mistake, "no such file or directory"},
	{[]string{"diagnose"}, mistake, "halfopen diagnose: want one goroutine profile\nusage: halfopen diagnose FILE"},
	{[]string{"diagnose", "none.txt"}, mistake, "halfopen diagnose: open none.txt: no such file"},
	{[]string{"diagnose", "text.txt"}, mistake, `halfopen diagnose: text.txt:1: no line "goroutine 1 [running]:" in it; want a goroutine profile`},
	{[]string{"diagnose", "wrong.goroutines"}, mistake, `halfopen diagnose: wrong.goroutines:3: want the file of "main.main()", got "main.f()"`},
	{[]string{"verbs", "strat"}, mistake, `(did you mean "start"?)`},
	{[]string{"verbs", "let", "go"}, mistake, "want one section, in quotes if it has several words"},
	{[]string{"fmt"}, mistake, "halfopen fmt: want one script or more"},
	{[]string{"fmt", "typo.txtar"}, mistake, "typo.txtar:3: gte r1"},
	{[]string{"fmt", "none.txtar"}, mistake, "no such file"},
	{[]string{"fmt", "-l", "spaces.txtar", "good.txtar"}, failed, "spaces.txtar\n"},
	{[]string{"new", "a", "b"}, mistake, "want one folder at most"},
	{[]string{"new", "none"}, mistake, "halfopen new: stat "},
	{[]string{"new", "good.txtar"}, mistake, "is not a folder"},
	{[]string{"new", "folder"}, mistake, "go.mod"},
	{[]string{"overlay", "x"}, mistake, "halfopen overlay: takes no arguments"},
	{[]string{"version", "x"}, mistake, "takes no arguments"},
	{[]string{"completion", "tcsh"}, mistake, "tcsh"},
}

// Each mistake of a user has its exit code and its message, with the nearest name where there
// is one.
func TestMistakes(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for name, text := range map[string]string{
		"typo.txtar":    "# A typo.\nserve api.test:80\ngte r1 http://api.test/\n",
		"wrong.txtar":   "# It does not hold.\nwant conns 1\n",
		"by-hand.txtar": "# One order.\nserve api.test:80\nget r1 http://api.test/\nopen d1\nrest\n",
		"good.txtar":    "# It holds.\nwant conns 0\n\n-- trace --\n",
		"spaces.txtar":  "#It holds.\n\n  want   conns 0\n",
		"noclaim.txtar": "want conns 0\n",
		"go.mod":        "module\n",
		"text.txt":      "no report\n",
		"empty":         "",
		"wrong.trace":   "halfopen trace 1\n0.0 d1 dial tcp x:1\n0.1 d1 opne c1 a b\n",
		"quiet.trace":   "halfopen trace 1\n0.0 end\n",
		"good.trace":    "halfopen trace 1\n0.0 d1 dial tcp x:1\n0.1 d1 open c1 a b\n0.2 c1 write 5\n0.3 c1 read 5\n0.4 c1 close\n0.5 end\n",
		"wrong.pcap":    "\xd4\xc3\xb2\xa1" + strings.Repeat("\x09", 20),

		"wrong.goroutines": "goroutine 1 [running]:\nmain.main()\nmain.f()\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir("folder", 0o777); err != nil {
		t.Fatal(err)
	}
	for _, tt := range mistakes {
		code, out, errs := halfopen(tt.args...)
		if code != tt.code || !strings.Contains(out+errs, tt.want) {
			t.Errorf("halfopen %q: got exit code %d and\n%s%s\nwant %d and %q", tt.args, code, out, errs, tt.code, tt.want)
		}
		if code == mistake && len(tt.args) > 0 && strings.Count(errs, "\n") > 4 {
			t.Errorf("halfopen %q: got more than a mistake:\n%s", tt.args, errs)
		}
	}
	if files, _ := filepath.Glob("x.svg"); files != nil {
		t.Errorf("got %q, written for a page that cannot be read", files)
	}
}
