package suites

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"slices"
	"sync"
	"testing"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/suites/internal/cases"
)

func init() { harness.HelperFile() }

// NewClient returns a Client that calls the two functions.
func NewClient(do func(ctx context.Context, say string) (heard string, err error), close func() error) Client {
	return clientOf{do, close}
}

type clientOf struct {
	do    func(context.Context, string) (string, error)
	close func() error
}

func (c clientOf) Do(ctx context.Context, say string) (string, error) { return c.do(ctx, say) }
func (c clientOf) Close() error                                       { return c.close() }

// ClientMaker makes a client on t.Net. It returns an error for a setting that
// the client does not know; a case that needs it does not apply then.
type ClientMaker func(t *harness.T, s ClientSettings) (Client, error)

// ClientSubject is a client that is put to the cases, with what it is a client
// of.
type ClientSubject struct {
	Name string
	Make ClientMaker
	// Serve runs a server on "host:port" that repeats each message. It is one
	// of the subject's kind; nil is [EchoLines].
	Serve func(t *harness.T, addr string)
	// IgnoresCancel says that Do, once it has a connection, goes on after its context has
	// ended, until the server answers or some time has passed. The cases of the group cancel
	// report that. In the other cases a cancelled operation returns at once, and Do goes on
	// in the background: its answer, and what it leaves behind, are checked all the same.
	IgnoresCancel bool
	// Randomized says that the client chooses at random, as database/sql does when several
	// operations wait. No order of events can be repeated then: the schedules are sampled at
	// random too.
	Randomized bool
	// Pools has package-level pools of the client that keep timers or channels. Such a thing
	// belongs to the bubble that made it: used in another one, it ends the process. So they
	// are emptied before each bubble, and the bubbles of subjects with Pools come one after
	// the other.
	Pools []*sync.Pool
	// Aside says which connections are not the pool's own: see [harness.T.DeclareAside]. No
	// case counts them. nil means that all are.
	Aside func(owner string, first []byte) bool
	// KnowsAges says that Make applies ClientSettings.MinIdle and MaxLifetime, or refuses them.
	// These settings are younger than many makers, which do neither: without it the cases that
	// want them are not applicable.
	KnowsAges bool
	// KnowsServers says that Make applies ClientSettings.Fallback and TLS, or refuses them, and
	// that Serve listens by [ServeConns] or [Listen] if Make applies TLS. Without it the cases
	// that want them are not applicable.
	KnowsServers bool
	// Patient is IgnoresCancel, and Lots is Randomized.
	//
	// Deprecated: use IgnoresCancel and Randomized.
	Patient, Lots bool
	Quirks        []Quirk
}

// TestClient puts every client case to the subject, as a subtest each. It
// reports as [TestTransport] does.
func TestClient(t *testing.T, s ClientSubject, quirks ...Quirk) {
	t.Helper()
	all := ClientCases()
	known, err := baseline(*quirksFlag, all)
	if err != nil {
		t.Fatal(err)
	}
	s.Quirks = slices.Concat(s.Quirks, quirks, known)
	if err := CheckQuirks(all, s.Quirks); err != nil {
		t.Fatal(err)
	}
	y := tally{planned: len(all)}
	y.test(t, s.Subject(), all)
	y.end(t, known)
}

// Subject returns the client as what a case for clients is put to.
func (s ClientSubject) Subject() Subject { return Subject{Name: s.Name, Quirks: s.Quirks, client: &s} }

// begin makes the client and its server for a case.
func (s *ClientSubject) begin(t *harness.T, c Case) *ClientEnv {
	for _, p := range s.Pools {
		*p = sync.Pool{New: p.New}
	}
	settings := c.ClientSettings
	settings.Addr = "server.test:7"
	if s.Aside != nil {
		t.DeclareAside(s.Aside)
	}
	serve := s.Serve
	if serve == nil {
		serve = EchoLines
	}
	if c.Secure {
		settings.TLS = &tls.Config{RootCAs: harness.TrustedRoots(), ServerName: "server.test"}
		secured.Store(t, cases.ServerTLS(t))
		t.Cleanup(func() { secured.Delete(t) })
	}
	serveOn := func(addr string) { serve(t, addr) }
	if c.Servers != nil { // a client may dial as soon as it is made
		c.Servers(t, serveOn)
	} else {
		serveOn(settings.Addr)
	}
	client, err := s.Make(t, settings)
	if err != nil {
		t.NotApplicable(err)
	}
	return cases.NewClientEnv(t, settings, client, (s.IgnoresCancel || s.Patient) && c.Group() != "cancel", serveOn)
}

// secured has the TLS configuration of the servers of each run of a case that wants TLS.
var secured sync.Map // of *harness.T

// Listen is [harness.Net.Listen] for a server of clients: where a case wants TLS, it speaks
// that.
func Listen(t *harness.T, addr string) (net.Listener, error) {
	l, err := t.Net.Listen("tcp", addr)
	if config, ok := secured.Load(t); ok && err == nil {
		l = tls.NewListener(l, config.(*tls.Config))
	}
	return l, err
}

// EchoLines runs a server on "host:port" that repeats each line.
func EchoLines(t *harness.T, addr string) {
	ServeConns(t, addr, func(c net.Conn) {
		r := bufio.NewReader(c)
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return // a part of a line is none
			}
			if _, err := io.WriteString(c, line); err != nil {
				return
			}
		}
	})
}

// ServeConns runs a server on "host:port", by [Listen], that calls serve for each
// connection, and closes the connection when that returns.
func ServeConns(t *harness.T, addr string, serve func(c net.Conn)) {
	l, err := Listen(t, addr)
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
				serve(c)
			}()
		}
	}()
}
