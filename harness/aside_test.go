package harness_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness"
)

// talk opens a connection for an operation, says something on it, and keeps it open.
func talk(t *harness.T, name, owner, say string) *harness.Op {
	return t.Do(context.Background(), name, func(ctx context.Context) error {
		if owner != "" {
			ctx = faultnet.WithOwner(ctx, owner)
		}
		c, err := t.Net.DialContext(ctx, "tcp", "db.test:5432")
		if err != nil {
			return err
		}
		t.Cleanup(func() { c.Close() })
		_, err = io.WriteString(c, say)
		return err
	})
}

// beside runs the body with a limit of one connection, and a server that listens.
func beside(t *testing.T, body func(t *harness.T)) string {
	return first(harness.TestReport(t.Name(), func(t *harness.T) {
		t.DeclareAside(func(owner string, first []byte) bool {
			return owner == "monitor" || strings.HasPrefix(string(first), "CANCEL")
		})
		t.LimitConns(1)
		l, err := t.Net.Listen("tcp", "db.test:5432")
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				go func() {
					defer c.Close()
					io.Copy(io.Discard, c)
				}()
			}
		}()
		body(t)
	}))
}

// No limit counts a connection that is aside: by its owner from the dial on, by its first bytes
// when it is known. One that belonged to the pool is counted all the same, at the moment when there
// were too many.
func TestDeclareAside(t *testing.T) {
	const exceeded = "db.test:5432: more connections and dials than the limit, which is 1"
	for _, row := range []struct {
		what, want string
		body       func(t *harness.T)
	}{
		{"one", "held", func(t *harness.T) { talk(t, "r1", "", "select").WantDone() }},
		{"two", exceeded, func(t *harness.T) {
			talk(t, "r1", "", "select").WantDone()
			talk(t, "r2", "", "select").WantDone()
		}},
		{"a monitor beside", "held", func(t *harness.T) {
			talk(t, "r1", "", "select").WantDone()
			talk(t, "r2", "monitor", "").WantDone()
		}},
		{"a cancellation beside", "held", func(t *harness.T) {
			talk(t, "r1", "", "select").WantDone()
			talk(t, "r2", "", "CANCEL 7").WantDone()
		}},
		{"both, and one too many", exceeded, func(t *harness.T) {
			talk(t, "r1", "", "CANCEL 7").WantDone()
			talk(t, "r2", "monitor", "").WantDone()
			talk(t, "r3", "", "select").WantDone()
			talk(t, "r4", "", "select").WantDone()
		}},
		{"dials of which nothing is known", "held", func(t *harness.T) {
			t.Net.Hold("dial")
			ops := []*harness.Op{talk(t, "r1", "", "select"), talk(t, "r2", "", "CANCEL 7")}
			t.Net.Release("dial")
			for _, o := range ops {
				o.WantDone()
			}
		}},
		{"dials that were the pool's, as it turns out", exceeded, func(t *harness.T) {
			t.Net.Hold("dial")
			talk(t, "r1", "", "select")
			talk(t, "r2", "", "select")
			t.Net.Release("dial")
		}},
		{"one is closed before the other says anything", exceeded, func(t *harness.T) {
			t.Net.Hold("dial")
			r1 := talk(t, "r1", "", "select")
			talk(t, "r2", "", "select")
			d1 := t.Net.WantDial()
			d1.Open()
			r1.WantDone()
			t.Conn("c1").Client().Close()
			t.Net.Release("dial")
		}},
	} {
		if got := beside(t, row.body); !strings.HasPrefix(got, row.want) {
			t.Errorf("%s: got %s, want %s", row.what, got, row.want)
		}
	}
}

// Asides returns what is known to be aside, in the order of opening.
func TestAsides(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		t.DeclareAside(func(owner string, first []byte) bool { return owner == "monitor" || string(first) == "CANCEL" })
		if _, err := t.Net.Listen("tcp", "db.test:5432"); err != nil {
			t.Fatal(err)
		}
		for i, say := range []string{"CANCEL", "select", ""} {
			owner := map[bool]string{true: "monitor"}[say == ""]
			talk(t, fmt.Sprintf("r%d", i+1), owner, say).WantDone()
		}
		if got := fmt.Sprint(t.Asides()); got != "[c1 c3]" {
			t.Errorf("got %s, want [c1 c3]", got)
		}
	})
}
