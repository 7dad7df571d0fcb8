package pool

import (
	"net/http"
	"os"
	"slices"
	"strings"
)

// Which protocols are spoken, and offered.

// setUp decides once which protocols are spoken.
func (t *Transport) setUp() {
	t.protocols = t.allowed()
	if http2Off() || t.TLSNextProto != nil && t.Protocols == nil {
		return
	}
	if t.protocols.HTTP2() || t.protocols.UnencryptedHTTP2() {
		t.h2 = newH2Carrier(t)
	}
}

// allowed returns the set of protocols, by the rules of net/http: unless told
// otherwise, a transport with a dialer or a TLS configuration gets HTTP/1 only.
func (t *Transport) allowed() http.Protocols {
	if t.Protocols != nil {
		return *t.Protocols
	}
	var p http.Protocols
	p.SetHTTP1(true)
	custom := t.TLSClientConfig != nil || t.Dial != nil || t.DialContext != nil ||
		t.DialTLS != nil || t.DialTLSContext != nil
	p.SetHTTP2(t.TLSNextProto == nil && !http2Off() && (t.ForceAttemptHTTP2 || !custom))
	return p
}

// http2Off reports whether GODEBUG turns HTTP/2 off, whatever the settings are.
func http2Off() bool { return strings.Contains(os.Getenv("GODEBUG"), "http2client=0") }

// offers returns the list of protocols for ALPN. It is nil where only HTTP/1 can
// be spoken, so that a server without ALPN will do too.
func (t *Transport) offers(dst *destination) []string {
	if dst.onlyH1 {
		return nil
	}
	var protos []string
	if t.TLSClientConfig != nil {
		protos = slices.Clone(t.TLSClientConfig.NextProtos)
	}
	if t.h2 == nil {
		if t.TLSNextProto["h2"] == nil { // nothing here could speak it
			protos = slices.DeleteFunc(protos, func(p string) bool { return p == "h2" })
		}
		return protos
	}
	if !slices.Contains(protos, "h2") {
		protos = slices.Insert(protos, 0, "h2")
	}
	if !t.protocols.HTTP1() {
		return slices.DeleteFunc(protos, func(p string) bool { return p == "http/1.1" })
	}
	if !slices.Contains(protos, "http/1.1") {
		protos = append(protos, "http/1.1")
	}
	return protos
}
