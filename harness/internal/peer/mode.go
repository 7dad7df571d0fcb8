package peer

import (
	"context"
	"fmt"
	"net"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/internal/nearest"
)

// Mode is a way in which a peer misbehaves.
type Mode struct{ Name, Doc string }

// Modes returns the modes of a verb: serve-tls, serve-proxy or serve-h2.
func Modes(verb string) []Mode {
	switch verb {
	case "serve-tls":
		return tlsModes
	case "serve-proxy":
		return proxyModes
	case "serve-h2":
		return h2Modes
	}
	return nil
}

// CheckMode returns an error if none of the modes has that name.
func CheckMode(modes []Mode, name string) error {
	var names []string
	for _, m := range modes {
		if m.Name == name {
			return nil
		}
		names = append(names, m.Name)
	}
	return fmt.Errorf("unknown mode %q%s", name, nearest.ThereAre(name, names))
}

// Witness learns of the requests that a peer sees, where the wire does not show them.
type Witness interface {
	// Saw says that the request of that name has arrived on a connection.
	Saw(name string, c *faultnet.Conn)
	// Refused says that the peer has not processed a request, and will not: it may be
	// sent again (RFC 9113 section 8.7).
	Refused(name string)
}

// Dialer dials on the peers' network.
type Dialer func(ctx context.Context, network, address string) (net.Conn, error)

// AcceptAll calls f in a goroutine of its own for each connection, and closes
// the connection behind it. The connections are numbered from 0.
func AcceptAll(l net.Listener, f func(c *faultnet.Conn, i int)) {
	for i := 0; ; i++ {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			f(c.(*faultnet.Conn), i)
		}()
	}
}
