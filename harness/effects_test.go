package harness_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness"
)

// patient gives every request ten minutes of virtual time.
type patient struct {
	*http.Transport
	t *harness.T
}

func (p *patient) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(req.Context(), 10*time.Minute)
	p.t.Cleanup(cancel)
	return p.Transport.RoundTrip(req.WithContext(ctx))
}

// A sweep tries every verdict about events at every place, and every run of it
// comes to an end with nothing left behind.
func TestSweepEffects(t *testing.T) {
	for _, v := range faultnet.Verdicts() {
		if v.IsHold() || v.Kinds()&^faultnet.Calls == 0 {
			continue
		}
		t.Run(v.String(), func(t *testing.T) {
			bounds := harness.Sweep()
			bounds.Effects = []string{v.String()}
			x, err := harness.ExploreReport("sweep", bounds, nil, func(t *harness.T) {
				t.Serve("api.test:80", nil)
				tr := t.Net.Transport()
				tr.ResponseHeaderTimeout = 200e9 // longer than a black hole
				t.Get("r1", &patient{tr, t}, "http://api.test/bytes/100")
				if v.Kinds()&faultnet.Packet != 0 {
					t.ServePackets("dns.test:53", nil)
					t.Ask("q1", "dns.test:53", "hello")
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			if x.Schedules < 2 || !x.Complete {
				t.Errorf("got %s, want one for each place", x)
			}
			for _, f := range x.Findings {
				t.Errorf("%s", f.Report)
			}
		})
	}
}
