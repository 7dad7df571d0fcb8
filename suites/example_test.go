package suites_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"testing"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/suites"
)

// A program checks a transport as a test would, and writes the reports. This one speaks HTTP/2 too when
// a case asks it to; it knows no certificate of the tests, so it is put to no case over https.
func ExampleCheck() {
	maker := func(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
		if s.Proxy != "" {
			return nil, fmt.Errorf("it knows no proxy")
		}
		tr := t.Net.Transport()
		return tr, s.Apply(tr)
	}
	some := slices.DeleteFunc(suites.Cases(), func(c suites.Case) bool {
		return c.Name != "idle-wins" && c.Name != "limit-all-served"
	})
	report := suites.Check(some, suites.SubjectsOf("mine", maker))
	report.Elapsed = 0 // all else is the same each time
	report.WriteText(os.Stdout, false)
	fmt.Println("failed:", report.Failed())
	// Output:
	//                   mine      mine
	// case              http1     h2c       claim
	// limit-all-served  held 150  held 150  At a limit of 1 all requests are served by one connection.
	// idle-wins         held      n/a       A connection that becomes idle serves a request whose own dial still runs.
	//
	// held              2         1
	// quirk             0         0
	// undecided         0         0
	// n/a               0         1
	// FAILED            0         0
	// schedules         151       150
	//
	// 2 cases x 2 subjects, 301 schedules in 0s
	// failed: false
}

// A test of a transport: every case, over each protocol that it speaks. What is known to fail is
// a quirk, and fails when it holds.
func ExampleTestTransport() {
	test := func(t *testing.T) { // TestMine in a file of tests
		suites.TestTransport(t, func(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
			tr := t.Net.Transport() // or yours, with its dialer: t.Net.DialContext
			return tr, s.Apply(tr)
		}, suites.NetHTTPQuirks...)
	}
	_ = test
}

// A pool of connections in a program: its maker gets the dialer and the settings that a case wants, and
// refuses those that it does not know. This pool has no limit, and keeps what comes back after Close.
func ExamplePoolSubject() {
	subject := suites.PoolSubject("mine", func(dial func(context.Context) (net.Conn, error), s suites.ClientSettings) (suites.ConnPool, error) {
		if s != (suites.ClientSettings{Addr: s.Addr}) {
			return nil, errors.New("it has no settings")
		}
		idle := make(chan net.Conn, 10)
		get := func(ctx context.Context) (l suites.Lease, err error) {
			select {
			case l.Conn = <-idle:
			default:
				l.Conn, err = dial(ctx)
			}
			l.Put, l.Discard = func() { idle <- l.Conn }, func() { l.Conn.Close() }
			return l, err
		}
		return suites.NewPool(get, func() error {
			for len(idle) > 0 {
				(<-idle).Close()
			}
			return nil
		}), nil
	}).Subject()
	for _, c := range suites.ClientCases() {
		if c.Name == "reuse-sequential" || c.Name == "limit-idle" || c.Name == "leak-dial-at-close" {
			r := subject.Run(c)
			fmt.Println(c.Name+":", cmp.Or(r.Reason, string(r.State)))
		}
	}
	// Output:
	// reuse-sequential: held
	// limit-idle: it has no settings
	// leak-dial-at-close: FAILED
}
