//go:build go1.27

package harness_test

import (
	"io"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/harness"
)

// The client of httptest.NewTestServer dials a network that the harness does not
// have: it is refused with what to write instead, wherever the server was made. Of
// one that was made inside this is said on standard error too: if only the
// clean-up of the test outside closes it, Go ends the process, and a log is lost.
func TestNewTestServerIsRefused(t *testing.T) {
	outside := httptest.NewTestServer(t, nil)
	client := outside.Client()
	for _, tt := range []struct {
		name string
		loud bool
		body func(*harness.T)
	}{
		{"made outside", false, func(t *harness.T) { t.Get("r1", client.Transport, outside.URL) }},
		{"over TLS", false, func(t *harness.T) { t.Client(client.Transport).Get("https://example.com/") }},
		{"made inside", true, func(ht *harness.T) {
			srv := httptest.NewTestServer(t, nil)
			defer srv.Close()
			ht.Client(srv.Client().Transport).Get(srv.URL)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var r *harness.Report
			said := standardError(t, func() { r = harness.TestReport("x", tt.body) })
			wantRefused(t, r, "httptest_go127_test.go:")
			if loud := strings.HasPrefix(said, "x: httptest_go127_test.go:") && strings.HasSuffix(said, refusal+"\n"); loud != tt.loud {
				t.Errorf("got %q on standard error", said)
			}
		})
	}
}

// standardError returns what f prints there.
func standardError(t *testing.T, f func()) string {
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	stderr := os.Stderr
	os.Stderr = file
	defer func() { os.Stderr = stderr }()
	f()
	file.Seek(0, io.SeekStart)
	b, err := io.ReadAll(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
