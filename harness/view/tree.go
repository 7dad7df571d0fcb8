package view

// Tree is the schedules that an exploration ran.
type Tree struct {
	// Coverage says in words what was covered.
	Coverage string `json:"coverage"`
	// Names is the names of choices, each once.
	Names []string `json:"names"`
	// Schedules is in the order in which they ran.
	Schedules []Schedule `json:"schedules"`
	// Left is how many more schedules ran that the tree does not show.
	Left int `json:"left,omitempty"`
}

// Schedule is one schedule of an exploration.
type Schedule struct {
	// Choices is indexes of names.
	Choices []int `json:"choices"`
	// Result is "held", "failed", "undecided", or "pruned": left out because it is equal
	// to another schedule.
	Result string `json:"result"`
	// Text is the outcome, or the failure.
	Text string `json:"text,omitempty"`
	// Run is the index of the run of the page that shows it, from 1; 0 if none does.
	Run int `json:"run,omitempty"`
}

// Matrix is the results of cases for subjects.
type Matrix struct {
	Subjects []string     `json:"subjects"`
	Cases    []MatrixCase `json:"cases"`
}

// MatrixCase is the results of one case.
type MatrixCase struct {
	Name  string `json:"name"`
	Claim string `json:"claim"`
	Cells []Cell `json:"cells"`
}

// Cell is the result of a case for a subject.
type Cell struct {
	// State is "held", "failed", "quirk", "undecided" or "n/a".
	State string `json:"state"`
	// Schedules is how many were tried.
	Schedules int `json:"schedules,omitempty"`
	// Text says why.
	Text string `json:"text,omitempty"`
	// Runs is the indexes of its runs in the page.
	Runs []int `json:"runs,omitempty"`
}
