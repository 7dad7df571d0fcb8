package peer

import (
	"bufio"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Every answer is a name of its own, with words for the manual, and a name that is
// not there is an error that has them all.
func TestAnswers(t *testing.T) {
	seen := make(map[string]bool)
	for _, a := range Answers() {
		if seen[a.Name] || a.Doc == "" || a.Then != "" && a.Then != "close" && a.Then != "reset" {
			t.Errorf("got %+v", a)
		}
		seen[a.Name] = true
		if got, err := FindAnswer(a.Name); err != nil || got != a {
			t.Errorf("%s: got %+v, %v", a.Name, got, err)
		}
	}
	if _, err := FindAnswer("bad-chunks"); err == nil || !strings.Contains(err.Error(), `did you mean "bad-chunk"?`) {
		t.Errorf("got %v", err)
	}
}

// An answer that ends the head with a body is HTTP that package http reads.
func TestOrdinaryAnswers(t *testing.T) {
	for name, status := range map[string]int{"close": 200, "extra": 200, "http-1.0": 200, "401": 401, "redirect-body": 302} {
		a, err := FindAnswer(name)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(strings.NewReader(a.Raw)), nil)
		if err != nil || resp.StatusCode != status {
			t.Errorf("%s: got %v, %v, want %d", name, resp, err, status)
		}
	}
}

// The pages of scripts answer by path.
func TestPages(t *testing.T) {
	for path, want := range map[string]string{"/": "200 ok", "/bytes/3": "200 000", "/status/418": "418 ", "/echo": "200 sent", "/answer/x": "404 no such answer\n"} {
		w := httptest.NewRecorder()
		Pages(w, httptest.NewRequest("POST", path, strings.NewReader("sent")))
		if got := strconv.Itoa(w.Code) + " " + w.Body.String(); got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
}

// A mode of each verb can be looked up, and only there.
func TestModes(t *testing.T) {
	for _, verb := range []string{"serve-tls", "serve-proxy", "serve-h2"} {
		for _, m := range Modes(verb) {
			if err := CheckMode(Modes(verb), m.Name); err != nil || m.Doc == "" {
				t.Errorf("%s %s: got %v, doc %q", verb, m.Name, err, m.Doc)
			}
		}
		if CheckMode(Modes(verb), "upright") == nil {
			t.Errorf("%s: got no error for a mode that it has not", verb)
		}
	}
	if Modes("serve") != nil {
		t.Error("got modes of serve")
	}
}

// The modes of TLS change the certificate that a client is shown. The bubble's time
// begins in the year 2000.
func TestTLSConfig(t *testing.T) {
	for mode, want := range map[string]string{"h1": "", "expired": "expired", "unknown": "unknown authority", "wrong-host": "wrong.api.test"} {
		cert, err := x509.ParseCertificate(TLSConfig("api.test:443", []string{mode}).Certificates[0].Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		_, err = cert.Verify(x509.VerifyOptions{DNSName: "api.test", Roots: TrustedRoots(), CurrentTime: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)})
		if got := fmt.Sprint(err); (err != nil) != (want != "") || !strings.Contains(got, want) {
			t.Errorf("%s: got %v, want it to contain %q", mode, err, want)
		}
	}
}
