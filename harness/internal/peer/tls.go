package peer

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"slices"
	"sync"
	"time"
)

// authority signs certificates. It is made when the first one is wanted.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	made sync.Map // the certificates that it signed
}

var (
	trustedAuthority = sync.OnceValue(func() *authority { return newAuthority("halfopen test authority") })
	unknownAuthority = sync.OnceValue(func() *authority { return newAuthority("an authority that no client knows") })
)

// The bubble's time begins in the year 2000, so certificates are valid long
// before and after it.
var (
	notBefore = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
	expired   = time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)
	notAfter  = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
)

func newAuthority(name string) *authority {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: notBefore, NotAfter: notAfter,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	key := newKey()
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic("harness: " + err.Error()) // what is signed does not depend on input
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		panic("harness: " + err.Error())
	}
	return &authority{cert: cert, key: key}
}

func newKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic("harness: " + err.Error())
	}
	return key
}

// certificate returns one for the host, valid until then. It is made once.
func (a *authority) certificate(host string, until time.Time) tls.Certificate {
	type key struct {
		host  string
		until time.Time
	}
	if c, ok := a.made.Load(key{host, until}); ok {
		return c.(tls.Certificate)
	}
	c := a.sign(host, until)
	a.made.Store(key{host, until}, c)
	return c
}

func (a *authority) sign(host string, until time.Time) tls.Certificate {
	key := newKey()
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
		NotBefore: notBefore, NotAfter: until,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, a.cert, &key.PublicKey, a.key)
	if err != nil {
		panic("harness: " + err.Error())
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// TrustedRoots returns the authority that signs the certificates of these servers: the
// RootCAs of a client.
func TrustedRoots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(trustedAuthority().cert)
	return pool
}

// TrustedCertificate returns a certificate for the host that TrustedRoots vouches for until then.
func TrustedCertificate(host string, until time.Time) tls.Certificate {
	return trustedAuthority().certificate(host, until)
}

// tlsModes is the modes of serve-tls.
var tlsModes = []Mode{
	{"expired", "its certificate has expired"},
	{"unknown", "its certificate is signed by an authority that no client knows"},
	{"wrong-host", "its certificate is for another host"},
	{"no-alpn", "it does not take part in ALPN"},
	{"h1", "ALPN chooses HTTP/1.1"},
	{"h2", "ALPN chooses HTTP/2"},
	{"other-alpn", "it knows none of the protocols that it is offered"},
	{"flip", "ALPN chooses HTTP/2 and HTTP/1.1 in turn, by connection"},
	{"old", "it speaks no version of TLS that a client would"},
	{"tls1.2", "it speaks TLS 1.2"},
	{"no-resume", "it refuses to resume a session"},
	{"client-cert", "it wants the client's certificate, and says so after the client's handshake (TLS 1.3)"},
	{"no-close-notify", "it closes without close_notify (TLS 1.2)"},
}

// TLSConfig returns the configuration of a server in those modes.
func TLSConfig(addr string, modes []string) *tls.Config {
	host, _, _ := net.SplitHostPort(addr)
	// Every curve but those with a second, post-quantum half, whose key costs as much as the rest of a
	// handshake: each schedule has one.
	c := &tls.Config{NextProtos: []string{"h2", "http/1.1"}, CurvePreferences: []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384, tls.CurveP521}}
	signer, until := trustedAuthority(), notAfter
	for _, m := range modes {
		switch m {
		case "expired":
			until = expired
		case "unknown":
			signer = unknownAuthority()
		case "wrong-host":
			host = "wrong." + host
		case "no-alpn":
			c.NextProtos = nil
		case "h1":
			c.NextProtos = []string{"http/1.1"}
		case "h2":
			c.NextProtos = []string{"h2"}
		case "other-alpn":
			c.NextProtos = []string{"other/1"}
		case "flip":
			flip(c)
		case "old":
			c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
		case "tls1.2", "no-close-notify":
			c.MaxVersion = tls.VersionTLS12
		case "no-resume":
			c.SessionTicketsDisabled = true
		case "client-cert":
			c.ClientAuth = tls.RequireAnyClientCert
		}
	}
	c.Certificates = []tls.Certificate{signer.certificate(host, until)}
	return c
}

// flip has ALPN choose another protocol for every other connection.
func flip(c *tls.Config) {
	var mu sync.Mutex
	count := 0
	c.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		mu.Lock()
		defer mu.Unlock()
		count++
		d := c.Clone()
		d.GetConfigForClient = nil
		d.NextProtos = []string{"h2"}
		if count%2 == 0 {
			d.NextProtos = []string{"http/1.1"}
		}
		return d, nil
	}
}

// TLS returns a listener that speaks TLS on what another one accepts, with the configuration
// of those modes.
func TLS(l net.Listener, config *tls.Config, modes []string) net.Listener {
	return &tlsListener{Listener: l, config: config, silent: slices.Contains(modes, "no-close-notify")}
}

// tlsListener speaks TLS on what it accepts. tls.NewListener would do, but for
// the connections that close silently.
type tlsListener struct {
	net.Listener
	config *tls.Config
	silent bool
}

func (l *tlsListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if l.silent {
		c = withoutAlerts{c}
	}
	return tls.Server(c, l.config), nil
}

// withoutAlerts sends no alert records, such as close_notify.
type withoutAlerts struct{ net.Conn }

// NetConn returns the connection on the network.
func (c withoutAlerts) NetConn() net.Conn { return c.Conn }

func (c withoutAlerts) Write(b []byte) (int, error) {
	const alert = 21 // the record's type: RFC 5246 section 6.2.1
	if len(b) > 0 && b[0] == alert {
		return len(b), nil
	}
	return c.Conn.Write(b)
}
