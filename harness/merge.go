package harness

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/halfopen/halfopen/harness/internal/search"
	"github.com/halfopen/halfopen/internal/jsonfile"
)

// reportVersion is the version of the JSON form of an [Exploration].
const reportVersion = 3

// explorationJSON is the form in which shards report.
type explorationJSON struct {
	Version   int            `json:"version"`
	Name      string         `json:"name"`
	Bounds    Bounds         `json:"bounds"`
	Shard     int            `json:"shard"` // from 0
	Shards    int            `json:"shards"`
	Program   string         `json:"program"`
	Schedules int            `json:"schedules"`
	Drawn     int            `json:"drawn"`
	Pruned    int            `json:"pruned"`
	Sampled   int            `json:"sampled"`
	Repeated  int            `json:"repeated,omitempty"`
	Differed  int            `json:"differed,omitempty"`
	Differ    []string       `json:"difference,omitempty"`
	Waiting   int            `json:"waiting"`
	Estimate  int            `json:"estimate,omitempty"`
	Error     int            `json:"estimate_error,omitempty"`
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
	Holds    string   `json:"holds,omitempty"`
}

// MarshalJSON returns the exploration as a shard reports it.
func (x *Exploration) MarshalJSON() ([]byte, error) {
	j := explorationJSON{Version: reportVersion, Name: x.Name, Bounds: x.Bounds, Shard: x.Shard.Index, Shards: max(1, x.Shard.Total), Program: x.Program, Schedules: x.Schedules,
		Drawn: x.Drawn, Pruned: x.Pruned, Sampled: x.Sampled, Waiting: x.Waiting, Complete: x.Complete, Delays: x.Delays,
		Estimate: x.Estimate, Error: x.EstimateError, Repeated: x.Repeated, Differed: x.Differed, Differ: x.Difference,
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
	return findingJSON{f.Schedule, first.Kind, first.Text, f.Report.String(), f.Script, f.cost, f.as, first.Detail, f.account, f.NotShortest, f.holds}
}

// finding returns the finding that toJSON made f of.
func (f findingJSON) finding(name string) *Finding {
	return &Finding{Schedule: f.Schedule, Script: f.Script, cost: f.Cost, as: f.As, account: f.Account, NotShortest: f.Stopped, holds: f.Holds,
		Report: &Report{Name: name, Failures: []Failure{{Kind: f.Kind, Text: f.Text, Detail: f.Detail}}, text: f.Report}}
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (x *Exploration) UnmarshalJSON(data []byte) error {
	var j explorationJSON
	if err := json.Unmarshal(data, &j); err != nil {
		return err
	}
	if j.Version != reportVersion {
		return fmt.Errorf("got report version %d, want %d: it is no report of halfopen explore -json, or one of another version of halfopen", j.Version, reportVersion)
	}
	if j.Shards < 1 || j.Shard < 0 || j.Shard >= j.Shards {
		return fmt.Errorf("got shard %d of %d, counted from 0", j.Shard, j.Shards)
	}
	*x = Exploration{Name: j.Name, Bounds: j.Bounds, Shard: shardOf(search.Shard{Index: j.Shard, Total: j.Shards}), Program: j.Program, Schedules: j.Schedules, Drawn: j.Drawn, Pruned: j.Pruned,
		Sampled: j.Sampled, Waiting: j.Waiting, Complete: j.Complete, Delays: j.Delays, Outcomes: j.Outcomes, Reached: j.Reached,
		Estimate: j.Estimate, EstimateError: j.Error, Repeated: j.Repeated, Differed: j.Differed, Difference: j.Differ}
	for _, f := range j.Findings {
		x.Findings = append(x.Findings, f.finding(j.Name))
	}
	for _, f := range j.Undecided {
		x.Undecided = append(x.Undecided, f.finding(j.Name))
	}
	return nil
}

// Merge returns the exploration that the shards did together: what one process
// would have done, if each shard came to its end. It is an error if one of them is
// missing, comes twice, or belongs to another exploration.
func Merge(shards []*Exploration) (*Exploration, error) {
	names := make([]string, len(shards))
	for i := range shards {
		names[i] = fmt.Sprintf("report %d", i+1)
	}
	return merge(shards, names)
}

// MergeFiles reads the JSON reports of shards and merges them, as [Merge] does.
func MergeFiles(files ...string) (*Exploration, error) {
	var shards []*Exploration
	for _, file := range files {
		data, err := readFile(file, mostInReport)
		if err != nil {
			return nil, err
		}
		x := new(Exploration)
		if err := json.Unmarshal(data, x); err != nil {
			return nil, jsonfile.Mistake(file, data, "a report of halfopen explore -json", err)
		}
		shards = append(shards, x)
	}
	return merge(shards, files)
}

// merge is Merge of reports with names.
func merge(shards []*Exploration, names []string) (*Exploration, error) {
	if len(shards) == 0 {
		return nil, fmt.Errorf("nothing to merge")
	}
	if err := checkShards(shards, names); err != nil {
		return nil, err
	}
	all := &Exploration{Name: shards[0].Name, Bounds: shards[0].Bounds, Program: shards[0].Program}
	counts := make([]search.Counts, len(shards))
	for i, x := range shards {
		counts[i] = x.counts()
		all.Findings = append(all.Findings, x.Findings...)
		all.Undecided = append(all.Undecided, x.Undecided...)
		all.Repeated += x.Repeated
		all.Differed += x.Differed
		if all.Difference == nil {
			all.Difference = x.Difference
		}
	}
	all.count(search.Merge(counts))
	all.Undecided = distinct(all.Undecided)
	all.Findings = distinct(append(all.Findings, all.unreached()...))
	return all, nil
}

// differing returns the fields of two bounds that differ.
func differing(a, b Bounds) (ofA, ofB string) {
	var as, bs []string
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	for i := range x.NumField() {
		if !x.Type().Field(i).IsExported() {
			continue
		}
		f, g := x.Field(i).Interface(), y.Field(i).Interface()
		if !reflect.DeepEqual(f, g) {
			name := x.Type().Field(i).Name
			as, bs = append(as, fmt.Sprintf("%s %v", name, f)), append(bs, fmt.Sprintf("%s %v", name, g))
		}
	}
	return strings.Join(as, ", "), strings.Join(bs, ", ")
}

// mostMissing is how many missing shards are named.
const mostMissing = 16

// checkShards returns an error that names the reports, if they are not each shard of one
// exploration, once.
func checkShards(shards []*Exploration, names []string) error {
	first := shards[0]
	total := max(1, first.Shard.Total)
	of := make(map[int]string, len(shards)) // which report has each shard
	for i, x := range shards {
		foreign := func(what string, got, want any) error {
			return fmt.Errorf("%s and %s are not shards of one exploration: the %s differ: %v and %v", names[0], names[i], what, want, got)
		}
		switch {
		case x.Name != first.Name:
			return foreign("names", x.Name, first.Name)
		case !reflect.DeepEqual(x.Bounds, first.Bounds):
			got, want := differing(x.Bounds, first.Bounds)
			return foreign("bounds", got, want)
		case max(1, x.Shard.Total) != total:
			return foreign("numbers of shards", max(1, x.Shard.Total), total)
		case x.Program != first.Program:
			return foreign("programs", x.Program, first.Program)
		case of[x.Shard.Index] != "":
			return fmt.Errorf("%s and %s are the same shard, %d of %d", of[x.Shard.Index], names[i], x.Shard.Index+1, total)
		}
		of[x.Shard.Index] = names[i]
	}
	var missing []string
	for i := 0; i < total && len(missing) < mostMissing; i++ {
		if of[i] == "" {
			missing = append(missing, Shard{i, total}.String())
		}
	}
	if n := total - len(of) - len(missing); n > 0 {
		missing = append(missing, fmt.Sprintf("and %d more", n))
	}
	if len(missing) > 0 {
		return fmt.Errorf("missing: shard %s; there are: %s", strings.Join(missing, ", "), strings.Join(names, ", "))
	}
	return nil
}
