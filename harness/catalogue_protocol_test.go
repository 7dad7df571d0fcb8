package harness_test

import (
	"go/version"
	"runtime"
	"strings"

	"github.com/halfopen/halfopen/harness"
)

// Rows whose peers speak a protocol wrongly.

const (
	viaProxy = "transport Proxy=http://proxy.test:3128\n"
	viaSocks = "transport Proxy=socks5://proxy.test:1080\n"
	https    = "get r1 https://api.test/\nopen d1\n"
	http2    = "transport ForceAttemptHTTP2=true\n"
)

// A CONNECT proxy in that mode, and what comes of a request through it.
func proxied(fault, mode, rest string) row {
	line := "serve-proxy proxy.test:3128 " + mode
	return row{"proxy", fault, line, "harness.T.ServeProxy",
		viaProxy + "serve-tls api.test:443\n" + line + "\n" + https + rest}
}

func socks(fault, mode, rest string) row {
	line := "serve-proxy proxy.test:1080 " + mode
	return row{"proxy", fault, line, "harness.T.ServeProxy",
		viaSocks + "serve-tls api.test:443\n" + line + "\n" + https + rest}
}

var rowsProxy = []row{
	{"proxy", "refused", "fail d1 refuse", "faultnet.Refuse",
		viaProxy + "get r1 https://api.test/\nserve-proxy proxy.test:3128 connect\nfail d1 refuse\nwant err r1 'proxyconnect tcp: dial tcp'"},
	proxied("nothing wrong", "connect", "open d2\nwant body r1 ok"),
	proxied("CONNECT answered 407", "407", "want err r1 'Proxy Authentication Required'"),
	proxied("CONNECT answered 403", "403", "want err r1 'Forbidden by proxy'"),
	proxied("CONNECT answered 502", "502", "want err r1 'Bad Gateway by proxy'"),
	proxied("CONNECT answered 200 with a body", "body", "open d2\nwant body r1 ok"),
	proxied("answer split", "split", "open d2\nadvance 1s\nwant body r1 ok"),
	proxied("answer oversized", "oversized", "open d2\nwant body r1 ok"),
	proxied("answer slow", "slow", "open d2\nwant pending r1\nadvance 5s\nwant body r1 ok"),
	proxied("answer never", "never", "advance 1m\nwant err r1 timeout"),
	proxied("answer is no HTTP", "garbage", "want err r1 'malformed HTTP'"),
	proxied("closed instead of an answer", "close-unanswered", "want err r1 unexpected-eof"),
	proxied("closed after CONNECT", "close", "open d2\nwant err r1 eof"),
	proxied("RST inside the tunnel", "reset", "open d2\nwant err r1 reset"),
	{"proxy", "TLS inside the tunnel fails", "serve-tls api.test:443 unknown", "harness.T.ServeTLSAs",
		viaProxy + "serve-tls api.test:443 unknown\nserve-proxy proxy.test:3128 connect\n" + https + "open d2\nwant err r1 'unknown authority'"},
	{"proxy", "cancel during CONNECT", "cancel r1", "harness.Request.Cancel",
		viaProxy + "serve-proxy proxy.test:3128 never\n" + https + "cancel r1\nwant err r1 canceled\nadvance 1m\nwant conns 0"},
	socks("SOCKS5, nothing wrong", "socks", "open d2\nwant body r1 ok"),
	socks("SOCKS5 refusal", "socks-refused", "want err r1 'connection refused'"),
	socks("SOCKS5 refusal of every method", "socks-method", "want err r1 'no acceptable authentication methods'"),
	socks("SOCKS5 short reply", "socks-short", "want err r1 unexpected-eof"),
	socks("SOCKS5 never replies", "socks-never", "cancel r1\nwant err r1 canceled\nadvance 1m\nwant conns 1\nclose-idle\nhang-up c1"),
}

// A TLS server in that mode.
func secured(fault, mode, rest string) row {
	line := "serve-tls api.test:443"
	if mode != "" {
		line += " " + mode
	}
	return row{"TLS", fault, line, "harness.T.ServeTLSAs", line + "\n" + https + rest}
}

// What happens to a flight of the handshake: the server's first, or another.
func flight(fault, line, goForm, rest string) row {
	return row{"TLS", fault, line, goForm, "transport TLSHandshakeTimeout=10s\nserve-tls api.test:443\n" + line + "\n" + https + rest}
}

var rowsTLS = []row{
	secured("failed handshake", "old", "want err r1 'protocol version'"),
	flight("stall at the first flight", "fault c1 client->server data as stall nth 1", "faultnet.Stall", "advance 10s\nwant err r1 'TLS handshake timeout'"),
	flight("stall at the second flight", "fault c1 server->client data as stall nth 1", "faultnet.Stall", "advance 10s\nwant err r1 'TLS handshake timeout'"),
	flight("stall at the third flight", "fault c1 client->server data as stall nth 2", "faultnet.Stall", "cancel r1\nwant err r1 canceled\nclose-idle\nadvance 1m"),
	flight("FIN at the first flight", "fault c1 client->server data as cut nth 1", "faultnet.Cut", "want err r1 eof"),
	flight("FIN at the second flight", "fault c1 server->client data as cut nth 1", "faultnet.Cut", "want err r1 eof"),
	flight("FIN at the third flight", "fault c1 client->server data as cut nth 2", "faultnet.Cut", "want err r1 eof"),
	flight("RST at the first flight", "fault c1 client->server data as reset nth 1", "faultnet.Reset", "want err r1 reset"),
	flight("RST at the second flight", "fault c1 server->client data as reset nth 1", "faultnet.Reset", "want err r1 reset"),
	flight("RST at the third flight", "fault c1 client->server data as reset nth 2", "faultnet.Reset", "want err r1 reset"),
	secured("TLS 1.2, nothing wrong", "tls1.2", "want body r1 ok"),
	secured("certificate expired", "expired", "want err r1 'certificate has expired'"),
	secured("certificate unknown", "unknown", "want err r1 'unknown authority'"),
	secured("certificate for the wrong host", "wrong-host", "want err r1 'not api.test'"),
	{"TLS", "ALPN none", "serve-tls api.test:443 no-alpn", "harness.T.ServeTLSAs", http2 + "serve-tls api.test:443 no-alpn\n" + https + "want body r1 ok"},
	{"TLS", "ALPN h1 only", "serve-tls api.test:443 h1", "harness.T.ServeTLSAs", http2 + "serve-tls api.test:443 h1\n" + https + "want body r1 ok"},
	{"TLS", "ALPN h2 only", "serve-tls api.test:443 h2", "harness.T.ServeTLSAs", http2 + "serve-tls api.test:443 h2\n" + https + "want body r1 ok"},
	{"TLS", "ALPN nothing in common", "serve-tls api.test:443 other-alpn", "harness.T.ServeTLSAs", http2 + "serve-tls api.test:443 other-alpn\n" + https + "want err r1 'no application protocol'"},
	{"TLS", "ALPN flips between connections", "serve-tls api.test:443 flip", "harness.T.ServeTLSAs",
		http2 + "serve-tls api.test:443 flip\n" + https + "want body r1 ok\nclose-idle\nget r2 https://api.test/\nopen d2\nwant body r2 ok"},
	{"TLS", "resumption refused", "serve-tls api.test:443 no-resume", "harness.T.ServeTLSAs",
		"serve-tls api.test:443\n" + https + "want body r1 ok\nkill api.test:443\nserve-tls api.test:443 no-resume\nget r2 https://api.test/\nopen d2\nwant body r2 ok"},
	secured("alert after the handshake", "client-cert", "want err r1 'certificate required'"),
	{"TLS", "close without close_notify", "serve-tls api.test:443 no-close-notify", "harness.T.ServeTLSAs",
		"serve-tls api.test:443 no-close-notify\nget r1 https://api.test/close\nopen d1\nwant body r1 ok\nwant closed c1"},
	flight("records split", "fault c1 server->client data as split:5 always", "faultnet.Split", "want body r1 ok"),
	{"TLS", "records coalesced", "release c1 server->client", "harness.Net.Hold",
		"serve-tls api.test:443\nhold c1 server->client\n" + https + "let c1 server->client data\nrelease c1 server->client\nwant body r1 ok"},
	flight("records one byte at a time", "shape c1 server->client data as dribble:1,1ms", "faultnet.Dribble", "await r1\nwant body r1 ok"),
	flight("corrupted record", "fault c1 server->client data as corrupt:all nth 2", "faultnet.Corrupt", "want err r1 'bad record MAC'"),
	secured("late client certificate request", "client-cert", "want err r1 'certificate required'"),
	{"TLS", "timeout against cancel", "cancel r1", "harness.Request.Cancel",
		"transport TLSHandshakeTimeout=10s\nserve-tls api.test:443\nfault c1 server->client data as stall\n" + https + "advance 9.999999999s\ncancel r1\nwant err r1 canceled\nadvance 1ns\nwant closed c1"},
	{"TLS", "close during the handshake", "hang-up c1", "harness.Conn.HangUp",
		"serve-tls api.test:443\nhold c1 server->client\n" + https + "hang-up c1\nwant err r1 closed\nrelease c1 server->client"},
	{"idle", "TLS close_notify", "keep-alive api.test:443 1m0s", "harness.Net.KeepAlive",
		"serve-tls api.test:443 h1\nkeep-alive api.test:443 1m0s\n" + https + "want body r1 ok\nadvance 1m\nwant closed c1"},
}

// An answer of HTTP/1.1 by name.
func answered(fault, name, rest string) row {
	line := "misbehave c1 " + name
	return row{"HTTP/1 server", fault, line, "harness.Conn.Misbehave", peering + line + "\n" + rest}
}

const eof = "want err r1 eof"

var rowsHTTP1 = []row{
	answered("empty response", "nothing", eof),
	answered("empty response, RST", "nothing-reset", "want err r1 reset"),
	answered("status line only", "status-line", "want err r1 unexpected-eof"),
	answered("half a status line", "half-status-line", "want err r1 'malformed HTTP status code'"),
	answered("headers then close", "headers", "! finish r1 unexpected-eof"),
	answered("half the headers then close", "half-headers", "want err r1 'malformed MIME header'"),
	answered("garbage then close", "garbage", "want err r1 'malformed HTTP'"),
	answered("malformed chunk", "bad-chunk", "! finish r1 'malformed chunked encoding'"),
	answered("bad chunk size", "bad-chunk-size", "! finish r1 'invalid byte in chunk length'"),
	answered("chunk size too large", "huge-chunk-size", "! finish r1 'chunk length too large'"),
	answered("missing last chunk", "no-last-chunk", "! finish r1 unexpected-eof"),
	answered("Content-Length too long", "length-too-long", "! finish r1 unexpected-eof"),
	answered("Content-Length too short", "length-too-short", "want body r1 o\nwant closed c1"),
	answered("Content-Length doubled", "two-lengths", "want err r1 'multiple Content-Length'"),
	answered("Content-Length doubled, equal", "same-lengths", "want body r1 ok"),
	answered("Content-Length with Transfer-Encoding", "length-and-chunks", "want body r1 ok"),
	answered("Content-Length no number", "bad-length", "want err r1 'bad Content-Length'"),
	answered("header without a colon", "bad-header", "want err r1 'malformed MIME header'"),
	{"HTTP/1 server", "oversized headers", "misbehave c1 long-headers", "harness.Conn.Misbehave",
		"transport MaxResponseHeaderBytes=10000\n" + peering + "misbehave c1 long-headers\nwant err r1 'server response headers exceeded'"},
	{"HTTP/1 server", "never-ending headers", "misbehave c1 endless-headers", "harness.Conn.Misbehave",
		"transport MaxResponseHeaderBytes=10000\n" + peering + "misbehave c1 endless-headers\nwant err r1 'server response headers exceeded'"},
	{"HTTP/1 server", "slow headers", "shape c1 server->client data as dribble:1,1s", "faultnet.Dribble",
		"transport ResponseHeaderTimeout=30s\npeer api.test:80\nshape c1 server->client data as dribble:1,1s\nget r1 http://api.test/\nopen d1\nrespond c1 200 ok\nadvance 30s\nwant err r1 timeout"},
	answered("headers that stop", "headers-stall", "want pending r1\ncancel r1\nwant err r1 canceled"),
	answered("slow body", "body-stall", "want done r1\ncancel r1\n! finish r1 canceled"),
	answered("slow trailers", "trailer-stall", "want done r1\ncancel r1\n! finish r1 canceled"),
	answered("storm of 1xx", "storm-1xx", "want body r1 ok"),
	answered("unexpected 100", "continue", "want body r1 ok"),
	answered("unexpected 103", "hints", "want body r1 ok"),
	answered("unexpected 101", "switch", "finish r1"),
	answered("204 with a body", "204-body", "finish r1\nwant closed c1"),
	answered("304 with a body", "304-body", "finish r1\nwant closed c1"),
	{"HTTP/1 server", "HEAD with a body", "misbehave c1 head-body", "harness.Conn.Misbehave",
		"peer api.test:80\nrequest r1 HEAD http://api.test/\nopen d1\nmisbehave c1 head-body\nfinish r1\nwant closed c1"},
	{"HTTP/1 server", "response before the request was read, then close", "misbehave c1 early", "harness.Conn.Misbehave",
		"peer api.test:80\npost r1 http://api.test/ body\nopen d1\nmisbehave c1 early\nwant body r1 ok"},
	{"HTTP/1 server", "response before the request was read, then go on reading", "misbehave c1 early-reading", "harness.Conn.Misbehave",
		"peer api.test:80\npost r1 http://api.test/ body\nopen d1\nmisbehave c1 early-reading\nwant body r1 ok\nwant request c1 'POST /'"},
	{"HTTP/1 server", "413 before the body was read", "misbehave c1 early-413", "harness.Conn.Misbehave",
		"peer api.test:80\npost r1 http://api.test/ body\nopen d1\nmisbehave c1 early-413\nwant status r1 413\nfinish r1"},
	answered("Connection: close honoured", "close", "want body r1 ok\nwant closed c1"),
	answered("Connection: close ignored", "close-ignored", "want body r1 ok\nwant closed c1"),
	answered("Connection: close absent", "close-unsaid", "want body r1 ok\nwant closed c1"),
	answered("body until the FIN", "until-close", "want body r1 ok\nwant closed c1"),
	answered("HTTP/1.0", "http-1.0", "want body r1 ok\nwant closed c1"),
	answered("HTTP/1.0 with keep-alive", "http-1.0-keep-alive", "want body r1 ok\nwant open c1"),
	answered("a version that does not exist", "http-3.0", "want body r1 ok"),
	answered("announces keep-alive and closes", "keep-alive-closed", "want body r1 ok\nwant closed c1"),
	answered("extra bytes after the response", "extra", "want body r1 ok\nwant closed c1"),
	answered("the response twice", "twice", "want body r1 ok\nwant closed c1"),
	answered("401", "401", "want status r1 401\nfinish r1"),
	answered("407", "407", "want status r1 407\nfinish r1"),
	answered("408 as the answer", "408", "want status r1 408\nfinish r1"),
	answered("429 with Retry-After", "429", "want status r1 429\nfinish r1"),
	answered("503 with Retry-After", "503", "want status r1 503\nfinish r1"),
	{"HTTP/1 server", "never reads the request body", "misbehave c1 never-read", "harness.Conn.Misbehave",
		"peer api.test:80\npost r1 http://api.test/ body\nopen d1\nmisbehave c1 never-read\nwant pending r1\ncancel r1\nwant err r1 canceled"},
	answered("redirect with a body", "redirect-body", "want status r1 302\nfinish r1"),
}

// An HTTP/2 server in that mode.
func h2(place, fault, mode, rest string) row {
	line := "serve-h2 api.test:443 " + mode
	return row{place, fault, line, "harness.T.ServeH2", http2 + line + "\n" + https + rest}
}

var rowsHTTP2 = []row{
	h2("HTTP/2", "nothing wrong", "ok", "want body r1 ok"),
	h2("HTTP/2", "GOAWAY graceful", "goaway", "want body r1 ok\nget r2 https://api.test/\nopen d2\nwant body r2 ok\nsever api.test:443"),
	h2("HTTP/2", "GOAWAY graceful, mid-body", "goaway-mid-body", "want body r1 ok"),
	h2("HTTP/2", "GOAWAY with error", "goaway-error", "want err r1 'received GOAWAY from server ErrCode:ENHANCE_YOUR_CALM'"),
	h2("HTTP/2", "GOAWAY with last stream 0", "goaway-zero", "open d2\nwant body r1 ok"),
	h2("HTTP/2", "SETTINGS never", "settings-never", "rest\nwant body r1 ok"),
	h2("HTTP/2", "SETTINGS late", "settings-late", "advance 5s\nwant body r1 ok"),
	h2("HTTP/2", "MAX_CONCURRENT_STREAMS 0", "streams-0", "rest\nwant body r1 ok"),
	h2("HTTP/2", "MAX_CONCURRENT_STREAMS 1 (stream limit reached)", "streams-1", "want body r1 ok\nget r2 https://api.test/\nwant body r2 ok"),
	h2("HTTP/2", "MAX_CONCURRENT_STREAMS shrunk", "streams-shrunk", "want body r1 ok\nget r2 https://api.test/\nwant body r2 ok"),
	{"HTTP/2", "window starved", "serve-h2 api.test:443 window-starved", "harness.T.ServeH2",
		http2 + "serve-h2 api.test:443 window-starved\nget r0 https://api.test/\nopen d1\nwant body r0 ok\npost r1 https://api.test/ body\nwant pending r1\ncancel r1\nwant err r1 canceled"},
	h2("HTTP/2", "window overflowed", "window-overflow", "want err r1 'connection error: FLOW_CONTROL_ERROR'"),
	h2("HTTP/2", "PING ignored", "ping-ignored", "want pending r1\ncancel r1\nwant err r1 canceled"),
	h2("HTTP/2", "CONTINUATION flood", "continuation-flood", "want err r1 'connection error: PROTOCOL_ERROR'"),
	h2("HTTP/2", "headers split", "headers-split", "want body r1 ok"),
	h2("HTTP/2", "DATA after END_STREAM", "data-after-end", "want body r1 ok"),
	h2("HTTP/2", "bad preface", "bad-preface", "want err r1 'looked like an HTTP/1.1 header'"),
	h2("HTTP/2", "connection error mid-stream", "bad-frame", "! finish r1 'connection error: PROTOCOL_ERROR'"),
	h2("HTTP/2", "closed mid-stream", "half-body", "! finish r1 unexpected-eof"),
	h2("idle", "GOAWAY", "goaway", "want body r1 ok\nget r2 https://api.test/\nopen d2\nwant body r2 ok\nsever api.test:443"),
}

// rowsRST is a row for each error code of HTTP/2.
func rowsRST() (rows []row) {
	for _, m := range harness.Modes("serve-h2") {
		if !strings.HasPrefix(m, "rst-") {
			continue
		}
		code := strings.ToUpper(strings.ReplaceAll(strings.TrimPrefix(m, "rst-"), "-", "_"))
		rest := "want err r1 'stream ID 1; " + code + "'"
		switch code {
		case "REFUSED_STREAM": // which means that nothing was done
			rest = "advance 10s\nwant body r1 ok"
		case "PROTOCOL_ERROR": // until Go 1.27 net/http tries another connection: golang/go#47635
			if version.Compare(runtime.Version(), "go1.27") < 0 {
				rest = "advance 10s\nopen d2\nwant body r1 ok"
			}
		}
		rows = append(rows, h2("HTTP/2", "RST_STREAM with "+code, m, rest))
	}
	return rows
}
