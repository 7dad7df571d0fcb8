package faultnet

import (
	"syscall"
	"time"
)

// Faults of a datagram. Those of what arrives on connections that fit one are in faults.go.
var (
	// Drop loses a datagram.
	Drop = row(effect{name: "drop", lawful: true, kinds: Packet,
		doc:     "it is lost",
		packets: func(Verdict, []byte) [][]byte { return nil }})
	// Duplicate lets a datagram arrive twice.
	Duplicate = row(effect{name: "duplicate", lawful: true, kinds: Packet,
		doc:     "it arrives twice",
		packets: func(_ Verdict, b []byte) [][]byte { return [][]byte{b, b} }})

	reorderRow = row(effect{name: "reorder", lawful: true, kinds: Packet, params: "[:DURATION]", defaults: parameters{d: time.Second},
		doc:   "it arrives behind the next one of its direction, or so much later (1s) if none comes",
		later: (*Event).putBehind})
	truncateRow = row(effect{name: "truncate", kinds: Packet, params: "[:BYTES]",
		doc:    "so many bytes of it arrive (none), and the rest is lost",
		change: func(v Verdict, b []byte) []byte { return b[:min(len(b), v.bytes)] }})
	tooBigRow = row(effect{name: "too-big", lawful: true, kinds: Packet, params: "[:BYTES]", defaults: parameters{bytes: 1200},
		doc: "it is lost if it has more than so many bytes (1200), as on a path with a small MTU that does not say so",
		packets: func(v Verdict, b []byte) [][]byte {
			if len(b) > v.bytes {
				return nil
			}
			return [][]byte{b}
		}})
)

// Reorder lets a datagram arrive behind the next one of its direction, or d later if none
// comes.
func Reorder(d time.Duration) Verdict { return reorderRow.with(parameters{d: d}) }

// Truncate lets the first n bytes of a datagram arrive.
func Truncate(n int) Verdict { return truncateRow.with(parameters{bytes: n}) }

// TooBig loses a datagram of more than n bytes. As a [Net.Shape] it is a path with that MTU.
func TooBig(n int) Verdict { return tooBigRow.with(parameters{bytes: n}) }

// packetFault returns a fault of a dial, which is one of a datagram as well: an answer of the
// network (ICMP) gives the socket that sent it the error. The answers that are meant are
// "port unreachable", and those of a firewall that prohibits a host or a network: others
// Linux does not report, and none to a socket that was not dialed.
func packetFault(name string, errno syscall.Errno, doc string) effect {
	e := dialFault(name, errno, doc+"; a datagram is lost, and if its socket was dialed, the next call on that fails so")
	e.kinds |= Packet
	e.unreachable = errno
	return e
}
