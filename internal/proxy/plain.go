package proxy

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
)

// plain serves requests for absolute URLs: the first one was read, others may follow. The
// requests go to their server one after the other, and what it sends is copied as it is.
// A request for another server than the one before closes the connection to that one.
func (c *client) plain(in *bufio.Reader, head []byte, req *http.Request) {
	number := c.number
	for {
		address := serverOf(req)
		if number == c.number {
			c.say("accepted", "%s %s", req.Method, req.URL)
		} else {
			c.say("accepted", "%s %s, on the connection of c%d", req.Method, req.URL, number)
		}
		server, err := c.p.dial(number, address)
		if err != nil {
			c.refuseDial(err)
			return
		}
		requests := &requests{c: c, in: in, head: head, req: req, address: address}
		newTunnel(c, requests, server).run()
		c.p.forget(number)
		if requests.next == nil {
			return
		}
		head, req = requests.head, requests.next
		number = c.p.nextNumber()
	}
}

// requests reads the requests of a client for one server, as the server gets them: the URLs are of the
// origin-form (RFC 9112 section 3.2.1), and fields for the proxy are gone. It ends when
// the client does, or asks for another server.
type requests struct {
	c       *client
	in      *bufio.Reader
	head    []byte
	req     *http.Request
	address string
	next    *http.Request // for another server

	rest io.Reader // of the request that is being read
}

func (r *requests) Read(b []byte) (int, error) {
	n, err := r.read(b)
	_, lost := errors.AsType[*net.OpError](err)
	if err != nil && err != io.EOF && err != errOtherServer && !lost {
		r.c.say("refused", "%v", err) // the client does not speak HTTP
	}
	return n, err
}

func (r *requests) read(b []byte) (int, error) {
	for {
		if r.rest == nil {
			r.rest = io.MultiReader(bytes.NewReader(originForm(r.head, r.req)), bodyOf(r.in, r.req))
		}
		n, err := r.rest.Read(b)
		if n > 0 || err != nil && err != io.EOF {
			return n, err
		}
		if err == nil {
			continue
		}
		r.rest = nil
		if err := r.following(); err != nil {
			return 0, err
		}
	}
}

// serverOf returns the address of the server that a request is for.
func serverOf(req *http.Request) string {
	return net.JoinHostPort(req.URL.Hostname(), cmp.Or(req.URL.Port(), "80"))
}

// errOtherServer ends what a client sends to one server: its next request is for another.
var errOtherServer = errors.New("the next request is for another server")

// following reads the head of the next request. The error is io.EOF if there is none, and
// errOtherServer if it is for another server.
func (r *requests) following() error {
	head, req, err := readHead(r.in)
	if err == nil && (req.URL.Host == "" || req.URL.Scheme != "http") {
		err = fmt.Errorf("%s %s behind a request for an http URL", req.Method, req.URL)
	}
	if err != nil {
		return err
	}
	r.head, r.req = head, req
	if serverOf(req) != r.address {
		r.next = req
		return errOtherServer
	}
	return nil
}

// originForm returns the head as a server gets it.
func originForm(head []byte, req *http.Request) []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, "%s %s %s\r\n", req.Method, req.URL.RequestURI(), req.Proto)
	_, fields, _ := bytes.Cut(head, []byte("\n"))
	for line := range bytes.Lines(fields) {
		name, _, _ := strings.Cut(string(line), ":")
		if name = strings.ToLower(name); name == "proxy-connection" || name == "proxy-authorization" {
			continue
		}
		out.Write(line)
	}
	return out.Bytes()
}

// bodyOf returns what follows the head of a request, as it is sent. Behind a request that asks
// to switch protocols everything is of its own.
func bodyOf(in *bufio.Reader, req *http.Request) io.Reader {
	switch {
	case req.Header.Get("Upgrade") != "":
		return in
	case len(req.TransferEncoding) > 0:
		return &chunkedBody{in: in}
	}
	return io.LimitReader(in, max(0, req.ContentLength))
}

// chunkedBody reads a chunked body with its framing (RFC 9112 section 7.1), and ends behind it.
type chunkedBody struct {
	in      *bufio.Reader
	pending io.Reader // what was framed already
	trailer bool
	over    bool
}

func (r *chunkedBody) Read(b []byte) (int, error) {
	for {
		if r.pending != nil {
			n, err := r.pending.Read(b)
			if n > 0 || err != nil && err != io.EOF {
				return n, err
			}
			r.pending = nil
		}
		if r.over {
			return 0, io.EOF
		}
		line, err := r.in.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		line = bytes.Clone(line)
		r.pending = bytes.NewReader(line)
		text := strings.TrimSpace(string(line))
		if r.trailer {
			r.over = text == ""
			continue
		}
		size, _, _ := strings.Cut(text, ";")
		n, err := strconv.ParseUint(strings.TrimSpace(size), 16, 62)
		switch {
		case err != nil:
			return 0, fmt.Errorf("bad length %q of a chunk", size)
		case n == 0:
			r.trailer = true
		default: // and the line break behind it
			r.pending = io.MultiReader(r.pending, io.LimitReader(r.in, int64(n)+2))
		}
	}
}
