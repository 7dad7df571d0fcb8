// The command table measures how many schedules each strategy needs to find the defects
// of package planted, over a number of seeds, and prints a table. It needs deep bubbles:
// halfopen overlay gives them to go run. In an ordinary bubble it tells which defects the
// same searches find without inner choices. With -plain n it runs each program n times
// with the scheduler of Go alone; build it with -race then.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/internal/deep/on"
	"github.com/halfopen/halfopen/internal/planted"
)

func main() {
	seeds := flag.Int("seeds", 30, "seeds of each strategy")
	most := flag.Int("schedules", 2000, "schedules of a search at most")
	plain := flag.Int("plain", 0, "plain runs of each program, in place of searches")
	one := flag.String("one", "", "with -plain: run only this program, in this process")
	flag.Parse()
	switch {
	case *one != "":
		runOne(*one, *plain)
	case *plain > 0:
		plainTable(*plain)
	default:
		searchTable(*seeds, *most)
	}
}

// searchTable prints the median number of schedules for each program and strategy.
func searchTable(seeds, most int) {
	strategies := []string{"portfolio", "exhaustive", "pct", "pos", "random"}
	fmt.Printf("%s, deep bubbles: %t, %d seeds: median and most schedules until the defect was found\n", runtime.Version(), on.Deep(), seeds)
	fmt.Printf("%-32s", "")
	for _, s := range strategies {
		fmt.Printf(" %14s", s)
	}
	fmt.Println()
	for _, p := range planted.Programs() {
		fmt.Printf("%-32s", p.Name)
		for _, s := range strategies {
			fmt.Printf(" %14s", search(p, s, seeds, most))
		}
		fmt.Println()
	}
}

// search returns the median and the largest number of schedules that found the defect,
// and in how many searches it was not found.
func search(p planted.Program, strategy string, seeds, most int) string {
	var found []int
	missed := 0
	for seed := range seeds {
		bounds := harness.Bounds{Strategy: strategy, Seed: uint64(seed) + 1, Schedules: most, Inner: 2, AsFound: true}
		x, err := harness.ExploreReport(p.Name, bounds, nil, func(t *harness.T) {
			p.Run(func(text string) { t.Errorf("%s", text) })
		})
		if err != nil || len(x.Findings) == 0 {
			missed++
			continue
		}
		found = append(found, x.Findings[0].Found)
	}
	if len(found) == 0 {
		return "-"
	}
	slices.Sort(found)
	s := fmt.Sprintf("%d/%d", found[len(found)/2], found[len(found)-1])
	if missed > 0 {
		s += fmt.Sprintf(" (%d not)", missed)
	}
	return s
}

// plainTable runs each program in a process of its own, because the race detector and a
// panic end one.
func plainTable(runs int) {
	total := 0
	self, err := os.Executable()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	for _, p := range planted.Programs() {
		out, err := exec.Command(self, "-one", p.Name, "-plain", fmt.Sprint(runs)).CombinedOutput()
		said := strings.TrimSpace(string(out))
		if err != nil && !strings.HasPrefix(said, "found") {
			said = "found: " + err.Error()
		}
		if strings.HasPrefix(said, "found") {
			total++
		}
		fmt.Printf("%-32s %s\n", p.Name, strings.SplitN(said, "\n", 2)[0])
	}
	fmt.Printf("%d of %d found by %d plain runs each\n", total, len(planted.Programs()), runs)
}

// runOne runs one program until its defect shows. A run that has not returned after a
// second of real time counts as one that never returns.
func runOne(name string, runs int) {
	for _, p := range planted.Programs() {
		if p.Name != name {
			continue
		}
		for i := range runs {
			failed := make(chan string, 100)
			done := make(chan bool)
			go func() {
				defer close(done)
				p.Run(func(text string) { failed <- text })
			}()
			select {
			case <-done:
			case <-time.After(time.Second): // of real time: this measures the scheduler of Go
				failed <- "it did not return"
			}
			select {
			case text := <-failed:
				fmt.Printf("found by run %d: %s\n", i+1, text)
				return
			default:
			}
		}
	}
	fmt.Println("not found")
}
