package suites

import (
	"crypto/tls"
	"net/http"
	"strings"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/pool"
)

// Protocol is a way to speak HTTP. Protocols are bits: a set of them is their
// union.
type Protocol uint8

const (
	HTTP1 Protocol = 1 << iota // HTTP/1.1
	H2                         // HTTP/2 over TLS
	H2C                        // HTTP/2 without TLS, from its first byte
)

// Protocols is all of them.
var Protocols = []Protocol{HTTP1, H2, H2C}

var protocolNames = map[Protocol]string{HTTP1: "http1", H2: "h2", H2C: "h2c"}

// String is "http1", "h2" or "h2c", or several, joined by "|".
func (p Protocol) String() string {
	var names []string
	for _, q := range Protocols {
		if p&q != 0 {
			names = append(names, protocolNames[q])
		}
	}
	return strings.Join(names, "|")
}

func parseProtocol(name string) Protocol {
	for p, n := range protocolNames {
		if n == name {
			return p
		}
	}
	return 0
}

// Subject is a transport that is put to the cases.
type Subject struct {
	Name     string
	Protocol Protocol // one
	Maker    harness.Maker
	Quirks   []Quirk
}

// Subjects is what this module knows: net/http's transport and the reference
// one, over each protocol.
func Subjects() []Subject {
	return []Subject{
		{"net/http", HTTP1, harness.NetHTTP, NetHTTPQuirks},
		{"net/http", H2, netHTTP2, NetHTTPQuirks},
		{"net/http", H2C, netH2C, NetHTTPQuirks},
		{"pool", HTTP1, Reference, nil},
		{"pool", H2, poolHTTP2, nil},
		{"pool", H2C, poolH2C, nil},
	}
}

func netHTTP2(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
	s.ForceAttemptHTTP2 = true
	return harness.NetHTTP(t, s)
}

func netH2C(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
	rt, err := harness.NetHTTP(t, s)
	if err == nil {
		rt.(*http.Transport).Protocols = onlyH2C()
	}
	return rt, err
}

// Reference is the Maker for [pool.Transport].
func Reference(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
	tr := &pool.Transport{DialContext: t.Net.DialContext,
		TLSClientConfig: &tls.Config{RootCAs: harness.TrustedRoots(), ClientSessionCache: tls.NewLRUClientSessionCache(0)}}
	return tr, s.Apply(tr)
}

func poolHTTP2(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
	s.ForceAttemptHTTP2 = true
	return Reference(t, s)
}

func poolH2C(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
	rt, err := Reference(t, s)
	if err == nil {
		rt.(*pool.Transport).Protocols = onlyH2C()
	}
	return rt, err
}

func onlyH2C() *http.Protocols {
	p := new(http.Protocols)
	p.SetUnencryptedHTTP2(true)
	return p
}

// Speaks is the protocols that the maker's transports speak, as a server sees
// them: what an http URL brings, and whether an https URL brings HTTP/2.
func Speaks(maker harness.Maker) Protocol {
	var spoken Protocol
	for _, scheme := range []string{"http", "https"} {
		harness.Run("speaks", func(t *harness.T) {
			rt, err := maker(t, harness.Settings{})
			if err != nil {
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
	}
	return spoken
}
