package harness

import (
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/halfopen/halfopen/harness/internal/search"
)

// reportVersion is the version of the JSON form of an [Exploration].
const reportVersion = 3

// explorationJSON is the form in which shards report.
type explorationJSON struct {
	Version   int            `json:"version"`
	Name      string         `json:"name"`
	Bounds    Bounds         `json:"bounds"`
	Schedules int            `json:"schedules"`
	Drawn     int            `json:"drawn"`
	Pruned    int            `json:"pruned"`
	Sampled   int            `json:"sampled"`
	Waiting   int            `json:"waiting"`
	Complete  bool           `json:"complete"`
	Delays    int            `json:"delays"`
	Outcomes  map[string]int `json:"outcomes"`
	Reached   map[string]int `json:"reached"`
	Findings  []findingJSON  `json:"findings"`
	Undecided []findingJSON  `json:"undecided,omitempty"`
}

type findingJSON struct {
	Schedule Schedule `json:"schedule"`
	Kind     Kind     `json:"kind"`
	Text     string   `json:"text"`
	Report   string   `json:"report"`
	Script   string   `json:"script"`
	Cost     int      `json:"cost"`
	As       Schedule `json:"as"`
	Detail   []string `json:"detail,omitempty"`
	Account  string   `json:"account,omitempty"`
	Stopped  bool     `json:"not_shortest,omitempty"`
}

// MarshalJSON returns the exploration as a shard reports it.
func (x *Exploration) MarshalJSON() ([]byte, error) {
	j := explorationJSON{Version: reportVersion, Name: x.Name, Bounds: x.Bounds, Schedules: x.Schedules,
		Drawn: x.Drawn, Pruned: x.Pruned, Sampled: x.Sampled, Waiting: x.Waiting, Complete: x.Complete, Delays: x.Delays,
		Outcomes: x.Outcomes, Reached: x.Reached, Findings: []findingJSON{}}
	for _, f := range x.Findings {
		j.Findings = append(j.Findings, f.toJSON())
	}
	for _, f := range x.Undecided {
		j.Undecided = append(j.Undecided, f.toJSON())
	}
	return json.Marshal(j)
}

func (f *Finding) toJSON() findingJSON {
	first := f.Report.Failures[0]
	return findingJSON{f.Schedule, first.Kind, first.Text, f.Report.String(), f.Script, f.cost, f.as, first.Detail, f.account, f.NotShortest}
}

// finding returns the finding that toJSON made f of.
func (f findingJSON) finding(name string) *Finding {
	return &Finding{Schedule: f.Schedule, Script: f.Script, cost: f.Cost, as: f.As, account: f.Account, NotShortest: f.Stopped,
		Report: &Report{Name: name, Failures: []Failure{{Kind: f.Kind, Text: f.Text, Detail: f.Detail}}, text: f.Report}}
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (x *Exploration) UnmarshalJSON(data []byte) error {
	var j explorationJSON
	if err := json.Unmarshal(data, &j); err != nil {
		return err
	}
	if j.Version != reportVersion {
		return fmt.Errorf("got report version %d, want %d", j.Version, reportVersion)
	}
	*x = Exploration{Name: j.Name, Bounds: j.Bounds, Schedules: j.Schedules, Drawn: j.Drawn, Pruned: j.Pruned,
		Sampled: j.Sampled, Waiting: j.Waiting, Complete: j.Complete, Delays: j.Delays, Outcomes: j.Outcomes, Reached: j.Reached}
	for _, f := range j.Findings {
		x.Findings = append(x.Findings, f.finding(j.Name))
	}
	for _, f := range j.Undecided {
		x.Undecided = append(x.Undecided, f.finding(j.Name))
	}
	return nil
}

// Merge returns the exploration that the shards did together: what one process
// would have done, if each shard came to its end.
func Merge(shards []*Exploration) (*Exploration, error) {
	if len(shards) == 0 {
		return nil, fmt.Errorf("nothing to merge")
	}
	all := &Exploration{Name: shards[0].Name, Bounds: shards[0].Bounds}
	counts := make([]search.Counts, len(shards))
	for i, x := range shards {
		if x.Name != all.Name || !reflect.DeepEqual(x.Bounds, all.Bounds) {
			return nil, fmt.Errorf("%s and %s are not shards of one exploration", all.Name, x.Name)
		}
		counts[i] = x.counts()
		all.Findings = append(all.Findings, x.Findings...)
		all.Undecided = append(all.Undecided, x.Undecided...)
	}
	all.count(search.Merge(counts))
	all.Undecided = distinct(all.Undecided)
	all.Findings = distinct(append(all.Findings, all.unreached()...))
	return all, nil
}
