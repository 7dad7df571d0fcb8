package view_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"flag"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/harness/view"
)

var update = flag.Bool("update", false, "rewrite golden files")

// golden compares got with a file, or rewrites it.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got:\n%s\nwant:\n%s", file, got, want)
	}
}

func written(t *testing.T, write func(io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A sequence diagram escapes what Mermaid would take for its own: ";" and "#".
func TestMermaid(t *testing.T) {
	got := written(t, example().WriteMermaid)
	golden(t, "testdata/example.mmd", got)
	for line := range strings.Lines(got) {
		text := line
		for _, code := range []string{"#59;", "#35;", "#lt;", "#gt;"} {
			text = strings.ReplaceAll(text, code, "")
		}
		if strings.ContainsAny(text, ";#") {
			t.Errorf("got %q, of which Mermaid would cut a part", line)
		}
	}
}

// In the events of Perfetto each state that begins ends, in time and inside of its lane.
func TestPerfetto(t *testing.T) {
	got := written(t, example().WritePerfetto)
	golden(t, "testdata/example.json", got)
	var trace struct {
		TraceEvents []struct {
			Name, Cat, Ph, ID string
			Ts                float64
		}
	}
	if err := json.Unmarshal([]byte(got), &trace); err != nil {
		t.Fatal(err)
	}
	open := make(map[string][]string)
	last := make(map[string]float64)
	instants := 0
	for _, e := range trace.TraceEvents {
		if e.Ph == "b" || e.Ph == "e" {
			if e.Ts < last[e.ID] {
				t.Errorf("%s: %s at %v is before %v", e.ID, e.Name, e.Ts, last[e.ID])
			}
			last[e.ID] = e.Ts
		}
		switch stack := open[e.ID]; e.Ph {
		case "b":
			open[e.ID] = append(stack, e.Name)
		case "e":
			if len(stack) == 0 || stack[len(stack)-1] != e.Name {
				t.Fatalf("%s: %s ends in %q", e.ID, e.Name, stack)
			}
			open[e.ID] = stack[:len(stack)-1]
		case "i":
			instants++
		case "X":
			t.Error("got a complete event: Perfetto drops those that overlap")
		}
	}
	for id, stack := range open {
		if len(stack) > 0 {
			t.Errorf("%s: %q has no end", id, stack)
		}
	}
	if run := example(); instants != len(run.Steps) || len(open) != len(run.Lanes) {
		t.Errorf("got %d steps and %d lanes, want %d and %d", instants, len(open), len(run.Steps), len(run.Lanes))
	}
}

// The SVG is XML that names each step; a long run is cut, and says so.
func TestSVG(t *testing.T) {
	got := written(t, example().WriteSVG)
	golden(t, "testdata/example.svg", got)
	wellFormed(t, got)
	for _, s := range example().Steps {
		var b strings.Builder
		xml.EscapeText(&b, []byte(s.Text))
		if text := strings.ReplaceAll(got, "&gt;", ">"); !strings.Contains(text, s.Text) && !strings.Contains(got, b.String()) {
			t.Errorf("got no step %q", s.Text)
		}
	}
	long := example()
	for len(long.Steps) < 1000 {
		long.Steps = append(long.Steps, view.Step{Kind: view.LogStep, Text: "again"})
	}
	got = written(t, long.WriteSVG)
	wellFormed(t, got)
	if !strings.Contains(got, "and 600 steps more") {
		t.Error("got a long picture that does not say that it is cut")
	}
}

func wellFormed(t *testing.T, text string) {
	t.Helper()
	for d := xml.NewDecoder(strings.NewReader(text)); ; {
		if _, err := d.Token(); err == io.EOF {
			return
		} else if err != nil {
			t.Fatalf("got no XML: %v", err)
		}
	}
}

// A run without anything in it is exported too.
func TestEmpty(t *testing.T) {
	run := &view.Run{Name: "empty", Verdict: "held"}
	for _, write := range []func(io.Writer) error{run.WriteMermaid, run.WritePerfetto, run.WriteSVG} {
		if got := written(t, write); got == "" {
			t.Error("got nothing")
		}
	}
}
