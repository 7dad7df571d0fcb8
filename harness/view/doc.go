// Package view draws runs: as a page of HTML with a timeline, and as files for the
// viewers of others. It knows no test and no network: a [Run] is plain data, which
// package harness fills.
//
//	page := &view.Page{Title: "TestPool", Runs: []*view.Run{run}}
//	err := page.WriteHTML(w)
//
// A page is one file that needs no network, and it contains its data: [ReadHTML] returns
// the same Page from it again. The bytes of a page depend on its data alone.
//
// A timeline has a lane for each operation, dial, connection, host and timer. A
// [Step] is a line of the trace: what a verb did, or what happened on the network. The
// changes of a step say what each lane is from then on.
//
// What it does not do: it does not decide what is right. What a page shows as a
// failure is what the run called one.
package view
