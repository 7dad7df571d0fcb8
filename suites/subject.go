package suites

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/pool"
)

// Subject is put to the cases: a transport over a protocol, or the client of a
// [ClientSubject].
type Subject struct {
	Name     string
	Protocol Protocol // one; 0 for a client
	Maker    harness.Maker
	Quirks   []Quirk
	// Server runs the server of the protocol. Nil means that of package harness, which has
	// one for each but H3: a subject of that brings its own.
	Server Server

	client *ClientSubject
}

// Subjects returns what this module knows: net/http's transport and the reference one,
// over each protocol.
func Subjects() []Subject {
	var all []Subject
	add := func(name string, maker harness.Maker, quirks []Quirk) {
		for _, p := range []Protocol{HTTP1, H2, H2C} {
			all = append(all, Subject{Name: name, Protocol: p, Maker: asked(maker, p), Quirks: quirks})
		}
	}
	add("net/http", harness.NetHTTP, NetHTTPQuirks)
	add("pool", Reference, ReferenceQuirks())
	return all
}

// asked returns a maker whose transports are asked to speak that protocol, on top of the settings
// of a case.
func asked(maker harness.Maker, p Protocol) harness.Maker {
	return func(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
		switch p {
		case H2:
			s.ForceAttemptHTTP2 = true
		case H2C:
			s.Protocols = "UnencryptedHTTP2"
		}
		return maker(t, s)
	}
}

// ReferenceQuirks returns what the transport of Reference does otherwise than the cases
// say. That concerns its single connections: each is an [http.ClientConn], which only
// net/http can make.
func ReferenceQuirks() []Quirk {
	return slices.DeleteFunc(slices.Clone(NetHTTPQuirks), func(q Quirk) bool {
		_, name, of := strings.Cut(q.Case, "/")
		if !of {
			name = q.Case
		}
		return !strings.HasPrefix(name, "conn-")
	})
}

// Reference makes a [pool.Transport]: it is a [harness.Maker].
func Reference(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
	tr := &pool.Transport{DialContext: t.Net.DialContext,
		TLSClientConfig: &tls.Config{RootCAs: harness.TrustedRoots(), ClientSessionCache: tls.NewLRUClientSessionCache(0)}}
	return tr, s.Apply(tr)
}

// Speaks returns the protocols that the maker's transports speak, as a server sees them: that
// of a request for an http URL, and HTTP/2 if a request for an https URL comes in it.
func Speaks(maker harness.Maker) Protocol {
	spoken, _, _, _ := plainGets(maker)
	return spoken
}

// CheckMaker returns why no case can be put to the maker's transports: it makes none, they never
// dial t.Net, or they do not answer a plain GET. Else it returns nil.
func CheckMaker(maker harness.Maker) error {
	switch spoken, dialed, panicked, err := plainGets(maker); {
	case spoken != 0:
		return nil
	case err != nil:
		return fmt.Errorf("the maker makes no transport: %w", err)
	case panicked != "":
		return fmt.Errorf("a plain GET of the maker's transport fails: %s", panicked)
	case !dialed:
		return errors.New("this transport never dialed t.Net: does it have DialContext: t.Net.DialContext?")
	}
	return errors.New("the transport did not answer a plain GET, of http://api.test/ or https://api.test/")
}

// plainGets has a transport of the maker get a page by each scheme, and returns the protocols that
// a server saw, whether the network saw a dial, a panic of the maker or its transport, and the error of
// the maker.
func plainGets(maker harness.Maker) (spoken Protocol, dialed bool, panicked string, refused error) {
	for _, scheme := range []string{"http", "https"} {
		r := harness.TestReport("speaks", func(t *harness.T) {
			rt, err := maker(t, harness.Settings{})
			if err != nil {
				refused = err
				return
			}
			if rt == nil {
				refused = errors.New("it returned neither a transport nor an error")
				return
			}
			h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch {
				case r.ProtoMajor == 2 && r.TLS != nil:
					spoken |= H2
				case r.ProtoMajor == 2:
					spoken |= H2C
				case r.TLS == nil:
					spoken |= HTTP1
				}
			})
			t.Serve("api.test:80", h)
			t.ServeTLS("api.test:443", h, nil)
			t.Get("r1", rt, scheme+"://api.test/")
			t.Rest()
		})
		dialed = dialed || r.Seen("dial")
		for _, f := range r.Failures {
			if f.Kind == harness.KindPanic && panicked == "" {
				panicked = f.String()
			}
		}
	}
	return spoken, dialed, panicked, refused
}
