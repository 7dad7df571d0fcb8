package h3tmp

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/harness"
)

func TestY(t *testing.T) {
	r := harness.TestReport("x", func(t *harness.T) {
		serve(t, "api.test:443", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			fmt.Println("server trailer", r.Trailer)
			w.Header().Set("Trailer", "Sum")
			io.WriteString(w, "ok")
			w.Header().Set("Sum", r.Trailer.Get("Sum"))
		}))
		tr := maker(t)
		req, _ := http.NewRequest("POST", "https://api.test/", io.MultiReader(strings.NewReader("payload")))
		req.Trailer = http.Header{"Sum": {"7"}}
		r := t.Start("r1", tr, req)
		fmt.Printf("%v %p\n", r.Response().Trailer, r.Response())
		r.WantBody("ok")
		fmt.Println(r.Response().Trailer)
	})
	fmt.Println(r.Failed())
}
