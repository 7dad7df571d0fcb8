package cases_test

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/suites"
)

// serverCanceller asks the server to stop on a connection of its own when an operation is
// cancelled, as clients of PostgreSQL do.
type serverCanceller struct {
	suites.Client
	t    *harness.T
	addr string
}

func (c serverCanceller) Do(ctx context.Context, say string) (string, error) {
	asked := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(asked)
		conn, err := c.t.Net.DialContext(context.Background(), "tcp", c.addr)
		if err != nil {
			return
		}
		defer conn.Close()
		io.WriteString(conn, "cancel\n")
	})
	heard, err := c.Client.Do(ctx, say)
	if !stop() {
		<-asked
	}
	return heard, err
}

// The connections of a client that are not its pool's count against no limit and in no case,
// if the subject says which they are; what they hide is seen, and so is a limit that the pool itself exceeds.
func TestClientAside(t *testing.T) {
	subject := func(mistake string, aside func(string, []byte) bool) suites.Subject {
		s := handPoolSubject(mistake)
		maker := s.Make
		s.Aside, s.IgnoresCancel = aside, true
		s.Make = func(t *harness.T, settings suites.ClientSettings) (suites.Client, error) {
			c, err := maker(t, settings)
			return serverCanceller{c, t, settings.Addr}, err
		}
		return s.Subject()
	}
	says := func(owner string, first []byte) bool { return strings.HasPrefix(string(first), "cancel") }
	for _, c := range suites.ClientCases() {
		switch c.Group() {
		case "cancel", "close": // these ask when Do returns, and Close waits for nothing
			continue
		}
		if r := subject("", says).Run(c); r.State != suites.Held {
			t.Errorf("%s: got %s\n%s", c.Name, r.State, r.Report)
		}
		if c.Name != "limit-never-exceeded" {
			continue
		}
		if r := subject("", nil).Run(c); r.State != suites.Failed || !strings.Contains(r.Report, "more connections and dials than the limit, which is 2") {
			t.Errorf("%s, and nothing is said to be aside: got %s\n%s", c.Name, r.State, r.Report)
		}
		if r := subject("one too many", says).Run(c); r.State != suites.Failed || !strings.Contains(r.Report, "more connections and dials than the limit, which is 2") {
			t.Errorf("%s, and the pool opens one too many: got %s\n%s", c.Name, r.State, r.Report)
		}
	}
}

// A pool that opens connections before anyone asks, and one whose Close takes its time, are right.
func TestClientLookalikes(t *testing.T) {
	for name, change := range map[string]func(*suites.ClientSettings, suites.Client) suites.Client{
		"ahead": func(s *suites.ClientSettings, c suites.Client) suites.Client { s.MinIdle = max(s.MinIdle, 1); return c },
		"slow to close": func(_ *suites.ClientSettings, c suites.Client) suites.Client {
			if c == nil {
				return nil
			}
			return suites.NewClient(c.Do, func() error {
				defer time.Sleep(300 * time.Millisecond) // virtual
				return c.Close()
			})
		},
	} {
		s := handPoolSubject("")
		maker := s.Make
		s.Make = func(t *harness.T, settings suites.ClientSettings) (suites.Client, error) {
			change(&settings, nil)
			c, err := maker(t, settings)
			return change(&settings, c), err
		}
		for _, c := range suites.ClientCases() {
			if r := s.Subject().Run(c); r.State != suites.Held && r.State != suites.NotApplicable {
				t.Errorf("%s: %s: got %s\n%s", name, c.Name, r.State, r.Report)
			}
		}
	}
}
