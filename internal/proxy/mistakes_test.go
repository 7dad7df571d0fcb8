package proxy

import (
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
)

// adminMistakes are requests that the API refuses. There is a mapping "api" with a toxic "lag".
var adminMistakes = []struct {
	method, path, body string
	status             int
	want               string
}{
	{"GET", "/", "", 404, "404 page not found"},
	{"GET", "/proxies/", "", 404, "404 page not found"},
	{"GET", "/proxies/api/", "", 404, "404 page not found"},
	{"GET", "/metrics", "", 404, "404 page not found"},
	{"PUT", "/proxies", "", 405, ""},
	{"HEAD", "/proxies", "", 405, ""},
	{"POST", "/version", "", 405, ""},
	{"GET", "/populate", "", 405, ""},
	{"DELETE", "/reset", "", 405, ""},
	{"GET", "/proxies/none", "", 404, `{"error":"proxy not found","status":404}`},
	{"POST", "/proxies/none", "{}", 404, `{"error":"proxy not found","status":404}`},
	{"DELETE", "/proxies/none", "", 404, `{"error":"proxy not found","status":404}`},
	{"GET", "/proxies/none/toxics", "", 404, `{"error":"proxy not found","status":404}`},
	{"POST", "/proxies/none/toxics", "{}", 404, `{"error":"proxy not found","status":404}`},
	{"GET", "/proxies/none/toxics/lag", "", 404, `{"error":"proxy not found","status":404}`},
	{"PATCH", "/proxies/none/toxics/lag", "{}", 404, `{"error":"proxy not found","status":404}`},
	{"DELETE", "/proxies/none/toxics/lag", "", 404, `{"error":"proxy not found","status":404}`},
	{"GET", "/proxies/api/toxics/none", "", 404, `{"error":"toxic not found","status":404}`},
	{"POST", "/proxies/api/toxics/none", "{}", 404, `{"error":"toxic not found","status":404}`},
	{"DELETE", "/proxies/api/toxics/none", "", 404, `{"error":"toxic not found","status":404}`},
	{"POST", "/rules", "", 405, ""},
	{"PUT", "/rules", "fault dial as refuse\n", 400, `{"error":"rules:1: `},
	{"PUT", "/rules", "# Rules.\nfault dial as refsue\n", 400, `unknown outcome \"refsue\" (did you mean \"refuse\"?)`},
	{"PUT", "/rules", "# Rules.\nhold dial\n", 400, `{"error":"rules:2: hold dial: a proxy has no verb hold`},
	{"PUT", "/rules", "# Rules.\n" + strings.Repeat("#\n", mostRules/2), 413, `{"error":"http: request body too large","status":413}`},
	{"POST", "/proxies", "", 400, `{"error":"bad request body: EOF","status":400}`},
	{"POST", "/proxies", "{", 400, `bad request body: unexpected EOF`},
	{"POST", "/proxies", `{"upstream":"a:1"}`, 400, `{"error":"missing required field: name","status":400}`},
	{"POST", "/proxies", `{"name":"x"}`, 400, `{"error":"missing required field: upstream","status":400}`},
	{"POST", "/proxies", `{"name":"api","upstream":"a:1"}`, 409, `{"error":"proxy already exists","status":409}`},
	{"POST", "/proxies", `{"name":"x","listen":"127.0.0.1:1080","upstream":"a:1"}`, 500, `bind: address already in use","status":500}`},
	{"POST", "/proxies", `{"name":"x","listen":"10.0.0.1:80","upstream":"a:1"}`, 500, `{"error":"listen 10.0.0.1:80: not an address of loopback`},
	{"POST", "/proxies/api", `{"enabled":1}`, 400, "bad request body: json: cannot unmarshal number"},
	{"POST", "/proxies/api", `{"listen":"nowhere"}`, 500, `{"error":"address nowhere: missing port in address","status":500}`},
	{"POST", "/populate", `{}`, 400, `{"error":"bad request body: `},
	{"POST", "/populate", `[{"name":"x","upstream":"a:1"},{"name":"y"}]`, 400, `{"error":"missing required field: upstream at proxy 2","status":400,"proxies":null}`},
	{"POST", "/populate", `[{"upstream":"a:1"}]`, 400, `missing required field: name at proxy 1`},
	{"POST", "/proxies/api/toxics", ``, 400, `{"error":"bad request body: EOF","status":400}`},
	{"POST", "/proxies/api/toxics", `{"type":"latnecy"}`, 400, `{"error":"invalid toxic type","status":400}`},
	{"POST", "/proxies/api/toxics", `{"type":"latency","stream":"up"}`, 400, `{"error":"stream was invalid, can be either upstream or downstream","status":400}`},
	{"POST", "/proxies/api/toxics", `{"name":"lag","type":"latency"}`, 409, `{"error":"toxic already exists","status":409}`},
	{"POST", "/proxies/api/toxics", `{"type":"bandwidth","attributes":{"rate":-1}}`, 400, `attribute rate: got -1, want at least 0`},
	{"POST", "/proxies/api/toxics", `{"type":"latency","attributes":{"latency":-1,"jitter":-2}}`, 400, `attribute latency: got -1, want at least 0; attribute jitter: got -2, want at least 0`},
	{"POST", "/proxies/api/toxics", `{"type":"timeout","attributes":{"timeout":"1s"}}`, 400, "bad request body: json: cannot unmarshal string"},
	{"POST", "/proxies/api/toxics", `{"type":"limit_data","attributes":[]}`, 400, "bad request body: json: cannot unmarshal array"},
	{"PATCH", "/proxies/api/toxics/lag", `{"attributes":{"latency":-5}}`, 400, `attribute latency: got -5, want at least 0`},
	{"PATCH", "/proxies/api/toxics/lag", `{"toxicity":"all"}`, 400, "bad request body: json: cannot unmarshal string"},
}

// A request that is refused gets toxiproxy's status and body, and changes nothing.
func TestAdminMistakes(t *testing.T) {
	onMachine(t, "", func(m *machine) {
		m.must("POST", "/proxies", `{"name":"api","listen":"127.0.0.1:1080","upstream":"api.test:80"}`)
		m.must("POST", "/proxies/api/toxics", `{"name":"lag","type":"latency","attributes":{"latency":7}}`)
		_, before := m.ask("GET", "/proxies", "")
		for _, tt := range adminMistakes {
			code, body := m.ask(tt.method, tt.path, tt.body)
			if code != tt.status || !strings.Contains(body, tt.want) {
				m.Errorf("%s %s %s: got %d and %s, want %d and %s", tt.method, tt.path, tt.body, code, body, tt.status, tt.want)
			}
		}
		if _, after := m.ask("GET", "/proxies", ""); after != before {
			m.Errorf("got %s, want %s, as before", after, before)
		}
	})
}

// What a client of the forward proxy says wrong is answered in its protocol, and logged.
func TestForwardMistakes(t *testing.T) {
	for _, tt := range []struct{ sent, want, log string }{
		{"GET / HTTP/1.1\r\nHost: api.test\r\n\r\n", "HTTP/1.1 400 Bad Request\r\nProxy-Status: halfopen; error=http_request_error\r\n", "c1: GET / is a request to a server: this is a proxy (HTTP_PROXY=http://127.0.0.1:"},
		{"GET ftp://api.test/ HTTP/1.1\r\nHost: api.test\r\n\r\n", "HTTP/1.1 400 ", "a proxy is asked for http URLs, and with CONNECT for others"},
		{"CONNECT api.test HTTP/1.1\r\nHost: api.test\r\n\r\n", "HTTP/1.1 400 ", `CONNECT "api.test": want host:port`},
		{"hello\r\n\r\n", "HTTP/1.1 400 ", "malformed HTTP request"},
		{"GET http://api.test/ HTTP/1.1\r\nHost: " + strings.Repeat("x", 2<<20), "HTTP/1.1 400 ", "the head of a request has more than 1048576 bytes"},
		{"GET http://api.test/ HTTP/1.1\r\nHo", "HTTP/1.1 400 ", "unexpected EOF"},
		{"GET http://none.test/ HTTP/1.1\r\nHost: none.test\r\n\r\n", "HTTP/1.1 502 Bad Gateway\r\nProxy-Status: halfopen; error=dns_error\r\n", "no such host"},
		{"GET http://api.test/ HTTP/1.1\r\nHost: api.test\r\n\r\nnonsense\r\n\r\n", "", "malformed HTTP request"},
		{"GET http://api.test/ HTTP/1.1\r\nHost: api.test\r\n\r\nGET /b HTTP/1.1\r\nHost: api.test\r\n\r\n", "", "GET /b behind a request for an http URL"},
		{"POST http://api.test/ HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "", `bad length "zz" of a chunk`},
		{"\x04\x01\x00\x50\x7f\x00\x00\x01\x00", "\x00\x5b", "SOCKS4: want SOCKS5"},
		{"\x05\x01\x01", "\x05\xff", "no method of authentication in common"},
		{"\x05\x01\x00\x05\x02\x00\x01\x7f\x00\x00\x01\x00\x50", "\x05\x00\x05\x07", "command 2: want CONNECT"},
		{"\x05\x01\x00\x05\x01\x00\x09", "\x05\x00\x05\x08", "unknown type of address 9"},
		{"\x05\x01\x00\x05\x01", "\x05\x00\x05\x01", "SOCKS5: unexpected EOF"},
		{"\x05\x02\x00", "", "SOCKS5: unexpected EOF"},
		{"\x05\x01\x02\x01\x04user\x04pass\x05\x01\x00\x03\x09none.test\x00\x50", "\x05\x02\x01\x00\x05\x04", "no such host"},
		{"\x16\x03\x01\x02\x00", "", "TLS: want plain HTTP or SOCKS5 to the proxy itself"},
		{"", "", "closed before its first byte"},
	} {
		onMachine(t, "", func(m *machine) {
			m.serve("api.test:80", func(c net.Conn) { io.Copy(io.Discard, c); c.Close() })
			c := m.dial(m.at)
			go func() {
				io.WriteString(c, tt.sent)
				c.(interface{ CloseWrite() error }).CloseWrite()
			}()
			b, _ := io.ReadAll(c)
			c.Close()
			synctest.Wait()
			if !strings.HasPrefix(string(b), tt.want) || tt.want == "" && len(b) > 0 {
				m.Errorf("%.80q: got %q, want %q", tt.sent, b, tt.want)
			}
			if !strings.Contains(m.log.String(), tt.log) {
				m.Errorf("%.80q: got the log\n%s\nwant %s", tt.sent, &m.log, tt.log)
			}
		})
	}
}

// A file of rules that is not one is refused with its line.
func TestRulesMistakes(t *testing.T) {
	for rules, want := range map[string]string{
		"": "f:1: a script begins with its claim",
		"# A.\n\nfault dial as refuse\nhold dial":                         "f:4: hold dial: a proxy has no verb hold",
		"# A.\nfault * as lose\nfault * as cut:1 always\nshape * as lose": "f:4: shape * as lose: a shape is what a link is like",
	} {
		if _, err := ParseRules("f", []byte(rules)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", rules, err, want)
		}
	}
	rules, err := ParseRules("f", []byte("# A.\nfault * as cut:1\nfault dial as refuse always\n-- notes --\nhold dial\n"))
	if err != nil || rules.list[0].where+" "+rules.list[1].where != "f:2 f:3" {
		t.Errorf("got %v", err)
	}
}
