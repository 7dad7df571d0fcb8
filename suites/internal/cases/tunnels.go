package cases

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/halfopen/halfopen/harness"
)

func init() { harness.HelperFile() }

// chooseProxies has the path of a request choose its proxy: /first, /second, or else none;
// of /error it is that error. It reports whether the transport has a Proxy.
func (e *Env) chooseProxies(err error) bool {
	return e.setField("Proxy", func(r *http.Request) (*url.URL, error) {
		switch r.URL.Path {
		case "/first":
			return &url.URL{Scheme: "http", Host: proxyAddr}, nil
		case "/second":
			return &url.URL{Scheme: "http", Host: otherProxyAddr}, nil
		case "/error":
			return nil, err
		}
		return nil, nil
	})
}

// wantField expects that a field of a header that arrived has that value; "" means
// that it is not there.
func wantField(e *Env, at string, h http.Header, key, want string) {
	if got := strings.Join(h.Values(key), ", "); got != want {
		e.Errorf("got %s %q at %s, want %q", key, got, at, want)
	}
}

// tunnelServer is a proxy that is itself the server at the end of each of its tunnels, and
// answers with the name of the host that was asked for. It remembers what it was asked.
type tunnelServer struct {
	e        *Env
	config   *tls.Config
	refusal  string          // what it answers to CONNECT instead of 200, if it is not empty
	connects []*http.Request // each CONNECT
	requests []*http.Request // those that came in a tunnel
	plain    []*http.Request // those that came without a tunnel
}

// serveTunnels runs a tunnelServer.
func (e *Env) serveTunnels(addr string) *tunnelServer {
	p := &tunnelServer{e: e, config: e.certificates()}
	e.T.Serve(addr, p)
	return p
}

// certificates returns a configuration of TLS for three hosts. The harness gives its
// certificates to its servers only: one runs on a port that no case asks for.
func (e *Env) certificates() *tls.Config {
	config := &tls.Config{NextProtos: []string{"http/1.1"}}
	for _, host := range []string{"api.test", "b.test", "proxy.test"} {
		addr := host + ":1"
		s := e.ServeTLS(addr, nil, nil)
		e.Settle()
		config.Certificates = append(config.Certificates, s.TLSConfig.Certificates...)
		e.Net.Kill(addr)
	}
	return config
}

// ServeHTTP answers a request, or opens a tunnel.
func (p *tunnelServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != "CONNECT" {
		p.plain = append(p.plain, r)
		io.WriteString(w, r.Host)
		return
	}
	p.connects = append(p.connects, r)
	c, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		p.e.Errorf("the proxy cannot take the connection: %v", err)
		return
	}
	defer c.Close()
	if p.refusal != "" {
		io.WriteString(c, p.refusal)
		io.Copy(io.Discard, c)
		return
	}
	io.WriteString(c, "HTTP/1.1 200 Connection established\r\n\r\n")
	tunnel := tls.Server(c, p.config)
	defer tunnel.Close()
	for br := bufio.NewReader(tunnel); ; {
		req, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		p.requests = append(p.requests, req)
		fmt.Fprintf(tunnel, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(req.Host), req.Host)
	}
}
