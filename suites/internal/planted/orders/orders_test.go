package orders

import (
	"net/http"
	"testing"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/suites/internal/planted"
)

// An article that there is none of is refused, and nothing in this test asks for
// more than that.
func refused(t *harness.T) {
	t.Serve("stock.test:80", http.NotFoundHandler())
	mux := http.NewServeMux()
	mux.Handle("GET /order/{article}", &Service{t.Client(t.Net.Transport()), "http://stock.test"})
	t.Serve("orders.test:80", mux)

	r1 := t.Get("r1", t.Net.Transport(), "http://orders.test/order/hats")
	r1.WantStatus(http.StatusBadGateway)
	r1.Finish()
}

func TestRefused(t *testing.T) {
	r := harness.TestReport("refused", refused)
	planted.Named(t, r.String(), "orders.go", "call1: response body of GET http://stock.test/hats never closed  (GUILTY)")
}
