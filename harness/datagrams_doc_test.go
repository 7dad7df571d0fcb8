package harness_test

import (
	"os"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness"
)

// The script of docs/datagrams.md holds, and its table has each verdict about datagrams.
func TestDatagramsDocument(t *testing.T) {
	const file = "../docs/datagrams.md"
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "\n```\n")
	text, rest, found := strings.Cut(rest, "\n```\n")
	if !found {
		t.Fatalf("%s: no script", file)
	}
	script, err := harness.ParseScript(file, []byte(text+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	report, err := script.TestReport(nil)
	if err != nil || report.Failed() {
		t.Errorf("%v\n%s", err, report)
	}
	_, table, _ := strings.Cut(rest, "| verdict |")
	table, _, _ = strings.Cut(table, "\n\n")
	for _, v := range faultnet.Verdicts() {
		if v.Kinds()&faultnet.Packet != 0 && !v.IsHold() && !strings.Contains(table, "`"+v.String()) {
			t.Errorf("%s: the table lacks %s", file, v)
		}
	}
}
