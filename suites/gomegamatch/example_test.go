package gomegamatch_test

import (
	"fmt"

	"github.com/onsi/gomega"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/suites/gomegamatch"
)

// A matcher that fails names the requests that it is about, and the lines that
// made them.
func ExampleHaveDialed() {
	r := harness.TestReport("dials", func(t *harness.T) {
		t.Serve("api.test:80", nil)
		client := t.Client(t.Net.Transport())
		for range 2 {
			resp, err := client.Get("http://api.test/bytes/300000")
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close() // unread
		}
		gomega.NewWithT(t).Expect(t).To(gomegamatch.HaveDialed(1), "one connection is enough")
	})
	fmt.Println(r.Failures[0].Text)
	// Output:
	// one connection is enough
	// network: got 2 dials, want 1
	//   call1: done on c1, its body closed before its end  (example_test.go:19)
	//   call2: done on c2, its body closed before its end  (example_test.go:19)
}
