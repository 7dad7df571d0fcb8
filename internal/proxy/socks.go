package proxy

import (
	"bufio"
	"errors"
	"io"
	"net"
	"slices"
	"strconv"
	"syscall"
)

// Values of RFC 1928.
const (
	socksNoAuth       = 0
	socksPassword     = 2 // RFC 1929
	socksNoMethod     = 0xff
	socksConnect      = 1
	socksIPv4         = 1
	socksName         = 3
	socksIPv6         = 4
	socksOK           = 0
	socksFailure      = 1
	socksNetwork      = 3
	socksHost         = 4
	socksRefused      = 5
	socksExpired      = 6
	socksCommand      = 7
	socksAddress      = 8
	socksAuthVersion  = 1
	socksMostInAnswer = 10
)

// socks serves a client that speaks SOCKS5: CONNECT, to an address or a name. Any user name and
// password is taken.
func (c *client) socks(in *bufio.Reader) {
	if err := c.socksMethod(in); err != nil {
		c.say("refused", "SOCKS5: %v", err)
		return
	}
	address, code, err := socksRequest(in)
	if err != nil {
		c.say("refused", "SOCKS5: %v", err)
		c.socksAnswer(code)
		return
	}
	c.say("accepted", "SOCKS5 %s", address)
	server, err := c.p.dial(c.number, address)
	if err != nil {
		c.say("refused", "%v", err)
		c.socksAnswer(socksCode(err))
		return
	}
	if err := c.socksAnswer(socksOK); err != nil {
		resetConn(server)
		return
	}
	newTunnel(c, in, server).run()
}

// socksMethod agrees on a method of authentication.
func (c *client) socksMethod(in *bufio.Reader) error {
	var head [2]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return err
	}
	methods := make([]byte, head[1])
	if _, err := io.ReadFull(in, methods); err != nil {
		return err
	}
	switch {
	case slices.Contains(methods, socksNoAuth):
		_, err := c.Write([]byte{socks5First, socksNoAuth})
		return err
	case !slices.Contains(methods, socksPassword):
		c.Write([]byte{socks5First, socksNoMethod})
		return errors.New("no method of authentication in common: want none, or a password")
	}
	if _, err := c.Write([]byte{socks5First, socksPassword}); err != nil {
		return err
	}
	if _, err := in.ReadByte(); err != nil { // the version
		return err
	}
	for range 2 { // the name and the password
		n, err := in.ReadByte()
		if err != nil {
			return err
		}
		if _, err := in.Discard(int(n)); err != nil {
			return err
		}
	}
	_, err := c.Write([]byte{socksAuthVersion, socksOK})
	return err
}

// socksRequest reads the request, and returns the address that is to be dialed, or the code of
// an error.
func socksRequest(in *bufio.Reader) (address string, code byte, err error) {
	var head [4]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return "", socksFailure, err
	}
	n := 0
	switch head[3] {
	case socksIPv4:
		n = net.IPv4len
	case socksIPv6:
		n = net.IPv6len
	case socksName:
		length, err := in.ReadByte()
		if err != nil {
			return "", socksFailure, err
		}
		n = int(length)
	default:
		return "", socksAddress, errors.New("unknown type of address " + strconv.Itoa(int(head[3])))
	}
	b := make([]byte, n+2)
	if _, err := io.ReadFull(in, b); err != nil {
		return "", socksFailure, err
	}
	if head[1] != socksConnect {
		return "", socksCommand, errors.New("command " + strconv.Itoa(int(head[1])) + ": want CONNECT; BIND and UDP ASSOCIATE are not there")
	}
	host := string(b[:n])
	if head[3] != socksName {
		host = net.IP(b[:n]).String()
	}
	return net.JoinHostPort(host, strconv.Itoa(int(b[n])<<8|int(b[n+1]))), socksOK, nil
}

// socksAnswer answers a request. The address in it, which few clients look at, is none.
func (c *client) socksAnswer(code byte) error {
	answer := make([]byte, socksMostInAnswer)
	answer[0], answer[1], answer[3] = socks5First, code, socksIPv4
	_, err := c.Write(answer)
	return err
}

// socksCode returns the code of RFC 1928 section 6 for the error of a dial.
func socksCode(err error) byte {
	switch proxyError(err) {
	case "connection_refused":
		return socksRefused
	case "connection_timeout", "dns_timeout":
		return socksExpired
	case "dns_error":
		return socksHost
	case "destination_ip_unroutable":
		if isErrno(err, syscall.ENETUNREACH) {
			return socksNetwork
		}
		return socksHost
	}
	return socksFailure
}
