package faultnet_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/halfopen/halfopen/faultnet"
)

// driven returns a network whose events wait to be applied, a listener on it, and the
// dials that were begun: each of the contexts ends one of them.
func driven(t *testing.T, dials int) (n *faultnet.Net, errs []error, cancels []context.CancelFunc) {
	n = new(faultnet.Net)
	n.Listen("tcp", "api.test:80")
	n.Drive(func() {})
	errs = make([]error, dials)
	for i := range errs {
		ctx, cancel := context.WithCancel(context.Background())
		cancels = append(cancels, cancel)
		go func() { _, errs[i] = n.DialContext(ctx, "tcp", "api.test:80") }()
		synctest.Wait()
		n.AppendPending(nil)
	}
	t.Cleanup(func() {
		n.Drive(nil)
		n.Close()
		for _, cancel := range cancels {
			cancel()
		}
	})
	return n, errs, cancels
}

// A rule is asked once about each event: when the driver first sees it, or
// when the rule is new.
func TestAskedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, _, _ := driven(t, 2)
		asked := ""
		count := func(name string, v faultnet.Verdict) faultnet.Rule {
			return func(e *faultnet.Event) faultnet.Verdict {
				asked += name + e.DialID() + " "
				return v
			}
		}
		n.Install(count("a", faultnet.Pass))
		n.Hold("dial")
		for range 3 {
			n.AppendPending(nil)
		}
		lift := n.Install(count("b", faultnet.Refuse))
		for _, e := range n.AppendPending(nil) {
			if v := n.Verdict(e); v.String() != "refuse" {
				t.Errorf("%s: got %s, want refuse: a fault comes before a hold", e, v)
			}
		}
		lift()
		n.Shape(count("s", faultnet.Lookup(1)))
		n.Install(count("c", faultnet.Pass))
		for _, e := range n.AppendPending(nil) {
			if v := n.Verdict(e); !v.IsHold() {
				t.Errorf("%s: got %s, want hold: the fault was lifted", e, v)
			}
			n.Release(e)
		}
		if want := "ad1 ad2 bd1 bd2 cd1 cd2 sd1 sd2 "; asked != want {
			t.Errorf("got %q, want %q", asked, want)
		}
	})
}

// A shape is no verdict of the rules: it is what the normal course is like.
func TestShapeIsNormal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, _, _ := driven(t, 1)
		n.Shape(faultnet.On("dial", faultnet.Lookup(1)))
		e := n.AppendPending(nil)[0]
		if v := n.Verdict(e); !v.IsPass() {
			t.Errorf("got %s, want pass", v)
		}
		n.Release(e)
		if d := n.Delayed(); len(d) != 1 || d[0] != e {
			t.Errorf("got %v delayed, want the dial", d)
		}
	})
}

// A fault for one event is for the first that happens. One that was decided
// before and goes away does not use it up, and the fault fires when it is
// carried out, not when it is decided.
func TestArmedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, errs, cancels := driven(t, 3)
		_, fired := n.Arm("dial", faultnet.Refuse)
		verdicts := func() (s string) {
			for _, e := range n.AppendPending(nil) {
				s += fmt.Sprintf("%s %s, ", e.DialID(), n.Verdict(e))
			}
			return s
		}
		if got, want := verdicts(), "d1 refuse, d2 refuse, d3 refuse, "; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		cancels[0]()
		synctest.Wait()
		if got, want := verdicts(), "d2 refuse, d3 refuse, "; got != want || fired() {
			t.Errorf("got %q, want %q, and the fault not fired yet", got, want)
		}
		e := n.Pending()[1]
		n.Apply(e, n.Verdict(e))
		synctest.Wait()
		if got, want := verdicts(), "d2 pass, "; got != want || !fired() || !errors.Is(errs[2], syscall.ECONNREFUSED) {
			t.Errorf("got %q, %v, want %q and d3 refused", got, errs[2], want)
		}
	})
}

// A dial that waits has a descriptor, and one that was decided keeps its verdict.
func TestDescriptors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, errs, _ := driven(t, 3)
		lift := n.MaxDescriptors(2)
		for _, e := range n.AppendPending(nil) {
			n.Apply(e, n.Verdict(e))
		}
		synctest.Wait()
		if errs[0] != nil || errs[1] != nil || !errors.Is(errs[2], syscall.EMFILE) {
			t.Errorf("got %v, want EMFILE for the third alone", errs)
		}
		lift()
	})
}

// The byte at which a fault begins may be written after its event was decided.
func TestFromLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(faultnet.Net)
		c, s := pipe(t, n)
		n.Install(faultnet.On("* server->client data", faultnet.Cut(0), faultnet.From(3)))
		release := n.Hold("* server->client data")
		io.WriteString(s, "he")
		if e := n.Pending()[0]; !n.Verdict(e).IsHold() {
			t.Errorf("%s: got %s, want hold", e, n.Verdict(e))
		}
		io.WriteString(s, "llo")
		if e := n.Pending()[0]; !n.Verdict(e).IsHold() || string(e.Bytes()) != "hel" {
			t.Errorf("%s: got %s with %q, want hold with the bytes before", e, n.Verdict(e), e.Bytes())
		}
		release()
		if b, err := io.ReadAll(c); string(b) != "hel" || err != nil {
			t.Errorf("got %q, %v, want the bytes before", b, err)
		}
		n.Close()
	})
}
