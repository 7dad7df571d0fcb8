package feed

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/onsi/gomega"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/suites/gomegamatch"
	"github.com/halfopen/halfopen/suites/internal/planted"
)

// serve runs a feed: the newest item first, and all that there ever were.
func serve(t *harness.T) {
	t.Serve("feed.test:80", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for n := 20_000; n > 0; n-- {
			fmt.Fprintf(w, "{\"Number\": %d}\n", n)
		}
	}))
}

func TestLatest(t *testing.T) {
	r := harness.TestReport("latest", func(t *harness.T) {
		serve(t)
		if item, err := Latest(t.Client(t.Net.Transport()), "http://feed.test/"); err != nil || item.Number != 20_000 {
			t.Errorf("got %v, %v", item, err)
		}
	})
	planted.Named(t, r.String(), "feed.go", "call1: response body of GET http://feed.test/ never closed  (GUILTY)")
}

func TestPoll(t *testing.T) {
	r := harness.TestReport("poll", func(t *harness.T) {
		serve(t)
		client := t.Client(t.Net.Transport())
		for range 2 {
			if item, err := Poll(client, "http://feed.test/"); err != nil || item.Number != 20_000 {
				t.Errorf("got %v, %v", item, err)
			}
		}
		gomega.NewWithT(t).Expect(t).To(gomegamatch.HaveDialed(1))
	})
	planted.Named(t, r.String(), "feed.go", "got 2 dials, want 1", "call2: done on c2, its body closed before its end  (GUILTY)")
}
