package suites_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/suites"
)

// A maker's transports are put to the cases over each protocol that they speak, by themselves or when
// the settings ask for it. A maker that refuses such a setting, or does not heed it, is not accused of it.
func TestSubjectsOf(t *testing.T) {
	only1 := func(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
		s.Protocols, s.ForceAttemptHTTP2 = "", false
		return harness.NetHTTP(t, s)
	}
	refuses := func(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
		if s.Protocols != "" || s.ForceAttemptHTTP2 {
			return nil, errors.New("it speaks HTTP/1")
		}
		return harness.NetHTTP(t, s)
	}
	for name, c := range map[string]struct {
		maker harness.Maker
		want  string
	}{
		"net/http":                   {harness.NetHTTP, "http1 h2 h2c"},
		"it does not heed them":      {only1, "http1"},
		"it refuses them":            {refuses, "http1"},
		"HTTP/2 without TLS only":    {suites.Subjects()[2].Maker, "h2c"},
		"HTTP/2 without being asked": {suites.Subjects()[1].Maker, "http1 h2 h2c"},
		"it makes none":              {func(*harness.T, harness.Settings) (http.RoundTripper, error) { return nil, errors.New("none") }, ""},
	} {
		var got []string
		for _, s := range suites.SubjectsOf("mine", c.maker) {
			got = append(got, s.Protocol.String())
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// A maker whose transports never dial t.Net is refused before the first case, with what to do.
// One that dials it and gets no answer has another reason, and one that speaks only one
// protocol has none.
func TestCheckMaker(t *testing.T) {
	const never = "this transport never dialed t.Net: does it have DialContext: t.Net.DialContext?"
	elsewhere := func(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
		tr := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
			return net.Dial("tcp", "127.0.0.1:1") // nothing listens there
		}}
		return tr, s.Apply(tr)
	}
	if os.Getenv(startedEnv) != "" {
		suites.TestTransport(t, elsewhere)
		return
	}
	for name, c := range map[string]struct {
		maker harness.Maker
		want  string
	}{
		"a real socket": {elsewhere, never},
		"it answers by itself": {func(*harness.T, harness.Settings) (http.RoundTripper, error) {
			return answers{}, nil
		}, never},
		"it makes none": {func(*harness.T, harness.Settings) (http.RoundTripper, error) {
			return nil, errors.New("not today")
		}, "the maker makes no transport: not today"},
		"it makes nil": {func(*harness.T, harness.Settings) (http.RoundTripper, error) {
			return nil, nil
		}, "the maker makes no transport: it returned neither a transport nor an error"},
		"it panics": {func(*harness.T, harness.Settings) (http.RoundTripper, error) {
			panic("no")
		}, "a plain GET of the maker's transport fails: panic: no"},
		"its transport panics": {func(*harness.T, harness.Settings) (http.RoundTripper, error) {
			var tr *wrapper
			return tr, nil
		}, "a plain GET of the maker's transport fails: r1: panic: runtime error: invalid memory address or nil pointer dereference"},
		"it dials and hangs up": {func(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
			tr := t.Net.Transport()
			tr.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
				c, err := t.Net.DialContext(ctx, network, addr)
				if err == nil {
					c.Close()
				}
				return c, err
			}
			return tr, nil
		}, "the transport did not answer a plain GET, of http://api.test/ or https://api.test/"},
		"net/http":                {harness.NetHTTP, ""},
		"HTTP/2 without TLS only": {suites.Subjects()[2].Maker, ""},
	} {
		got := ""
		if err := suites.CheckMaker(c.maker); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}

	cmd := exec.Command(os.Args[0], "-test.v", "-test.run=^TestCheckMaker$")
	cmd.Env = append(os.Environ(), startedEnv+"=1")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), ": suites: "+never) || !strings.Contains(string(out), " checkmaker_test.go:") || strings.Contains(string(out), "=== RUN   TestCheckMaker/") {
		t.Errorf("got %v:\n%s\nwant it to fail before the first case", err, out)
	}
}

// wrapper is a transport around another one.
type wrapper struct{ base http.RoundTripper }

func (w *wrapper) RoundTrip(req *http.Request) (*http.Response, error) { return w.base.RoundTrip(req) }

// answers is a transport that needs no network.
type answers struct{}

func (answers) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader("ok"))}, nil
}
