package cases

import (
	"slices"
	"strings"
)

// Protocol is a way to speak HTTP. Protocols are bits: a set of them is their
// union.
type Protocol uint8

const (
	HTTP1 Protocol = 1 << iota // HTTP/1.1
	H2                         // HTTP/2 over TLS
	H2C                        // HTTP/2 without TLS, from its first byte
	H3                         // HTTP/3, over datagrams

	// OverTCP is those whose connections are TCP.
	OverTCP = HTTP1 | H2 | H2C
)

var protocols = []Protocol{HTTP1, H2, H2C, H3}

// Protocols returns all of them.
func Protocols() []Protocol { return slices.Clone(protocols) }

var protocolNames = map[Protocol]string{HTTP1: "http1", H2: "h2", H2C: "h2c", H3: "h3"}

// String is "http1", "h2", "h2c" or "h3", or several, joined by "|".
func (p Protocol) String() string {
	var names []string
	for _, q := range protocols {
		if p&q != 0 {
			names = append(names, protocolNames[q])
		}
	}
	return strings.Join(names, "|")
}

// ParseProtocol returns the protocol of that name, or 0.
func ParseProtocol(name string) Protocol {
	for _, p := range protocols {
		if p.String() == name {
			return p
		}
	}
	return 0
}
