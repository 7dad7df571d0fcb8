package pool

import (
	"net"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpguts"
	"golang.org/x/net/idna"
)

// A route is equal for two requests that may share a connection. Everything that
// is counted per host is counted by it.
type route struct {
	proxy  string // URL of the proxy with its password, or empty
	scheme string // of the request
	addr   string // "host:port"; empty if the proxy is asked for any host
	onlyH1 bool   // a WebSocket handshake: HTTP/2 must not be offered
}

// A destination is a route with what is needed to go there.
type destination struct {
	route
	proxyURL *url.URL
	target   string // "host:port", also where route.addr is empty
}

// destinationOf asks Proxy and tells where req has to go.
func (t *Transport) destinationOf(req *http.Request) (destination, error) {
	d := destination{target: hostPort(req.URL)}
	d.scheme, d.addr = req.URL.Scheme, d.target
	d.onlyH1 = onlyHTTP1(req)
	if t.Proxy == nil {
		return d, nil
	}
	proxyURL, err := t.Proxy(req)
	if err != nil || proxyURL == nil {
		return d, err
	}
	d.proxyURL = proxyURL
	d.proxy = proxyURL.String()
	if d.plainProxy() {
		// Requests for http URLs name their host in each request line, so that
		// one connection to the proxy serves all hosts.
		d.addr = ""
	}
	return d, nil
}

// plainProxy reports whether whole requests are sent to the proxy, rather than
// bytes through it.
func (d *destination) plainProxy() bool {
	return d.proxyURL != nil && d.scheme == "http" && !d.socks()
}

func (d *destination) socks() bool {
	return d.proxyURL != nil && strings.HasPrefix(d.proxyURL.Scheme, "socks5")
}

// firstScheme returns the scheme of the first hop.
func (d *destination) firstScheme() string {
	if d.proxyURL == nil {
		return d.scheme
	}
	if d.proxyURL.Scheme == "" {
		return "http"
	}
	return d.proxyURL.Scheme
}

// firstAddr returns the "host:port" that is dialed.
func (d *destination) firstAddr() string {
	if d.proxyURL != nil {
		return hostPort(d.proxyURL)
	}
	return d.target
}

// label returns the route as it is printed, without a password.
func (d *destination) label() string {
	s := d.scheme + "://" + d.addr
	if d.addr == "" {
		s = d.scheme
	}
	if d.onlyH1 {
		s += " (HTTP/1)"
	}
	if d.proxyURL != nil {
		s += " via " + d.proxyURL.Redacted()
	}
	return s
}

var defaultPorts = map[string]string{
	"http": "80", "": "80", "https": "443", "socks5": "1080", "socks5h": "1080",
}

// hostPort returns the host of u, in ASCII, with a port.
func hostPort(u *url.URL) string {
	port := u.Port()
	if port != "" && isASCII(u.Host) {
		return u.Host // the common case in tests and meshes allocates nothing
	}
	if port == "" {
		port = defaultPorts[u.Scheme]
	}
	name := u.Hostname()
	if !isASCII(name) {
		if ascii, err := idna.Lookup.ToASCII(name); err == nil {
			name = ascii
		}
	}
	return net.JoinHostPort(name, port)
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// hostOnly cuts the port off, if there is one.
func hostOnly(addr string) string {
	if host, _, err := net.SplitHostPort(addr); err == nil {
		return host
	}
	return addr
}

// onlyHTTP1 reports whether req opens a WebSocket, which HTTP/2 cannot.
func onlyHTTP1(req *http.Request) bool {
	if len(req.Header["Upgrade"]) == 0 {
		return false
	}
	return httpguts.HeaderValuesContainsToken(req.Header["Connection"], "upgrade") &&
		strings.EqualFold(req.Header.Get("Upgrade"), "websocket")
}

// switchesProtocol reports whether a header asks for, or grants, another
// protocol on this connection.
func switchesProtocol(h http.Header) bool {
	return h.Get("Upgrade") != "" && httpguts.HeaderValuesContainsToken(h["Connection"], "Upgrade")
}
