package faultnet

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// Each row that is declared is in the table, and complete: what one lacks, or has
// without a use, is printed with its name.
func TestEffects(t *testing.T) {
	names := make(map[string]bool)
	for _, v := range Verdicts() {
		for _, lack := range lacks(*v.effect) {
			t.Errorf("verdict %q: %s", v, lack)
		}
		if names[v.name] {
			t.Errorf("verdict %q: two rows", v)
		}
		names[v.name] = true
	}
	declared := 0
	for _, file := range []string{"faults.go", "packetfaults.go"} {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		declared += strings.Count(string(source), " = row(")
	}
	if declared != len(verdictTable) {
		t.Errorf("got %d rows in the table, want the %d that are declared", len(verdictTable), declared)
	}
	opens := func(*Conn) {}
	later := func(*Event, Verdict) delay { return delay{} }
	call := func(*Conn, *Event, Verdict, []byte) (int, error) { return 0, nil }
	for _, tt := range []struct {
		row  effect
		want string
	}{
		{effect{name: "a b", kinds: Dial, opened: opens}, "a name of one word; a doc"},
		{effect{name: "a", doc: "a"}, "kinds"},
		{effect{name: "a", doc: "a", kinds: Dial | Read}, "one of fail, opened and later for dial; read for read"},
		{effect{name: "a", doc: "a", kinds: Dial, opened: opens, later: later}, "one of fail, opened and later for dial"},
		{effect{name: "a", doc: "a", kinds: Data}, "one of firstOnly, change and later for data"},
		{effect{name: "a", doc: "a", kinds: Data | FIN, firstOnly: true}, "then or later for fin"},
		{effect{name: "a", doc: "a", kinds: Packet}, "one of packets, unreachable, change and later for packet"},
		{effect{name: "a", doc: "a", kinds: FIN, then: opens, packets: func(Verdict, []byte) [][]byte { return nil }}, "packet for packets and unreachable"},
		{effect{name: "a", doc: "a", kinds: Gate, opened: opens}, "a gate can only be held; dial for opened"},
		{effect{name: "a", doc: "a", kinds: Write, read: call, write: call}, "read for read"},
		{effect{name: "a", doc: "a", kinds: Write, write: call, params: "[:BYTES,COLOUR]"}, "a known parameter, got COLOUR"},
		{effect{name: "a", doc: "a", kinds: Write, write: call, defaults: parameters{d: time.Second}}, "a parameter for its default"},
		{effect{name: "a", doc: "a", kinds: Write, write: call, positive: true}, "a parameter for its default"},
	} {
		if got := strings.Join(lacks(tt.row), "; "); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

// lacks returns what a row needs to be carried out, or for what kind of event it
// has something that is never used.
func lacks(e effect) (list []string) {
	need := func(ok bool, format string, args ...any) {
		if !ok {
			list = append(list, fmt.Sprintf(format, args...))
		}
	}
	need(len(strings.Fields(e.name)) == 1, "a name of one word")
	need(e.doc != "", "a doc")
	need(e.kinds != 0, "kinds")
	if e.name == Hold.name {
		return list
	}
	count := func(have ...bool) (n int) {
		for _, h := range have {
			if h {
				n++
			}
		}
		return n
	}
	packet := e.kinds&Packet != 0
	dial, data, end := e.kinds&Dial != 0, e.kinds&Data != 0, e.kinds&(FIN|RST) != 0
	need(!dial || count(e.fail != nil, e.opened != nil, e.later != nil) == 1, "one of fail, opened and later for dial")
	need(!data || count(e.firstOnly, e.change != nil, e.later != nil) == 1, "one of firstOnly, change and later for data")
	need(!end || e.then != nil || e.later != nil, "then or later for fin")
	need(!packet || count(e.packets != nil, e.unreachable != 0, e.change != nil, e.later != nil) == 1, "one of packets, unreachable, change and later for packet")
	need(packet || e.packets == nil && e.unreachable == 0, "packet for packets and unreachable")
	need(e.kinds&Gate == 0, "a gate can only be held")
	need(dial || e.fail == nil, "dial for fail")
	need(dial || e.opened == nil, "dial for opened")
	need(data || !e.firstOnly && (e.change == nil || packet), "data for firstOnly and change")
	need(data || end || e.then == nil, "data or fin for then")
	need(dial || data || end || packet || e.later == nil, "dial or data for later")
	for i, have := range []bool{e.read != nil, e.write != nil, e.close != nil, e.accept != nil} {
		kind := Read << i
		need((e.kinds&kind != 0) == have, "%s for %s", kind, kind)
	}
	params := strings.FieldsFunc(e.params, func(r rune) bool { return strings.ContainsRune("[:,]", r) })
	for _, p := range params {
		need(slices.Contains([]string{"BYTES", "BYTE", "DURATION", "SEED", "ERRNO"}, p), "a known parameter, got %s", p)
	}
	need(len(params) > 0 || e.defaults == (parameters{}) && !e.positive, "a parameter for its default")
	return list
}
