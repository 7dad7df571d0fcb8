package harness_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/halfopen/halfopen/harness"
)

func sprintf(format string, args ...any) string { return fmt.Sprintf(format, args...) }

// certificate is httptest's, valid from 1970 on, for example.com.
func certificate(t testing.TB) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	s := httptest.NewUnstartedServer(nil)
	s.StartTLS()
	defer s.Close()
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return s.TLS.Certificates[0], roots
}

// replayScenarios is scenarios over each protocol of net/http.
func replayScenarios(t *testing.T) map[string]func(*harness.T) {
	cert, roots := certificate(t)
	secure := func(protocols ...string) func(*harness.T) {
		return func(t *harness.T) {
			t.ServeTLS("example.com:443", nil, &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: protocols})
			tr := t.Net.Transport()
			tr.TLSClientConfig = &tls.Config{RootCAs: roots}
			tr.ForceAttemptHTTP2 = len(protocols) > 0
			t.Get("r1", tr, "https://example.com/").MayCancel()
			t.Get("r2", tr, "https://example.com/bytes/1000")
		}
	}
	return map[string]func(*harness.T){
		"HTTP 1":          twoGets,
		"HTTP 1, limit 1": limitOne,
		"HTTP 1, TLS":     secure(),
		"HTTP 2, TLS":     secure("h2"),
		"h2c":             h2c,
	}
}

// limitOne starts two requests that wait for each other.
func limitOne(t *harness.T) {
	tr := t.Net.Transport()
	tr.MaxConnsPerHost = 1
	t.Serve("api.test:80", nil)
	t.Get("r1", tr, "http://api.test/").MayCancel()
	t.Get("r2", tr, "http://api.test/").MayCancel()
	t.MayCloseIdle(tr)
}

// h2c starts two requests over HTTP/2 without TLS.
func h2c(t *harness.T) {
	t.Serve("api.test:80", nil)
	tr := t.Net.Transport()
	tr.Protocols = new(http.Protocols)
	tr.Protocols.SetUnencryptedHTTP2(true)
	t.Get("r1", tr, "http://api.test/").MayCancel()
	t.Get("r2", tr, "http://api.test/bytes/1000")
}
