package subjects

import (
	"context"
	"flag"
	"io"
	"log"
	"os"
	"testing"

	goredis "github.com/redis/go-redis/v9"

	"github.com/halfopen/halfopen/suites"
)

// go-redis logs each dial that fails. The schedules of an exploration run one after the
// other: the documentation of the package says why.
func TestMain(m *testing.M) {
	flag.Parse()
	flag.Set("halfopen.frozen", "400ms") // silenceper/pool holds its mutex while it dials
	flag.Set("halfopen.parallel", "1")
	goredis.SetLogger(silent{})
	log.SetOutput(io.Discard)
	os.Exit(m.Run())
}

type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

func TestTransports(t *testing.T) {
	for _, s := range Transports() {
		t.Run(s.Name, func(t *testing.T) { suites.TestTransport(t, s.Maker, s.Quirks...) })
	}
}

func TestClients(t *testing.T) {
	for _, s := range Clients() {
		t.Run(s.Name, func(t *testing.T) { suites.TestClient(t, s) })
	}
}

// A transport speaks the protocols that it is listed with.
func TestSpeaks(t *testing.T) {
	for _, s := range Transports() {
		var listed suites.Protocol
		for _, p := range s.Speaks {
			listed |= p
		}
		if spoken := suites.Speaks(s.Maker); spoken != listed {
			t.Errorf("%s: speaks %s, want %s", s.Name, spoken, listed)
		}
	}
}

// Each quirk describes its mechanism, says which promise it breaks or that it breaks
// none, and in which versions it was seen.
func TestQuirks(t *testing.T) {
	var all []suites.Quirk
	for _, s := range Transports() {
		all = append(all, s.Quirks...)
	}
	for _, s := range Clients() {
		all = append(all, s.Quirks...)
	}
	for _, q := range all {
		if q.Reason == "" || q.Breaks == "" || q.Versions == (suites.Versions{}) {
			t.Errorf("%s: a quirk without reason, promise or version", q.Case)
		}
	}
}
