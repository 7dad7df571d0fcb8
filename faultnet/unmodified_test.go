package faultnet_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/halfopen/halfopen/faultnet"
)

// certificate is httptest's, valid from 1970 on, so that it is valid in the
// year 2000 of a bubble, for example.com.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	s := httptest.NewUnstartedServer(nil)
	s.StartTLS()
	defer s.Close()
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return s.TLS.Certificates[0], roots
}

// An unmodified client and an unmodified server speak HTTP/1, HTTP/1 over TLS
// and HTTP/2 over the network, in a bubble and outside.
func TestUnmodified(t *testing.T) {
	cert, roots := certificate(t)
	for _, tt := range []struct {
		name, url, proto string
		tls, h2, h2c     bool
	}{
		{name: "HTTP/1", url: "http://example.com/", proto: "HTTP/1.1"},
		{name: "h2c", url: "http://example.com/", proto: "HTTP/2.0", h2c: true},
		{name: "TLS", url: "https://example.com/", proto: "HTTP/1.1", tls: true},
		{name: "TLS h2", url: "https://example.com/", proto: "HTTP/2.0", tls: true, h2: true},
	} {
		body := func(t *testing.T) {
			n := new(faultnet.Net)
			port := "80"
			if tt.tls {
				port = "443"
			}
			l, err := n.Listen("tcp", "example.com:"+port)
			if err != nil {
				t.Fatal(err)
			}
			srv := &http.Server{
				Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					b, _ := io.ReadAll(r.Body)
					fmt.Fprintf(w, "%s %s", r.Proto, b)
				}),
				Protocols: protocols(tt.h2, tt.h2c),
			}
			if tt.tls {
				srv.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}}
				go srv.ServeTLS(l, "", "")
			} else {
				go srv.Serve(l)
			}
			tr := &http.Transport{
				DialContext:     n.DialContext,
				TLSClientConfig: &tls.Config{RootCAs: roots},
				Protocols:       protocols(tt.h2, tt.h2c),
			}
			var wg sync.WaitGroup
			for i := range 20 {
				wg.Go(func() {
					payload := fmt.Sprintf("%0*d", 1+i*i*1000, i)
					resp, err := (&http.Client{Transport: tr}).Post(tt.url, "", stringReader(payload))
					if err != nil {
						t.Error(err)
						return
					}
					defer resp.Body.Close()
					got, err := io.ReadAll(resp.Body)
					if want := tt.proto + " " + payload; string(got) != want || err != nil {
						t.Errorf("request %d: got %d bytes and error %v, want %d bytes", i, len(got), err, len(want))
					}
				})
			}
			wg.Wait()
			tr.CloseIdleConnections()
			srv.Close()
			n.Close()
		}
		t.Run(tt.name, body)
		t.Run(tt.name+" in a bubble", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				body(t)
				time.Sleep(time.Second) // virtual: the server lingers before it closes
			})
		})
	}
}

func protocols(h2, h2c bool) *http.Protocols {
	p := new(http.Protocols)
	p.SetHTTP1(!h2 && !h2c)
	p.SetHTTP2(h2)
	p.SetUnencryptedHTTP2(h2c)
	return p
}

func stringReader(s string) io.Reader { return &reader{s} }

// reader hides the length of a string, so that the body is sent in chunks.
type reader struct{ s string }

func (r *reader) Read(p []byte) (int, error) {
	if r.s == "" {
		return 0, io.EOF
	}
	n := copy(p, r.s)
	r.s = r.s[n:]
	return n, nil
}

var _ net.Conn = (*faultnet.Conn)(nil)
