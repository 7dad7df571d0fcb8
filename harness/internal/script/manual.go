package script

import (
	"fmt"
	"slices"
	"strings"

	"github.com/halfopen/halfopen/internal/nearest"
)

// Table is a list of the manual: of the values of one kind of argument.
type Table struct {
	Intro string
	Rows  []Row
	Line  []string // the values in a line, where they need no words
}

// Row is a value, and what it means; For says where it can stand, or is "".
type Row struct{ Name, For, Doc string }

// Manual returns the manual of the language, in Markdown. It is made from the verbs
// themselves, and from those tables.
func (l *Language) Manual(tables []Table) string {
	var b strings.Builder
	b.WriteString(manualHead)
	for _, s := range l.Sections {
		b.WriteString(s.text() + "\n")
	}
	b.WriteString("## Arguments\n\n" + manualArguments)
	for _, t := range tables {
		b.WriteString("\n" + t.text())
	}
	return b.String()
}

// ManualOf returns the part of the manual about a verb, a section, or an argument's word in
// capitals; of all verbs that begin with that word, if none has that name.
func (l *Language) ManualOf(topic string, tables []Table) (string, error) {
	var text strings.Builder
	var names []string
	for _, s := range l.Sections {
		title := sectionName(s.Title)
		names = append(names, title)
		if strings.EqualFold(title, topic) {
			return s.text(), nil
		}
		for _, v := range s.Verbs {
			if v.Name == topic {
				return v.text(), nil
			}
			if strings.HasPrefix(v.Name, topic+" ") {
				text.WriteString(v.text())
			}
		}
	}
	if names = append(names, "arguments"); strings.EqualFold(topic, "arguments") {
		return manualArguments, nil
	}
	for _, t := range tables {
		name := strings.ToLower(strings.Trim(strings.Fields(t.Intro)[0], ","))
		names = append(names, name)
		if strings.EqualFold(name, topic) {
			text.WriteString(t.text())
		}
	}
	if text.Len() == 0 {
		near := nearest.DidYouMean(topic, append(l.verbNames(), names...))
		return "", fmt.Errorf("the manual has neither a verb nor a section %q%s; its sections: %s", topic, near, strings.Join(slices.Compact(names), ", "))
	}
	return text.String(), nil
}

// sectionName returns the name by which a section is asked for: its title up to the first
// comma.
func sectionName(title string) string {
	name, _, _ := strings.Cut(title, ",")
	return strings.ToLower(name)
}

func (s Section) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s\n\n", s.Title)
	for _, v := range s.Verbs {
		b.WriteString(v.text())
	}
	return b.String()
}

func (v *Verb) text() string {
	bang := ""
	if v.Negatable {
		bang = "[!] "
	}
	return fmt.Sprintf("- `%s%s`: %s.\n", bang, v.usage(), v.Doc)
}

func (t Table) text() string {
	if t.Line != nil {
		return t.Intro + " " + strings.Join(t.Line, ", ") + ".\n"
	}
	var b strings.Builder
	b.WriteString(t.Intro + "\n\n")
	for _, r := range t.Rows {
		fmt.Fprintf(&b, "- `%s`", r.Name)
		if r.For != "" {
			b.WriteString(", for " + r.For)
		}
		fmt.Fprintf(&b, ": %s.\n", r.Doc)
	}
	return b.String()
}

const manualHead = `# Race scripts

This page is printed by ` + "`halfopen verbs`" + ` from the verbs themselves.

A race script is the text in front of the first file of a txtar archive, a verb
a line. It runs on a network of its own, in virtual time. Nothing happens on
that network but one event at a time, each when all before it has come to rest,
so a script does the same each time. Its six moves: start a request, hold what
is to wait, let it go, settle (every verb does), want something, and end with
nothing left behind: no dial that the script has not seen, no held event, no
request without an end, no open body, no connection but those idle in the pool,
no armed fault, no goroutine.

- ` + "`#`" + ` begins a comment, which is a section of the script. The first one is its
  claim, and required.
- ` + "`!`" + ` in front of a verb: this must not be.
- ` + "`--`" + ` behind a want: the reason, which is line one of the failure.
- Words are separated by spaces. In ` + "`\"...\"`" + ` a word has the escapes of a Go
  string, in ` + "`'...'`" + ` and back quotes none.
- ` + "`-- name --`" + ` begins a file: the bytes for ` + "`send c1 @name`" + `. The file ` + "`trace`" + ` is the
  golden trace: every verb and every event of a run with net/http. It is
  compared, and rewritten by ` + "`halfopen run -update`" + ` and by ` + "`go test`" + ` with
  ` + "`-halfopen.update`" + `.

## Verbs

`

const manualArguments = `NAME is a new name for a request, R the name of one. D is a dial and C a
connection: d1, c1 for the first. N is a number, STATUS the code of a response,
DURATION is as in Go (90s).

EVENT is words that are compared with the words of an event's name, each as a
pattern of path.Match; words that are left out match anything. The names:

    dial d2 api.test:80
    c1 client->server data
    c1 server fin
    c1 client rst
    gate r1 PutIdleConn

An OUTCOME of fault can also be for calls, which no hold can keep:

    c1 client read
    c1 server write
    c1 client close
    accept api.test:80

Behind the OUTCOME of fault stands to which of these events it is given: none,
the next alone; nth 2; first 3; after 3; always; for 5s, by the first one; from
100, which is the byte of the stream where it begins. DIRECTION is client->server
or server->client; none is both.
`
