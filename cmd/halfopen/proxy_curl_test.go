//go:build curl

package main

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// curlServers has a server over HTTP and one over TLS, which answer with 1,000 bytes, and an address
// that is free.
type curlServers struct{ plain, tls, free string }

func newCurlServers(t *testing.T) curlServers {
	t.Helper()
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, strings.Repeat("0123456789", 100)) })
	plain, tls := httptest.NewServer(handler), httptest.NewTLSServer(handler)
	t.Cleanup(plain.Close)
	t.Cleanup(tls.Close)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return curlServers{plain.Listener.Addr().String(), tls.Listener.Addr().String(), l.Addr().String()}
}

// throughCurl are command lines of curl and Node.js behind a proxy with rules. The exit codes of
// curl are those of its manual.
var throughCurl = []struct {
	rules   string
	flags   string
	command string
	code    exit
	out     string
	log     string
}{
	{"shape dial as delay:1ms", "", "curl -sS -o /dev/null -o /dev/null -w '%{http_code} %{size_download} ' http://api.test/ http://api.test/",
		0, "200 1000 200 1000 ", "c1: GET http://api.test/"},
	{"fault c1 server->client data as reset from 500", "", "curl -sS -o /dev/null http://api.test/",
		56, "", "rules:2: c1 server->client data as reset"}, // failure in receiving
	{"fault c1 server->client data as cut from 500", "", "curl -sS -o /dev/null -w '%{size_download}' --proxytunnel http://api.test/",
		18, "", "c1: CONNECT api.test:80"}, // partial file
	{"fault c1 server->client data as reset from 500", "", "curl -sS -o /dev/null -x socks5h://$(echo $http_proxy | cut -c8-) http://api.test/",
		56, "", "c1: SOCKS5 api.test:80"},
	{"shape * server->client data as dribble:300,1ms", "", "curl -sSk -o /dev/null -w '%{http_code} %{size_download}' https://secure.test/",
		0, "200 1000", "c1: CONNECT secure.test:443"},
	{"fault c1 server->client data as corrupt:0 from 100", "", "curl -sSk -o /dev/null https://secure.test/",
		35, "", "rules:2: c1 server->client data as corrupt:0"}, // TLS/SSL connect error
	{"fault dial as refuse", "", "curl -sS -o /dev/null -w '%{http_code}' http://api.test/",
		0, "502", "rules:2: dial d1 api.test:80 as refuse"},
	{"fault dial as refuse", "", "curl -sS -o /dev/null https://secure.test/",
		56, "", "c1: dial tcp: connect: connection refused"}, // the proxy's answer to CONNECT
	{"fault dial as no-host", "", "curl -sS -o /dev/null -x socks5h://$(echo $http_proxy | cut -c8-) http://api.test/",
		97, "", "rules:2: dial d1 api.test:80 as no-host"}, // proxy handshake error
	{"fault c1 client->server data as reset", "-map api=FREE=PLAIN", "curl -sS --noproxy '*' http://FREE/",
		56, "", "c1: mapping api"},
	{"shape dial as delay:1ms", "-admin FREE", `
		api() { curl -sS --noproxy '*' -o /dev/null -w '%{http_code} ' "$@"; }
		set -e
		api -d '{"name":"api","listen":"127.0.0.1:0","upstream":"PLAIN"}' http://FREE/proxies
		api -d '{"type":"limit_data","attributes":{"bytes":500}}' http://FREE/proxies/api/toxics
		at=$(curl -sS --noproxy '*' http://FREE/proxies/api | sed 's/.*"listen":"\([^"]*\)".*/\1/')
		set +e
		curl -sS --noproxy '*' -o /dev/null http://$at/; echo curl $?
		set -e
		api -X DELETE http://FREE/proxies/api/toxics/limit_data_downstream
		api http://$at/
		api -X DELETE http://FREE/proxies/api`,
		0, "201 200 curl 18\n204 200 204 ", "c1: toxic limit_data_downstream: limit_data {\"bytes\":500}"},
	{"fault c1 server->client data as reset from 500", "", `node -e '
		const via = new URL(process.env.http_proxy);
		const req = require("http").get({host: via.hostname, port: via.port, path: "http://api.test/", headers: {host: "api.test"}}, res => {
			res.on("error", e => { console.log(e.code); process.exit(9); }).resume();
		});
		req.on("error", () => {});'`,
		9, "ECONNRESET\n", "rules:2: c1 server->client data as reset"},
	{"fault c1 server->client data as cut from 500", "-map api=FREE=PLAIN", `node -e '
		fetch("http://FREE/").then(r => r.text()).then(text => console.log(text.length), e => { console.log(e.cause.code); process.exitCode = 9; });'`,
		9, "UND_ERR_SOCKET\n", "c1: mapping api"},
}

// Real programs in other languages go through the proxy on loopback: curl and Node.js see what
// the rules say, and report it in their own words.
func TestCurl(t *testing.T) {
	s := newCurlServers(t)
	fill := strings.NewReplacer("FREE", s.free, "PLAIN", s.plain)
	t.Chdir(t.TempDir())
	for _, tt := range throughCurl {
		rules := "# Rules.\n" + tt.rules + "\nroute api.test:80 " + s.plain + "\nroute secure.test:443 " + s.tls + "\n"
		if err := os.WriteFile("rules", []byte(rules), 0o666); err != nil {
			t.Fatal(err)
		}
		command := filepath.Join(t.TempDir(), "command.sh")
		if err := os.WriteFile(command, []byte(fill.Replace(tt.command)), 0o666); err != nil {
			t.Fatal(err)
		}
		args := append([]string{"proxy"}, strings.Fields(fill.Replace(tt.flags))...)
		code, out, log := halfopen(append(args, "rules", "--", "sh", command)...)
		if code != tt.code || tt.out != "" && out != tt.out || !strings.Contains(log, tt.log) {
			t.Errorf("%s\n%s: got exit code %d and\n%s\n%s\nwant %d, %q and %q", tt.rules, tt.command, code, out, log, tt.code, tt.out, tt.log)
		}
	}
}
