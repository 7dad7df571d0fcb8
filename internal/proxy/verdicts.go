package proxy

import (
	"fmt"
	"path"
	"strings"

	"github.com/halfopen/halfopen/faultnet"
)

// atProxy is the kinds of events that a proxy sees: the dials that it makes, and what arrives
// on the connections that it makes. Calls are made in programs that run elsewhere.
const atProxy = faultnet.Dial | faultnet.Data | faultnet.FIN | faultnet.RST

// notHere has verdicts that a proxy cannot give, and what to use in their place, or why it cannot.
var notHere = map[string]string{
	"hold":     "no line lets go what is held; use stall for data, and black-hole for a dial",
	"deaf":     "the context of the dial is in another program; use delay",
	"ignored":  "whether a program accepts is up to a real server; use fault C server->client data as stall",
	"ack-lost": "the proxy's kernel acknowledges what it gets; use stall, or lose",

	"error":  "it fails a call of the program, which runs elsewhere; use reset",
	"expire": "a deadline is set in the program, which runs elsewhere; use stall",
	"block":  "it blocks a call of the program, which runs elsewhere; use stall",
	"short":  "it fails a Write of the program, which runs elsewhere; use fault C client->server data as reset:BYTES",
	"chunk":  "it is about calls of the program, which runs elsewhere; use dribble:BYTES, or split:BYTES",
}

// refused reports whether a proxy cannot give a verdict, and why: it is in notHere, or it fits no
// event that a proxy sees.
func refused(v faultnet.Verdict) (why string, ok bool) {
	if why, ok := notHere[verdictName(v)]; ok {
		return why, true
	}
	switch kinds := v.Kinds(); {
	case kinds&atProxy != 0:
		return "", false
	case kinds&faultnet.Calls != 0:
		return "it is about calls of the program, which runs elsewhere", true
	default:
		return "it is about datagrams, and a proxy carries connections", true
	}
}

// shapes has the verdicts that say what a link is like.
var shapes = []string{"delay", "jitter", "tail", "rate", "dribble", "lookup", "split"}

// elsewhere reports whether no event of a proxy can have a pattern's words, and why.
func elsewhere(words []string) (why string, ok bool) {
	switch {
	case words[0] == "packet":
		return "a proxy carries connections, and no datagrams: use data, as in c1 client->server data", true
	case words[0] == "accept":
		return "the connections are accepted by a real server: use dial", true
	case len(words) > 2 && kindsOf(words) == 0:
		return fmt.Sprintf("%s is a call of the program, which runs elsewhere: use data, fin or rst, as in c1 client->server data", words[2]), true
	}
	return "", false
}

// eventShapes are the names that events of each kind have here; a word "" can be any.
var eventShapes = []struct {
	kind  faultnet.Kind
	words [3]string
}{
	{faultnet.Dial, [3]string{"dial", "", ""}},
	{faultnet.Data, [3]string{"", "client->server", "data"}},
	{faultnet.Data, [3]string{"", "server->client", "data"}},
	{faultnet.FIN, [3]string{"", "client", "fin"}},
	{faultnet.FIN, [3]string{"", "server", "fin"}},
	{faultnet.RST, [3]string{"", "client", "rst"}},
	{faultnet.RST, [3]string{"", "server", "rst"}},
}

// kindsOf returns the kinds of the events of a proxy that a pattern can select. The pattern
// is one of a race script.
func kindsOf(words []string) (kinds faultnet.Kind) {
	for _, shape := range eventShapes {
		fits := true
		for i, w := range words[:min(len(words), len(shape.words))] {
			ok := shape.words[i] == ""
			if !ok {
				ok, _ = path.Match(w, shape.words[i])
			}
			fits = fits && ok
		}
		if dials, _ := path.Match(words[0], "dial"); shape.kind != faultnet.Dial && dials && !strings.ContainsAny(words[0], "*?[") {
			fits = false // "dial" is the name of no connection
		}
		if fits {
			kinds |= shape.kind
		}
	}
	return kinds
}
