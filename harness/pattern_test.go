package harness_test

import (
	"strings"
	"testing"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness"
)

// A word that no event has at its place is refused where a script is read, and by the
// verbs of Go.
func TestPatternWords(t *testing.T) {
	for pattern, want := range map[string]string{
		"dail":                    `no event has "dail" there (did you mean "dial"?); it can be: dial, accept, gate, c1`,
		"c1 sever fin":            `no event has "sever" there (did you mean "server"?); it can be: client->server, server->client, client, server`,
		"c1 server->client dta":   `no event has "dta" there (did you mean "data"?); it can be: data`,
		"c1 server->client fin":   `no event has "fin" there; it can be: data`,
		"c1 client data":          `no event has "data" there; it can be: fin, rst, read, write, close`,
		"dial api.test:80":        `no event has "api.test:80" there; it can be: d1`,
		"c0":                      `no event has "c0" there`,
		"c01 client":              `no event has "c01" there`,
		"x*":                      `no event has "x*" there`,
		"accept api.test:80 x":    `no event has a word "x" behind "accept api.test:80"`,
		"dial d1 api.test:80 now": `no event has a word "now" behind "dial d1 api.test:80"`,
	} {
		for _, verb := range []string{"hold", "release", "! want held", "want held", "let"} {
			_, err := harness.ParseScript("x.txtar", []byte("# A claim.\n"+verb+" "+pattern+"\n"))
			if err == nil || !strings.Contains(err.Error(), "x.txtar:2: "+verb+" "+pattern+": ") || !strings.Contains(err.Error(), want) {
				t.Errorf("%s %s: got %v, want %q", verb, pattern, err, want)
			}
		}
		if _, err := harness.ParseScript("x.txtar", []byte("# A claim.\nfault "+pattern+" as reset\n")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("fault %s: got %v, want %q", pattern, err, want)
		}
		for name, verb := range map[string]func(*harness.T){
			"Hold":     func(t *harness.T) { t.Net.Hold(pattern) },
			"WantHeld": func(t *harness.T) { t.Net.WantNotHeld(pattern) },
			"Fault":    func(t *harness.T) { t.Net.Fault(pattern, faultnet.Reset) },
		} {
			if r := harness.TestReport("x", verb); len(r.Failures) != 1 || r.Failures[0].Kind != harness.KindUsage || !strings.Contains(r.Failures[0].Text, want) {
				t.Errorf("%s(%q): got %s, want %q", name, pattern, r, want)
			}
		}
	}
	for _, pattern := range []string{"*", "dial", "dial d2", "dial d? *", "dial * [a-c]pi.test:80", "c1[0-9] client", "c12 client->server data",
		"* server->client", "* * rst", "* client write", "accept *", "gate r1 PutIdleConn", "gate * *"} {
		if _, err := harness.ParseScript("x.txtar", []byte("# A claim.\nhold "+pattern+"\n")); err != nil {
			t.Errorf("%s: got %v", pattern, err)
		}
	}
}

// A hold that never held anything fails the test, whether it was released or not, but not
// one that held something, if only for a moment, or of which the test wanted this.
func TestIdleHold(t *testing.T) {
	for want, body := range map[string]func(*harness.T){
		`hold "c7 server fin": nothing was ever held`: func(t *harness.T) { t.Net.Hold("c7 server fin") },
		`hold "gate": nothing was ever held`: func(t *harness.T) {
			t.Net.Hold("gate")
			t.Net.Release("gate")
		},
		`hold "* client rst": nothing was ever held`: func(t *harness.T) {
			t.Net.Hold("* client rst")
			t.Rest()
		},
		"held": func(t *harness.T) {
			t.Serve("api.test:80", nil)
			t.Net.Hold("dial")
			t.Net.Hold("dial d1")
			r := t.Get("r1", t.Net.Transport(), "http://api.test/")
			r.Cancel()
			t.Net.Release("dial d1")
			t.Net.Release("dial")
			t.Net.Hold("c1 client rst")
			t.Net.WantNotHeld("c1 client rst")
			t.Net.Release("c1 client rst")
		},
	} {
		r := harness.TestReport("hold", body)
		if want == "held" {
			if r.Failed() {
				t.Errorf("got %s, want it to hold", r)
			}
			continue
		}
		if len(r.Failures) != 1 || r.Failures[0].Text != want || r.Failures[0].Kind != harness.KindFault || r.Failures[0].Where == "" {
			t.Errorf("got %s, want %q", r, want)
		}
	}
}
