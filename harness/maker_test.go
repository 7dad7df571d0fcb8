package harness_test

import (
	"crypto/tls"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/harness"
)

// A setting of HTTP/2 is set where the transport has it: in its configuration of
// HTTP/2, which keeps what is in it, or in a field of its own.
func TestSettingsOfHTTP2(t *testing.T) {
	strict := harness.Settings{StrictMaxConcurrentRequests: true}
	var unset http.Transport
	if err := strict.Apply(&unset); err != nil || unset.HTTP2 == nil || !unset.HTTP2.StrictMaxConcurrentRequests {
		t.Errorf("http.Transport: got %v, %+v", err, unset.HTTP2)
	}
	set := http.Transport{HTTP2: &http.HTTP2Config{MaxReadFrameSize: 1 << 20}}
	if err := strict.Apply(&set); err != nil || !set.HTTP2.StrictMaxConcurrentRequests || set.HTTP2.MaxReadFrameSize != 1<<20 {
		t.Errorf("http.Transport with a configuration of HTTP/2: got %v, %+v", err, set.HTTP2)
	}
	var own struct{ StrictMaxConcurrentRequests bool }
	if err := strict.Apply(&own); err != nil || !own.StrictMaxConcurrentRequests {
		t.Errorf("a field of its own: got %v, %+v", err, own)
	}
	var other struct{ HTTP2 bool }
	const want = "struct { HTTP2 bool } has no setting StrictMaxConcurrentRequests"
	if err := strict.Apply(&other); err == nil || err.Error() != want {
		t.Errorf("no field: got %v, want %s", err, want)
	}
	var untouched http.Transport
	if err := (harness.Settings{MaxIdleConns: 1}).Apply(&untouched); err != nil || untouched.HTTP2 != nil {
		t.Errorf("nothing of HTTP/2 asked for: got %v, %+v", err, untouched.HTTP2)
	}
}

// Protocols has the names of http.Protocols. A transport that has no such field refuses them, and
// so does each transport a name that there is not.
func TestSettingsOfProtocols(t *testing.T) {
	var tr http.Transport
	if err := (harness.Settings{Protocols: "HTTP1,HTTP2"}).Apply(&tr); err != nil || tr.Protocols.String() != "{HTTP1,HTTP2}" {
		t.Errorf("got %v, %v", err, tr.Protocols)
	}
	for _, c := range []struct {
		protocols string
		of        any
		want      string
	}{
		{"HTTP1,http2", new(http.Transport), `setting Protocols: unknown protocol "http2" (did you mean "HTTP2"?); there are: HTTP1, HTTP2, UnencryptedHTTP2`},
		{"HTTP1", new(struct{ Protocols []string }), "struct { Protocols []string } has no setting Protocols"},
		{"HTTP1", new(struct{}), "struct {} has no setting Protocols"},
	} {
		if err := (harness.Settings{Protocols: c.protocols}).Apply(c.of); err == nil || err.Error() != c.want {
			t.Errorf("%s of %T: got %v, want %s", c.protocols, c.of, err, c.want)
		}
	}
}

// A script that an exploration prints has the settings of HTTP/2 that its transport was
// given, and runs for a transport that has no configuration of HTTP/2.
func TestPrintedSettingsOfHTTP2(t *testing.T) {
	for _, s := range []harness.Settings{{}, {StrictMaxConcurrentRequests: true}, {Protocols: "UnencryptedHTTP2"}} {
		x, err := harness.ExploreReport("settings", harness.Bounds{Schedules: 1}, nil, func(t *harness.T) {
			tr := t.Net.Transport()
			if err := s.Apply(tr); err != nil {
				t.Fatal(err)
			}
			t.Serve("api.test:80", nil)
			t.Get("r1", tr, "http://api.test/").Await()
			t.Error("a failure")
		})
		if err != nil || len(x.Findings) != 1 {
			t.Fatalf("got %d findings, %v", len(x.Findings), err)
		}
		script := x.Findings[0].Script
		if got := strings.Contains(script, "transport StrictMaxConcurrentRequests=true\n"); got != s.StrictMaxConcurrentRequests {
			t.Errorf("%+v: got the setting %v in the script:\n%s", s, got, script)
		}
		if got := strings.Contains(script, "transport Protocols=UnencryptedHTTP2\n"); got != (s.Protocols != "") {
			t.Errorf("%+v: got the setting %v in the script:\n%s", s, got, script)
		}
	}
}

// The printed script of a schedule has the servers of the test, those over TLS too, and
// says what of them a script cannot contain.
func TestPrintedServers(t *testing.T) {
	for _, c := range []struct {
		handler http.Handler
		want    string
	}{
		{nil, `\nserve-tls api.test:443\nbegin\nget r1 https://api.test/\n`},
		{http.NotFoundHandler(), `\n# No script can contain: the handler of api.test:443, what the test asserts at maker_test.go:\d+. This one may hold; the test itself: TestPrintedServers\nserve-tls api.test:443\nbegin\n`},
	} {
		x, err := harness.ExploreReport(t.Name(), harness.Bounds{Delays: harness.None, Faults: harness.None}, nil, func(t *harness.T) {
			t.ServeTLS("api.test:443", c.handler, nil)
			tr := t.Net.Transport()
			tr.TLSClientConfig = &tls.Config{RootCAs: harness.TrustedRoots()}
			t.Get("r1", tr, "https://api.test/")
			t.Rest()
			t.Error("to have a script")
		})
		if err != nil || len(x.Findings) != 1 {
			t.Fatalf("got %v, %v, want one finding", x, err)
		}
		if !regexp.MustCompile(c.want).MatchString(x.Findings[0].Script) {
			t.Errorf("got:\n%s\nwant it to match %q", x.Findings[0].Script, c.want)
		}
	}
}
