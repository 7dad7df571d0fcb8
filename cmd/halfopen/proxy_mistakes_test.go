package main

import (
	"net"
	"os"
	"strings"
	"testing"
)

// proxyMistakes are command lines of proxy that are wrong, with the rules that the file "rules"
// has below its claim, and what is said about them. BUSY is an address that is in use.
var proxyMistakes = []struct {
	args  []string
	rules string
	code  exit
	want  string
}{
	{[]string{}, "", mistake, "halfopen proxy: want a file of rules, or -admin\nusage: halfopen proxy [flags] RULES [-- COMMAND...]"},
	{[]string{"rules", "rules"}, "", mistake, "want one file of rules; a command stands behind --"},
	{[]string{"rules", "--"}, "", mistake, "want a command behind --"},
	{[]string{"none"}, "", mistake, "halfopen proxy: stat none: no such file"},
	{[]string{"."}, "", mistake, "not a regular file"},
	{[]string{"-lisen", "x", "rules"}, "", mistake, `-lisen (did you mean "listen"?)`},
	{[]string{"-seed", "-1", "rules"}, "", mistake, `flag -seed: got "-1", want a whole number, 0 or more`},
	{[]string{"-listen", "BUSY", "rules"}, "", mistake, "halfopen proxy: -listen: listen tcp BUSY: bind: "},
	{[]string{"-admin", "BUSY"}, "", mistake, "-admin: listen tcp BUSY: bind: "},
	{[]string{"-map", "BUSY=127.0.0.1:1", "rules"}, "", mistake, "-map BUSY=127.0.0.1:1: listen tcp BUSY: bind: "},
	{[]string{"-listen", "0.0.0.0:0", "rules"}, "", mistake, "-listen: listen 0.0.0.0:0: not an address of loopback"},
	{[]string{"-listen", ":0", "rules"}, "", mistake, "not an address of loopback"},
	{[]string{"-listen", "8080", "rules"}, "", mistake, "address 8080: missing port in address"},
	{[]string{"-admin", "192.0.2.1:1"}, "", mistake, "not an address of loopback"},
	{[]string{"-map", "127.0.0.1:0", "rules"}, "", mistake, "-map 127.0.0.1:0: want [NAME=]LISTEN=UPSTREAM"},
	{[]string{"-map", "a=b=c=d", "rules"}, "", mistake, "want [NAME=]LISTEN=UPSTREAM"},
	{[]string{"-map", "127.0.0.1:0=server", "rules"}, "", mistake, `upstream "server": want host:port`},
	{[]string{"-map", "a=127.0.0.1:0=b:1", "-map", "a=127.0.0.1:0=b:2", "rules"}, "", mistake, "-map a=127.0.0.1:0=b:2: proxy already exists"},
	{[]string{"-config", "none", "rules"}, "", mistake, "-config: open none: no such file"},
	{[]string{"-config", "rules", "rules"}, "", mistake, "-config: rules:1: want toxiproxy's list of proxies in JSON: this is not JSON"},
	{[]string{"rules", "--", "no-such-program"}, "", mistake, `exec: "no-such-program": executable file not found`},
	{[]string{"rules", "--", "go", "version"}, "fault dial as refuse", failed, "rules:2: fault dial as refuse: never fired"},
	{[]string{"rules", "--", "go", "no-such-command"}, "", mistake, "unknown command"},

	{[]string{"rules"}, "fualt dial as refuse", mistake, `rules:2: fualt dial as refuse: unknown verb "fualt" (did you mean "fault"?)`},
	{[]string{"rules"}, "fault dial as refsue", mistake, `unknown outcome "refsue" (did you mean "refuse"?)`},
	{[]string{"rules"}, "fault c2 server->client data as reset-after:100", mistake, `unknown outcome "reset-after:100"`},
	{[]string{"rules"}, "fault c0 server->client data as reset", mistake, `no event has "c0" there`},
	{[]string{"rules"}, "fault c2 sever->client data as reset", mistake, `(did you mean "server->client"?)`},
	{[]string{"rules"}, "fault dial", mistake, "rules:2: fault dial: "},
	{[]string{"rules"}, "fault dial as delay:soon", mistake, `bad DURATION "soon"`},
	{[]string{"rules"}, "fault dial as refuse nth", mistake, `"nth" wants a number behind it`},
	{[]string{"rules"}, "fault dial as cut:4", mistake, "rules:2: fault dial as cut:4: cut is for data events, and \"dial\" for dial events"},
	{[]string{"rules"}, "fault c1 server fin as corrupt", mistake, `corrupt is for data, packet events, and "c1 server fin" for fin events`},
	{[]string{"rules"}, "fault c2 client read as error:ETIMEDOUT", mistake, "read is a call of the program, which runs elsewhere: use data, fin or rst"},
	{[]string{"rules"}, "fault c2 as error:EPIPE", mistake, "a proxy cannot do error: it fails a call of the program, which runs elsewhere; use reset"},
	{[]string{"rules"}, "fault * as chunk:1", mistake, "use dribble:BYTES, or split:BYTES"},
	{[]string{"rules"}, "fault accept as reset-at-once", mistake, "the connections are accepted by a real server: use dial"},
	{[]string{"rules"}, "fault packet u1 as drop", mistake, "a proxy carries connections, and no datagrams"},
	{[]string{"rules"}, "fault * as duplicate", mistake, "a proxy cannot do duplicate: it is about datagrams"},
	{[]string{"rules"}, "fault gate as delay:1s", mistake, `and "gate" for gate events`},
	{[]string{"rules"}, "fault dial as ignored", mistake, "a proxy cannot do ignored: whether a program accepts"},
	{[]string{"rules"}, "fault dial as deaf", mistake, "use delay"},
	{[]string{"rules"}, "fault c1 server->client data as ack-lost", mistake, "the proxy's kernel acknowledges what it gets; use stall"},
	{[]string{"rules"}, "hold dial", mistake, "a proxy has no verb hold: no line lets go what is held"},
	{[]string{"rules"}, "serve api.test:80", mistake, "a proxy has no verb serve: the servers are real"},
	{[]string{"rules"}, "want conns 0", mistake, "a proxy has no verb want; there are: fault, shape, resolve, route"},
	{[]string{"rules"}, "shape c1 server->client data as reset", mistake, "a shape is what a link is like: delay, jitter, tail, rate, dribble, lookup, split; for reset use fault, with always"},
	{[]string{"rules"}, "fault 'c1' server fin as reset", mistake, "'c1': a rule needs no quotes"},
	{[]string{"rules"}, "route api.test:80", mistake, "want the address that is dialed, and the one that is reached"},
	{[]string{"noclaim"}, "", mistake, "noclaim:1: a script begins with its claim"},
}

// Each mistake has its exit code and its message, with the line and what to use.
func TestProxyMistakes(t *testing.T) {
	t.Chdir(t.TempDir())
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	at := strings.NewReplacer("BUSY", busy.Addr().String())
	if err := os.WriteFile("noclaim", []byte("fault dial as refuse\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, tt := range proxyMistakes {
		if err := os.WriteFile("rules", []byte("# Rules.\n"+tt.rules+"\n"), 0o666); err != nil {
			t.Fatal(err)
		}
		args := []string{"proxy"}
		for _, a := range tt.args {
			args = append(args, at.Replace(a))
		}
		code, out, errs := halfopen(args...)
		if want := at.Replace(tt.want); code != tt.code || !strings.Contains(out+errs, want) {
			t.Errorf("halfopen %q with %q: got exit code %d and\n%s%s\nwant %d and %q", args, tt.rules, code, out, errs, tt.code, want)
		}
	}
}
