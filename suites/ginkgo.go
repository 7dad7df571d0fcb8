package suites

import (
	"strings"

	"github.com/onsi/ginkgo/v2"

	"github.com/halfopen/halfopen/harness"
)

// Describe is TestTransport as a Ginkgo container: a spec a case, labelled
// with its family and the public issues that it guards against, as
// "golang-go#8483".
//
//	var _ = suites.Describe("my transport", maker)
func Describe(name string, maker harness.Maker, quirks ...Quirk) bool {
	return ginkgo.Describe(name, func() {
		cases := Cases()
		if err := checkQuirks(cases, quirks); err != nil {
			panic(err.Error())
		}
		for _, c := range cases {
			labels := ginkgo.Label(c.Family())
			for _, issue := range c.Issues {
				// A label may not contain a slash.
				labels = append(labels, strings.ReplaceAll(issue, "/", "-"))
			}
			ginkgo.It(c.Name+": "+c.Claim, labels, func() {
				c.Test(ginkgo.GinkgoT(), maker, quirks...)
			})
		}
	})
}

// Shard is the part of an exploration that this parallel process of Ginkgo
// does (ginkgo -p), for [harness.Bounds].
func Shard() harness.Shard {
	config, _ := ginkgo.GinkgoConfiguration()
	return harness.Shard{Index: config.ParallelProcess - 1, Total: config.ParallelTotal}
}
