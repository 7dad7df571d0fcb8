package harness_test

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness"
)

// places is the places of the catalogue, and how many faults each is to have:
// a row that goes missing is missed.
var places = []struct {
	name   string
	faults int
}{
	{"resolve", 9}, {"dial", 15}, {"proxy", 21}, {"TLS", 29}, {"write", 13}, {"read", 14}, {"link", 11},
	{"idle", 14}, {"half-close, close", 14}, {"accept", 9}, {"HTTP/1 server", 51}, {"HTTP/2", 33}, {"process", 7},
}

// leftOut is what the catalogue does not have, and why.
var leftOut = []struct{ place, fault, why string }{
	{"dial", "dialer panics", "net/http dials in a goroutine of its own, where a panic ends the process, so no script may say it; in Go, a rule of Install that panics does it in the dial that it is asked about"},
	{"idle", "put back twice", "a transport does that, not a network: the verdicts of the pool find it"},
	{"half-close, close", "Close blocks while the pool holds its lock", "`fault C client close as block` does it, but a goroutine that waits for a mutex is not durably blocked: the bubble freezes, and the watchdog says so"},
}

// wanted is what every place has at least, in the words of the rows: a row may
// be added, but none of these renamed away.
var wanted = map[string][]string{
	"resolve":           {"no such host", "server failure", "temporary error", "timeout", "slow", "empty answer", "cancel during lookup", "several addresses with some dead", "answer changes between lookups"},
	"dial":              {"refused", "timeout", "SYN into a black hole", "slow connect", "host unreachable", "network unreachable", "no local address left", "no descriptor left", "cancelled mid-dial", "completes after the cancel", "completes after an idle connection came free", "RST before the first byte", "accepted by the backlog and never by the program", "fail the first N then succeed", "returns a connection and ctx is done"},
	"proxy":             {"refused", "CONNECT answered 407", "CONNECT answered 403", "CONNECT answered 502", "CONNECT answered 200 with a body", "answer split", "answer oversized", "answer slow", "answer never", "closed after CONNECT", "RST inside the tunnel", "TLS inside the tunnel fails", "cancel during CONNECT", "SOCKS5 refusal", "SOCKS5 short reply"},
	"TLS":               {"failed handshake", "certificate expired", "certificate unknown", "certificate for the wrong host", "ALPN none", "ALPN h1 only", "ALPN h2 only", "ALPN flips between connections", "resumption refused", "alert after the handshake", "close without close_notify", "records split", "records coalesced", "records one byte at a time", "corrupted record", "late client certificate request", "timeout against cancel"},
	"write":             {"error on the nth", "short write", "blocks (zero window)", "deadline", "slow drain", "bandwidth", "succeeds and then the connection is reset", "EPIPE against ECONNRESET", "accepted and never delivered", "after the peer's half-close", "split at chosen bytes", "closed while blocked", "error after the body was sent"},
	"read":              {"error on the nth", "EOF at byte b", "data together with EOF", "zero bytes without error", "one byte at a time", "dribble", "stall then data", "data then stall", "deadline", "RST with unread data", "extra bytes", "corrupted byte", "lost acknowledgement"},
	"link":              {"latency fixed", "latency jittered", "latency by distribution", "latency asymmetric", "hold and release", "clog and unclog, in reverse order", "partition both ways, during dial", "partition while idle, and heal", "partition one way, mid-body", "bandwidth", "silent NAT expiry"},
	"idle":              {"server FIN", "server RST", "silent death (next write succeeds, the read hangs)", "FIN in flight as the client reuses", "unsolicited bytes", "408", "idle timeout at the instant of reuse", "server keep-alive equal to the client's idle timeout", "evicted by a limit while being reused", "TLS close_notify", "GOAWAY", "CloseIdleConnections against reuse"},
	"half-close, close": {"peer shuts its write side after the response", "peer shuts its read side", "peer shuts its write side mid-body", "peer shuts its read side mid-body", "half-open after a crash", "slow close", "Close returns an error", "Close blocks", "double close", "close during read", "close during write", "close during dial", "close with unread data", "crash without FIN and restart (RST on the next segment)"},
	"accept":            {"temporary error", "permanent error", "backlog full", "slow accept", "listener closed with connections pending", "accepted and closed at once", "N connections then refuse", "N then queue"},
	"HTTP/2":            {"GOAWAY graceful", "GOAWAY with error", "GOAWAY with last stream 0", "SETTINGS never", "SETTINGS late", "MAX_CONCURRENT_STREAMS 0", "MAX_CONCURRENT_STREAMS shrunk", "window starved", "window overflowed", "PING ignored", "CONTINUATION flood", "headers split", "DATA after END_STREAM", "bad preface", "connection error mid-stream"},
	"process":           {"server crash", "restart", "pause", "descriptor limit", "load balancer flips the backend between requests"},
}

// The table in the documentation is that of the rows, no row is missing, and
// nothing that a script can say is without a row.
func TestCatalogueTable(t *testing.T) {
	rows := catalogue()
	declared := exported(t, "faultnet", "../faultnet")
	declared = append(declared, exported(t, "harness", ".")...)
	said := ""
	have := make(map[string]bool)
	count := make(map[string]int)
	for _, r := range rows {
		name := r.place + ": " + r.fault
		if have[name] {
			t.Errorf("%s: two rows", name)
		}
		have[name] = true
		count[r.place]++
		said += r.script + "\n"
		if !slices.Contains(declared, r.goForm) {
			t.Errorf("%s: there is no %s", name, r.goForm)
		}
	}
	for _, p := range places {
		if count[p.name] != p.faults {
			t.Errorf("%s: got %d rows, want %d", p.name, count[p.name], p.faults)
		}
		for _, fault := range wanted[p.name] {
			if !have[p.name+": "+fault] {
				t.Errorf("%s: no row for %q", p.name, fault)
			}
		}
	}
	for _, v := range faultnet.Verdicts() {
		if !v.IsHold() && !strings.Contains(said, " "+v.String()) {
			t.Errorf("verdict %s: no row", v)
		}
	}
	for _, a := range harness.Answers() {
		if !strings.Contains(said, "misbehave c1 "+a.Name+"\n") {
			t.Errorf("answer %s: no row", a.Name)
		}
	}
	for _, verb := range []string{"serve-tls", "serve-proxy", "serve-h2"} {
		for _, m := range harness.Modes(verb) {
			if !strings.Contains(said, " "+m) {
				t.Errorf("mode %s of %s: no row", m, verb)
			}
		}
	}

	const file = "../faultnet/CATALOGUE.md"
	table := catalogueTable(rows)
	t.Logf("%d rows\n%s", len(rows), table)
	if *update {
		if err := os.WriteFile(file, []byte(table), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(file); err != nil || string(got) != table {
		t.Errorf("%s is not the table of the rows: run go test ./harness -run CatalogueTable -update (%v)", file, err)
	}
}

func catalogueTable(rows []row) string {
	var b strings.Builder
	b.WriteString(`# The catalogue of faults

Each fault, the line of a script that causes it, what causes it in Go, and
whether an exploration can try it at every place by itself (Bounds.Effects, by
the outcome's name). A fault of a call is not an event that waits, and one of a
peer is what the peer is: explorations run with it, but do not place it.

This page is made from the rows of harness/catalogue_test.go, each of which is a
test, "go test ./harness -run 'TestCatalogue/PLACE/FAULT'", and is compared with
them. The manual of the lines is testdata/README.md.

| place | fault | in a script | in Go | sweep |
|---|---|---|---|---|
`)
	for _, p := range places {
		for _, r := range rows {
			if r.place == p.name {
				fmt.Fprintf(&b, "| %s | %s | `%s` | `%s` | %s |\n", r.place, r.fault, r.line, r.goForm, sweep(r.line))
			}
		}
	}
	b.WriteString("\n## Left out\n\n")
	for _, l := range leftOut {
		fmt.Fprintf(&b, "- %s, %s: %s.\n", l.place, l.fault, l.why)
	}
	return b.String()
}

// sweep is the name in Bounds.Effects of the outcome that a line has.
func sweep(line string) string {
	words := strings.Fields(line)
	for i, w := range words {
		if w == "as" || w == "fail" && i == 0 {
			name := words[i+1]
			if w == "fail" {
				name = words[2]
			}
			if v, err := faultnet.ParseVerdict(name); err == nil && v.Kinds()&^faultnet.Calls != 0 && !strings.HasPrefix(line, "fault accept") {
				return "`" + v.String() + "`"
			}
		}
	}
	return ""
}

// exported is the exported declarations of a package: "faultnet.Refuse",
// "faultnet.Conn.Break".
func exported(t *testing.T, pkg, dir string) (names []string) {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), dir+"/"+f.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			for _, name := range declares(d) {
				names = append(names, pkg+"."+name)
			}
		}
	}
	return names
}

func declares(d ast.Decl) (names []string) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		name := d.Name.Name
		if d.Recv != nil {
			of := d.Recv.List[0].Type
			if star, ok := of.(*ast.StarExpr); ok {
				of = star.X
			}
			if id, ok := of.(*ast.Ident); ok {
				name = id.Name + "." + name
			}
		}
		return []string{name}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				names = append(names, s.Name.Name)
			case *ast.ValueSpec:
				for _, id := range s.Names {
					names = append(names, id.Name)
				}
			}
		}
	}
	return names
}

// patient gives every request ten minutes of virtual time.
type patient struct {
	*http.Transport
	t *harness.T
}

func (p *patient) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(req.Context(), 10*time.Minute)
	p.t.Cleanup(cancel)
	return p.Transport.RoundTrip(req.WithContext(ctx))
}

// A sweep tries every verdict about events at every place, and every run of it
// comes to an end with nothing left behind.
func TestSweepEffects(t *testing.T) {
	for _, v := range faultnet.Verdicts() {
		if v.IsHold() || v.Kinds()&^faultnet.Calls == 0 {
			continue
		}
		t.Run(v.String(), func(t *testing.T) {
			bounds := harness.Sweep
			bounds.Effects = []string{v.String()}
			tried := 0
			x, err := harness.Search("sweep", bounds, nil, func(t *harness.T) {
				t.Serve("api.test:80", nil)
				tr := t.Net.Transport()
				tr.ResponseHeaderTimeout = 200e9 // longer than a black hole
				t.Get("r1", &patient{tr, t}, "http://api.test/bytes/100")
				tried++
			})
			if err != nil {
				t.Fatal(err)
			}
			if tried < 2 || !x.Complete {
				t.Errorf("got %d runs, want one for each place:\n%s", tried, x)
			}
			for _, f := range x.Findings {
				t.Errorf("%s", f.Report)
			}
		})
	}
}
