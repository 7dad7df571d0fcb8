package harness

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/halfopen/halfopen/faultnet"
)

//go:generate sh -c "go run ../cmd/halfopen verbs > ../testdata/README.md"

// Manual is the manual of the script language, in Markdown. It is made from
// the verbs themselves.
func Manual() string {
	var b strings.Builder
	b.WriteString(manualHead)
	for _, v := range verbs {
		bang := ""
		if v.negatable {
			bang = "[!] "
		}
		fmt.Fprintf(&b, "- `%s%s`: %s.\n", bang, v.usage(), v.doc)
	}
	b.WriteString("\n## Arguments\n\n")
	b.WriteString(manualArguments)
	b.WriteString("\nERROR is one of these names, or a part of the error's text, in quotes:\n\n")
	for _, e := range errorNames {
		fmt.Fprintf(&b, "- `%s`: %s.\n", e.name, e.doc)
	}
	b.WriteString("\nOUTCOME, and what stands behind `as`, is one of these; none, or `pass`, is the normal course:\n\n")
	for _, v := range faultnet.Verdicts() {
		if !v.IsHold() {
			fmt.Fprintf(&b, "- `%s%s`, for %s events: %s.\n", v, v.Params(), strings.ReplaceAll(v.Kinds().String(), "|", ", "), v.Doc())
		}
	}
	b.WriteString("\nERRNO is one of: " + strings.Join(faultnet.ErrnoNames(), ", ") + ".\n")
	b.WriteString("\nANSWER is one of these wrong or unusual answers:\n\n")
	for _, a := range answers {
		fmt.Fprintf(&b, "- `%s`: %s.\n", a.Name, a.Doc)
	}
	for _, verb := range []string{"serve-tls", "serve-proxy", "serve-h2"} {
		b.WriteString("\nMODE of " + verb + " is one of these:\n\n")
		for _, m := range modesOf(verb) {
			fmt.Fprintf(&b, "- `%s`: %s.\n", m.name, m.doc)
		}
	}
	b.WriteString("\nGATE is one of: " + strings.Join(gates, ", ") + ".\n")
	b.WriteString("\nSETTING is one of these fields of http.Transport or of its HTTP2: ")
	t := reflect.TypeFor[Settings]()
	for i := range t.NumField() {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(t.Field(i).Name)
	}
	b.WriteString(".\n")
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
connection: d1, c1 for the first. N is a number, DURATION is as in Go (90s).

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
