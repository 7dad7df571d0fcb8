package view_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/halfopen/halfopen/harness/view"
)

// example returns a run of each kind of lane and step, with texts that HTML must not read.
func example() *view.Run {
	began := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	return &view.Run{
		Name: "Test</script><b>", Verdict: "failed", Began: began, Again: "go test .", Schedule: []string{"start r1", "c1 client->server data"},
		Failures: []view.Failure{{Kind: "body", Text: "r1: <i>never</i> closed; it is #1", Where: "a.go:1", Step: 5}},
		Sources:  map[string]string{"b.go:2": "second()", "a.go:1": "first()"},
		Lanes: []view.Lane{
			{Kind: view.OpLane, ID: "r1", Title: "GET http://api.test/?a=1;b#c", Where: "a.go:1"},
			{Kind: view.DialLane, ID: "d1", Title: "api.test:80", Owner: "r1"},
			{Kind: view.ConnLane, ID: "c1", Title: "api.test:80", Owner: "r1", Client: "198.18.0.2:32768", Server: "198.18.0.1:80"},
			{Kind: view.PoolLane, ID: "api.test:80"},
			{Kind: view.TimerLane, ID: "r1 deadline"},
		},
		Steps: []view.Step{
			{Kind: view.SectionStep, Text: "The server ends; it is \"late\" #1."},
			{Kind: view.VerbStep, Text: "get r1 http://api.test/", Where: "a.go:1", Changes: []view.Change{
				{Lane: 0, State: view.Waiting}, {Lane: 1, State: view.Dialing}, {Lane: 4, State: view.Waiting, Note: "+5s"}}},
			{Kind: view.EventStep, Text: "dial d1 api.test:80 open c1", Event: &view.Event{What: "dial", Lane: "d1", Outcome: "open c1", Since: 1}, Changes: []view.Change{
				{Lane: 1, State: view.Opened, Note: "c1"}, {Lane: 2, State: view.InUse, Note: "r1", Ends: &[2]string{"ESTABLISHED*", "ESTABLISHED*"}, Queues: &[2][2]int{{3, 0}, {0, 0}}},
				{Lane: 3, State: view.Opened, Counts: &[4]int{0, 1, 0, 1}}}},
			{Kind: view.EventStep, Text: "c1 client->server data", Event: &view.Event{What: "data", Lane: "c1", From: "client", Since: 2, Size: 18, Bytes: []byte("GET / HTTP/1.1\r\n\r\n")}, Changes: []view.Change{
				{Lane: 0, State: view.Sent, Note: "on c1"}}},
			{Kind: view.TimeStep, At: 5 * time.Second, Text: "5s later", Changes: []view.Change{{Lane: 4, State: view.Done}}},
			{Kind: view.EventStep, At: 5 * time.Second, Text: "c1 server fin", Event: &view.Event{What: "fin", Lane: "c1", From: "server", Since: 3}, Changes: []view.Change{
				{Lane: 0, State: view.Failed, Note: "EOF"}, {Lane: 2, State: view.HalfOpen, Ends: &[2]string{"CLOSE_WAIT*", "FIN_WAIT2"}}}},
			{Kind: view.LogStep, At: 5 * time.Second, Text: "server: over"},
			{Kind: view.EventStep, At: 5 * time.Second, Text: "c1 client rst", Event: &view.Event{What: "rst", Lane: "c1", From: "client", Fault: true, Outcome: "corrupt", Since: 5}},
		},
	}
}

func htmlOf(t *testing.T, p *view.Page) string {
	t.Helper()
	var b bytes.Buffer
	if err := p.WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A page has the same bytes each time, and gives its data back.
func TestHTML(t *testing.T) {
	page := &view.Page{Title: "Test</title><script>", Runs: []*view.Run{example()},
		Tree:   &view.Tree{Coverage: "all 2 schedules", Names: []string{"start r1"}, Schedules: []view.Schedule{{Choices: []int{0}, Result: "failed", Run: 1}}},
		Matrix: &view.Matrix{Subjects: []string{"net/http"}, Cases: []view.MatrixCase{{Name: "reuse", Cells: []view.Cell{{State: "held", Runs: []int{0}}}}}}}
	text := htmlOf(t, page)
	if htmlOf(t, page) != text {
		t.Error("got two pages that differ")
	}
	back, err := view.ReadHTML(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(back, page) {
		t.Errorf("got %+v back, want %+v", back, page)
	}
	if want := "<title>Test&lt;/title&gt;&lt;script&gt;</title>"; !strings.Contains(text, want) {
		t.Errorf("got no %s", want)
	}
	if strings.Contains(text, "<i>never") || strings.Contains(text, "Test</script>") {
		t.Error("got data that HTML would read as its own")
	}
}

// A page asks nothing of any network: its policy forbids that, and no address but those of
// comments and of namespaces is in it.
func TestHTMLNeedsNoNetwork(t *testing.T) {
	text := htmlOf(t, &view.Page{Title: "T"})
	for _, want := range []string{"default-src 'none'", `"lit-html":"data:text/javascript;base64,`, "Redistribution and use in source and binary forms"} {
		if !strings.Contains(text, want) {
			t.Errorf("got no %q", want)
		}
	}
	for _, tag := range []string{"<link rel=\"stylesheet\"", "<script src", "@import", "url(http", "src=\"http"} {
		if strings.Contains(text, tag) {
			t.Errorf("got %q", tag)
		}
	}
}

// The data of a large page is compressed, and comes back too.
func TestHTMLLarge(t *testing.T) {
	page := &view.Page{Title: "large"}
	for range 1000 {
		page.Runs = append(page.Runs, example())
	}
	text := htmlOf(t, page)
	back, err := view.ReadHTML(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(back, page) || len(text) > 1<<20 {
		t.Errorf("got a page of %d bytes with %d runs, want one of less than a MiB with %d", len(text), len(back.Runs), len(page.Runs))
	}
}

// What is no page is refused.
func TestReadHTML(t *testing.T) {
	for name, text := range map[string]string{
		"another page": "<html></html>",
		"no data":      htmlOf(t, new(view.Page))[:2000],
		"cut":          `<script id="data" type="application/json">{"title":"T`,
		"no archive":   `<script id="data" type="application/gzip">eyJ0aXRsZSI6IlQifQ==</script>`,
	} {
		if _, err := view.ReadHTML(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), "this page") && !strings.Contains(err.Error(), "no page of halfopen") {
			t.Errorf("%s: got %v, want an error about the page", name, err)
		}
	}
}
