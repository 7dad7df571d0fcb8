package script

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// toyLanguage has one verb of each shape.
var toyLanguage = &Language{
	Kinds: map[string]func(string) error{"TEXT": nil, "EVENT...": nil, "COLOUR": func(arg string) error {
		if arg != "red" {
			return fmt.Errorf("no colour: %s", arg)
		}
		return nil
	}},
	Sections: []Section{
		{"Start", []Verb{
			{Name: "paint", Args: "COLOUR", Doc: "choose a colour", Early: "paint comes first"},
			{Name: "get", Args: "NAME TEXT [HEADER...]", Doc: "start"}}},
		{"Rest", []Verb{
			{Name: "hold", Args: "EVENT...", Doc: "hold"},
			{Name: "send", Args: "C RAW", Doc: "send"},
			{Name: "mode", Args: "[MODE...]", Doc: "be so", Mode: func(arg string) error { return fmt.Errorf("no mode: %s", arg) }},
			{Name: "want done", Args: "R [N]", Doc: "it is done", Negatable: true}}},
	},
}

// A line is split into its verb, its arguments and its reason.
func TestParse(t *testing.T) {
	s, err := toyLanguage.Parse([]byte("# A claim.\n\npaint red\nget r1 \"a\\tb\" A:1 B:2\nhold c1 server  'fin x'\n" +
		"! want done r1 -- it \"was not\"\nsend c1 @m\n# Another section.\n-- m --\nHTTP\n\nbody\n"))
	if err != nil {
		t.Fatal(err.Err)
	}
	if s.Claim != "A claim." || len(s.Commands) != 7 {
		t.Fatalf("got %+v", s)
	}
	for i, want := range []Command{
		{Line: 1, Text: "A claim."},
		{Line: 3, Verb: "paint", Args: []string{"red"}},
		{Line: 4, Verb: "get", Args: []string{"r1", "a\tb", "A:1", "B:2"}},
		{Line: 5, Verb: "hold", Args: []string{"c1 server fin x"}},
		{Line: 6, Verb: "want done", Negate: true, Args: []string{"r1"}, Why: []string{"it was not"}},
		{Line: 7, Verb: "send", Args: []string{"c1", "@m"}},
		{Line: 8, Text: "Another section."},
	} {
		got := s.Commands[i]
		if got.Line != want.Line || got.Verb != want.Verb || got.Negate != want.Negate || got.Text != want.Text ||
			!slices.Equal(got.Args, want.Args) || !slices.Equal(got.Why, want.Why) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	if raw, err := s.Raw("@m"); err != nil || raw != "HTTP\r\n\r\nbody" {
		t.Errorf("got %q, %v", raw, err)
	}
	if got := s.Line(3); got != "paint red" {
		t.Errorf("got %q", got)
	}
}

// A mistake is that of the line that has it.
func TestMistakes(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"point red", `unknown verb "point" (did you mean "paint"?)`},
		{"xyzzy", `unknown verb "xyzzy"; halfopen verbs prints all verbs`},
		{"want xyzzy", `unknown word "xyzzy" behind want: there are done`},
		{"paint blue", "no colour: blue"},
		{"paint", "usage: paint COLOUR"},
		{"paint red red", "usage: paint COLOUR"},
		{"get r2 x\npaint red", "paint comes first"},
		{"mode ok", "no mode: ok"},
		{"hold", "usage: hold EVENT..."},
		{"want done r9", `unknown request r9`},
		{"get r2 x\nwant done r2 many", `bad number "many": want 0, 1, 2 and so on`},
		{"! paint red", "! cannot stand in front of paint"},
		{"paint red -- why", "only a want has a reason behind it"},
		{"send d1 x", `bad name "d1": want c1, c2 and so on`},
		{"send c1 @none", "no file -- none -- in this script"},
	} {
		_, err := toyLanguage.Parse([]byte("# A claim.\n" + c.line))
		if err == nil || err.Err.Error() != c.want || err.Line != 2+strings.Count(c.line, "\n") {
			t.Errorf("%q: got %+v, want %q", c.line, err, c.want)
		}
	}
	if _, err := toyLanguage.Parse([]byte("paint red\n")); err == nil || err.Line != 1 {
		t.Errorf("got %+v, want a claim to be missing", err)
	}
}

// A verb whose argument no function checks is a mistake of the language.
func TestUnknownKind(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("got no panic")
		}
	}()
	l := &Language{Sections: []Section{{"Start", []Verb{{Name: "go", Args: "WHERE"}}}}}
	l.Parse([]byte("# A claim.\ngo there"))
}

// The manual has the verbs by section, and the tables in their order.
func TestManual(t *testing.T) {
	m := toyLanguage.Manual([]Table{{Intro: "COLOUR is one of:", Line: []string{"red", "green"}}, {Intro: "Others:", Rows: []Row{{"x", "letters", "the last but two"}}}})
	rest := m
	for _, want := range []string{"### Start\n\n- `paint COLOUR`: choose a colour.\n", "### Rest\n\n", "- `[!] want done R [N]`: it is done.\n",
		"## Arguments\n\n", "COLOUR is one of: red, green.\n", "Others:\n\n- `x`, for letters: the last but two.\n"} {
		_, after, ok := strings.Cut(rest, want)
		if !ok {
			t.Fatalf("got:\n%s\nwant it to contain, in this order, %q", m, want)
		}
		rest = after
	}
}
