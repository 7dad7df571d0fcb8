// Package ginkgosuite runs the cases of package suites as specs of Ginkgo, with labels
// for --label-filter. It is apart, so that package suites compiles without Ginkgo.
package ginkgosuite

import (
	"strings"

	"github.com/onsi/ginkgo/v2"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/suites"
)

// Describe makes a container of what [suites.TestTransport] tests: a spec for each case, in
// a container for each protocol, labelled with the group, the protocol ("http1"; "h2" and
// "h2c", which are "http2" too) and the public issues that it guards against, as
// "golang-go#8483".
//
//	var _ = ginkgosuite.Describe("my transport", maker)
func Describe(name string, maker harness.Maker, quirks ...suites.Quirk) bool {
	return ginkgo.Describe(name, func() {
		cases := suites.Cases()
		if err := suites.CheckQuirks(cases, quirks); err != nil {
			panic(err.Error())
		}
		subjects := suites.SubjectsOf(name, maker, quirks...)
		if len(subjects) == 0 {
			err := suites.CheckMaker(maker)
			ginkgo.It("can be put to the cases", func() { ginkgo.Fail(err.Error()) })
		}
		for _, s := range subjects {
			ginkgo.Context(s.Protocol.String(), func() {
				for _, c := range cases {
					ginkgo.It(c.Name+": "+c.Claim, labels(c, s.Protocol), func() { s.Test(ginkgo.GinkgoT(), c) })
				}
			})
		}
	})
}

// Entries returns the cases as the entries of a table, with the labels of [Describe], for
// suites that run them in their own way.
//
//	DescribeTable("my transport", func(c suites.Case) {
//		subject.Test(GinkgoT(), c)
//	}, ginkgosuite.Entries(suites.HTTP1))
func Entries(p suites.Protocol) []ginkgo.TableEntry {
	var entries []ginkgo.TableEntry
	for _, c := range suites.Cases() {
		entries = append(entries, ginkgo.Entry(c.Name+": "+c.Claim, labels(c, p), c))
	}
	return entries
}

// labels returns the labels of a case over a protocol. Those of HTTP/2, with and without
// TLS, have "http2" too.
func labels(c suites.Case, p suites.Protocol) ginkgo.Labels {
	l := ginkgo.Label(string(c.Group()), p.String())
	if p != suites.HTTP1 && c.Group() != "http2" {
		l = append(l, "http2")
	}
	for _, issue := range c.Issues {
		// A label may not contain a slash.
		l = append(l, strings.ReplaceAll(issue, "/", "-"))
	}
	return l
}

// Shard returns the part of an exploration that belongs to this parallel process of Ginkgo
// (ginkgo -p), for [harness.Bounds].
func Shard() harness.Shard {
	config, _ := ginkgo.GinkgoConfiguration()
	return harness.Shard{Index: config.ParallelProcess - 1, Total: config.ParallelTotal}
}
