package view_test

import (
	"log"
	"os"
	"time"

	"github.com/halfopen/halfopen/harness/view"
)

// A run is plain data: who took part, and what happened when. It can be drawn as a diagram for a report of a
// bug, which GitHub shows as a picture.
func ExampleRun_WriteMermaid() {
	run := &view.Run{Name: "TestPool", Lanes: []view.Lane{
		{Kind: view.OpLane, ID: "r1", Title: "GET http://api.test/"},
		{Kind: view.ConnLane, ID: "c1", Title: "api.test:80", Owner: "r1"},
	}, Steps: []view.Step{
		{Kind: view.VerbStep, Text: "get r1 http://api.test/"},
		{Kind: view.EventStep, At: time.Second, Text: "c1 server fin", Event: &view.Event{What: "fin", Lane: "c1", From: "server"}},
	}}
	if err := run.WriteMermaid(os.Stdout); err != nil {
		log.Fatal(err)
	}
	// Output:
	// sequenceDiagram
	//     participant client
	//     participant h1 as api.test:80
	//     Note over client: get r1 http://api.test/
	//     Note over client: 1s later
	//     h1-)client: c1 FIN
}
