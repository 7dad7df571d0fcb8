package suites

import (
	"strings"

	"github.com/onsi/ginkgo/v2"

	"github.com/halfopen/halfopen/harness"
)

// Describe is TestTransport as a Ginkgo container: a spec a case, in a container
// a protocol, labelled with the group, the protocol and the public issues that it
// guards against, as "golang-go#8483".
//
//	var _ = suites.Describe("my transport", maker)
func Describe(name string, maker harness.Maker, quirks ...Quirk) bool {
	return ginkgo.Describe(name, func() {
		cases := Cases()
		if err := checkQuirks(cases, quirks); err != nil {
			panic(err.Error())
		}
		spoken := Speaks(maker)
		for _, p := range Protocols {
			if spoken&p == 0 {
				continue
			}
			ginkgo.Context(p.String(), func() {
				for _, c := range cases {
					ginkgo.It(c.Name+": "+c.Claim, labels(c, p), func() {
						c.Test(ginkgo.GinkgoT(), Subject{name, p, maker, quirks})
					})
				}
			})
		}
	})
}

func labels(c Case, p Protocol) ginkgo.Labels {
	l := ginkgo.Label(string(c.Group), p.String())
	for _, issue := range c.Issues {
		// A label may not contain a slash.
		l = append(l, strings.ReplaceAll(issue, "/", "-"))
	}
	return l
}

// Shard is the part of an exploration that this parallel process of Ginkgo
// does (ginkgo -p), for [harness.Bounds].
func Shard() harness.Shard {
	config, _ := ginkgo.GinkgoConfiguration()
	return harness.Shard{Index: config.ParallelProcess - 1, Total: config.ParallelTotal}
}
