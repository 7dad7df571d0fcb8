package view

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"
)

// The data of a page is what package json makes of it, to the byte: of 2,000 pages, which are drawn from a
// labelled seed, with every field in turn empty and not.
func TestDataIsJSON(t *testing.T) {
	const seed = 15
	rng := rand.New(rand.NewPCG(seed, 1))
	texts := []string{"", "r1", "dial d1 api.test:80", `quoted "x" \`, "<b>&amp;", "tab\tline\n", "ü €", "\xff", "\u2028", "\x7f"}
	text := func() string { return texts[rng.IntN(len(texts))] }
	number := func() int { return rng.IntN(5) - 1 }
	for i := range 2000 {
		p := &Page{Title: text()}
		for range rng.IntN(3) {
			run := &Run{Name: text(), Script: `"steps":null` + text(), Secrets: text()}
			if rng.IntN(4) == 0 {
				run.Steps = []Step{}
			}
			for range rng.IntN(4) {
				s := Step{Kind: StepKind(text()), At: time.Duration(number()), Text: text(), Where: text()}
				if rng.IntN(2) == 0 {
					s.Event = &Event{What: text(), Lane: text(), From: text(), Outcome: text(), Fault: rng.IntN(2) == 0, Since: number(), Size: number(), Bytes: []byte(text())}
				}
				for range rng.IntN(3) {
					c := Change{Lane: number(), State: text(), Note: text()}
					if rng.IntN(2) == 0 {
						c.Ends, c.Queues, c.Counts = &[2]string{text(), text()}, &[2][2]int{{number(), 2}, {3, number()}}, &[4]int{number(), 1, 2, 3}
					}
					s.Changes = append(s.Changes, c)
				}
				run.Steps = append(run.Steps, s)
			}
			p.Runs = append(p.Runs, run)
		}
		got, err := p.data()
		want, wantErr := json.Marshal(p)
		if err != nil || wantErr != nil || string(got) != string(want) {
			t.Fatalf("seed %d, page %d: got %v\n%s\nwant %v\n%s", seed, i, err, got, wantErr, want)
		}
	}
}
