package faultnet_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/halfopen/halfopen/faultnet"
)

// lookUp asks a server of names, and asks again after a second without an answer.
func lookUp(dial func(network, address string) (net.Conn, error), name string) (answer string, tries int, err error) {
	c, err := dial("udp", "dns.test:53")
	if err != nil {
		return "", 0, err
	}
	defer c.Close()
	b := make([]byte, 512)
	for tries = 1; tries <= 3; tries++ {
		c.SetReadDeadline(time.Now().Add(time.Second))
		if _, err = c.Write([]byte(name)); err != nil {
			return "", tries, err
		}
		var n int
		if n, err = c.Read(b); !errors.Is(err, os.ErrDeadlineExceeded) {
			return string(b[:n]), tries, err
		}
	}
	return "", tries, err
}

// A query whose datagram is lost is sent again. In a test this is in a bubble, where the second
// passes at once.
func ExampleNet_DialPacket() {
	n := new(faultnet.Net)
	server, _ := n.ListenPacket("udp", "dns.test:53")
	go func() {
		b := make([]byte, 512)
		for {
			_, from, err := server.ReadFrom(b)
			if err != nil {
				return
			}
			server.WriteTo([]byte("192.0.2.1"), from)
		}
	}()

	n.Arm("packet u1 client->server 1", faultnet.Drop)
	fmt.Println(lookUp(n.DialPacket, "api.test"))
	server.Close()
	_, _, err := lookUp(n.DialPacket, "api.test")
	fmt.Println(errors.Is(err, os.ErrDeadlineExceeded), err != nil)
	// Output:
	// 192.0.2.1 2 <nil>
	// false true
}
