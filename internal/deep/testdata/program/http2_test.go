package program

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"hash"
	"io"
	"math/big"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// listener accepts the server's ends of the pipes that dial makes.
type listener struct {
	conns  chan net.Conn
	closed chan bool

	mu    sync.Mutex
	wrote hash.Hash // what both ends wrote, in order
	size  int
}

func listen() *listener {
	return &listener{conns: make(chan net.Conn), closed: make(chan bool), wrote: sha256.New()}
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error   { close(l.closed); return nil }
func (l *listener) Addr() net.Addr { return &net.TCPAddr{} }

func (l *listener) dial(context.Context, string, string) (net.Conn, error) {
	c, s := net.Pipe()
	l.conns <- &seen{s, l, "server"}
	return &seen{c, l, "client"}, nil
}

// seen is a connection that records what is written to it.
type seen struct {
	net.Conn
	l   *listener
	end string
}

func (c *seen) Write(b []byte) (int, error) {
	c.l.mu.Lock()
	fmt.Fprintf(c.l.wrote, "%s %d ", c.end, len(b))
	c.l.wrote.Write(b)
	c.l.size += len(b)
	c.l.mu.Unlock()
	return c.Conn.Write(b)
}

// twoGets starts two GETs together and returns a digest of the bytes on the
// connection.
func twoGets(t *testing.T, size int, config *tls.Config) string {
	l := listen()
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(config == nil)
	protocols.SetHTTP2(config != nil)
	srv := &http.Server{
		Protocols: &protocols,
		TLSConfig: config,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Date", "x")
			io.WriteString(w, strings.Repeat(r.URL.Path[1:], size))
		}),
	}
	tr := &http.Transport{Protocols: &protocols, DialContext: l.dial, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	url := "http://x.test/"
	if config == nil {
		go srv.Serve(l)
	} else {
		url = "https://x.test/"
		go srv.ServeTLS(l, "", "")
	}
	var wg sync.WaitGroup
	start := make(chan bool)
	for _, path := range []string{"a", "b"} {
		wg.Go(func() {
			<-start
			resp, err := (&http.Client{Transport: tr}).Get(url + path)
			if err != nil {
				t.Error(err)
				return
			}
			if b, err := io.ReadAll(resp.Body); len(b) != size || err != nil {
				t.Error(len(b), err)
			}
			resp.Body.Close()
		})
	}
	synctest.Wait()
	close(start)
	wg.Wait()
	synctest.Wait()
	l.mu.Lock()
	sum := fmt.Sprintf("%d %x", l.size, l.wrote.Sum(nil)[:4])
	l.mu.Unlock()
	tr.CloseIdleConnections()
	srv.Close()
	time.Sleep(time.Hour) // virtual
	return sum
}

func TestH2C(t *testing.T) {
	for _, size := range []int{10, 20_000, 100_000} {
		wantSame(t, 40, func(say func(...any)) { say(twoGets(t, size, nil)) })
	}
}

func TestTLS(t *testing.T) {
	wantSame(t, 10, func(say func(...any)) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now(), NotAfter: time.Now().AddDate(1, 0, 0), DNSNames: []string{"x.test"}}
		der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
		if err != nil {
			t.Fatal(err)
		}
		say(twoGets(t, 20_000, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}))
	})
}
