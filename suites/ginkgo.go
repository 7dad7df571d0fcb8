package suites

import (
	"strings"

	"github.com/onsi/ginkgo/v2"

	"github.com/halfopen/halfopen/harness"
)

// Describe is TestTransport as a Ginkgo container: a spec a case, in a container
// a protocol, labelled with the group, the protocol ("http1"; "h2" and "h2c",
// which are "http2" too) and the public issues that it guards against, as
// "golang-go#8483".
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

// Entries is the cases of a protocol as the entries of a table, for suites that
// have their own way to run them. They have the labels of Describe.
//
//	DescribeTable("my transport", func(c suites.Case) {
//		c.Test(GinkgoT(), subject)
//	}, suites.Entries(suites.HTTP1))
func Entries(p Protocol) []ginkgo.TableEntry {
	var entries []ginkgo.TableEntry
	for _, c := range Cases() {
		entries = append(entries, ginkgo.Entry(c.Name+": "+c.Claim, labels(c, p), c))
	}
	return entries
}

// labels is the labels of a case over a protocol. Those of HTTP/2, with and
// without TLS, have "http2" too.
func labels(c Case, p Protocol) ginkgo.Labels {
	l := ginkgo.Label(string(c.Group), p.String())
	if p != HTTP1 && c.Group != HTTP2 {
		l = append(l, string(HTTP2))
	}
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
