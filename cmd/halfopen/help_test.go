package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/urfave/cli/v3"
)

// The help of every command says how it is used, and has a page of its own. Its examples have
// only flags that there are, and as many arguments as the command takes.
func TestHelp(t *testing.T) {
	code, all, errs := halfopen("help")
	if code != held || errs != "" {
		t.Fatalf("got exit code %d, %s", code, errs)
	}
	for _, again := range [][]string{{"-h"}, {"-help"}, {"--help"}} {
		if code, out, _ := halfopen(again...); code != held || out != all {
			t.Errorf("halfopen %q: got exit code %d and\n%s", again, code, out)
		}
	}
	for _, c := range new(line).root().Commands {
		if !strings.Contains(all, "\n  "+c.Name+" ") {
			t.Errorf("the help does not list %s", c.Name)
		}
		code, one, errs := halfopen("help", c.Name)
		if _, out, _ := halfopen(c.Name, "-h"); code != held || errs != "" || out != one && c.Name != "run" {
			t.Errorf("help %s: got exit code %d and\n%s%s\nwant\n%s", c.Name, code, one, errs, out)
		}
		if !strings.HasPrefix(one, "usage: halfopen "+c.Name) || strings.Contains(one, "`") {
			t.Errorf("help %s: got\n%s", c.Name, one)
		}
		_, examples, ok := strings.Cut(c.Description, "examples:\n")
		if !ok && c.ArgsUsage != "" && c.Name != "overlay" {
			t.Errorf("%s has no example", c.Name)
		}
		for example := range strings.Lines(examples) {
			checkExample(t, strings.TrimSpace(example))
		}
	}
}

// checkExample parses the line of an example, and runs no command. It returns how many
// arguments are no flags.
func checkExample(t *testing.T, example string) (rest int) {
	t.Helper()
	shell, _, _ := strings.Cut(example, " <")
	var args []string
	for i, quoted := range strings.FieldsFunc(strings.NewReplacer("'", "\x00", `"`, "\x00").Replace(shell), func(r rune) bool { return r == 0 }) {
		if i%2 == 1 {
			args = append(args, quoted)
		} else {
			args = append(args, strings.Fields(quoted)...)
		}
	}
	var errs strings.Builder
	root := (&line{errs: &errs, out: &errs}).root()
	ran := ""
	for _, c := range root.Commands {
		c.Action = func(_ context.Context, cmd *cli.Command) error { ran, rest = cmd.Name, cmd.NArg(); return nil }
	}
	if err := root.Run(t.Context(), args); err != nil || args[0] != "halfopen" || len(args) > 1 && ran != args[1] {
		t.Errorf("%s: got %v, and %q ran\n%s", example, err, ran, &errs)
	}
	for _, arg := range args {
		if strings.HasPrefix(arg, "testdata/") {
			if _, err := os.Stat(filepath.Join("../..", arg)); err != nil {
				t.Errorf("%s: %v", example, err)
			}
		}
	}
	return rest
}

// help describes verbs, sections and words of the script language; verbs prints a section.
func TestHelpOfVerbs(t *testing.T) {
	for topic, want := range map[string]string{
		"hold":      "- `hold EVENT...`: ",
		"want body": "- `want body R TEXT`: ",
		"want":      "### Want\n\n",
		"may":       "- `may cancel OP`: ",
		"run":       "Scripts have a verb of that name too",
	} {
		code, out, errs := halfopen(append([]string{"help"}, strings.Fields(topic)...)...)
		if topic == "run" {
			want = "usage: halfopen run " // no verb has that name
		}
		if code != held || !strings.Contains(out, want) {
			t.Errorf("help %s: got exit code %d and\n%s%s", topic, code, out, errs)
		}
	}
	_, manual, _ := halfopen("verbs")
	for section, want := range map[string]string{"START": "### Start\n\n- `get NAME", "let go": "### Let go\n\n", "outcome": "OUTCOME, and", "arguments": "NAME is a new name"} {
		code, out, errs := halfopen("verbs", section)
		if code != held || !strings.HasPrefix(out, want) || !strings.Contains(manual, out) {
			t.Errorf("verbs %s: got exit code %d and\n%s%s\nwant a part of the manual that begins with %q", section, code, out, errs, want)
		}
	}
}

// version says which halfopen, which Go, and which bubbles; completion prints a script for each
// shell, and the command completes what the scripts ask for.
func TestVersionAndCompletion(t *testing.T) {
	code, out, _ := halfopen("version")
	if code != held || !strings.HasPrefix(out, "halfopen version ") || !strings.Contains(out, "ordinary bubbles") && !strings.Contains(out, "deep bubbles") {
		t.Errorf("got exit code %d and %q", code, out)
	}
	if _, flag, _ := halfopen("-version"); flag != out {
		t.Errorf("-version: got %q, want %q", flag, out)
	}
	for _, shell := range []string{"bash", "zsh", "fish", "pwsh"} {
		if code, out, errs := halfopen("completion", shell); code != held || !strings.Contains(out, "halfopen") && shell != "pwsh" || out == "" {
			t.Errorf("completion %s: got exit code %d and\n%s%s", shell, code, out, errs)
		}
	}
	for want, args := range map[string][]string{"check": {"ch"}, "strategy": {"explore", "-s"}} {
		os.Args = []string{"halfopen"} // the library looks there for the shell
		if _, out, errs := halfopen(append(args, "--generate-shell-completion")...); !strings.Contains(out, want) {
			t.Errorf("completing %q: got\n%s%s\nwant %s", args, out, errs, want)
		}
	}
}
