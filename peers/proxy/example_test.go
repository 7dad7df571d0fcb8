package proxy

import (
	"os"
	"strings"
	"testing"

	toxiproxy "github.com/Shopify/toxiproxy/v2/client"
)

// addLatency does what the documentation shows, with these addresses.
func addLatency(admin, listen, upstream string, check func(*toxiproxy.Proxy)) error {
	client := toxiproxy.NewClient(admin)
	proxy, err := client.CreateProxy("redis", listen, upstream)
	if err != nil {
		return err
	}
	if _, err := proxy.AddToxic("", "latency", "downstream", 1, toxiproxy.Attributes{"latency": 1000, "jitter": 100}); err != nil {
		return err
	}
	defer proxy.RemoveToxic("latency_downstream")
	check(proxy)
	return nil
}

// The lines that docs/services.md shows are those of addLatency, and work.
func TestServicesPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/services.md")
	if err != nil {
		t.Fatal(err)
	}
	own, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, shown, _ := strings.Cut(string(page), "its Go client:\n\n```go\n")
	shown, _, ok := strings.Cut(shown, "```")
	shown = strings.NewReplacer(`"127.0.0.1:8474"`, "admin", `"127.0.0.1:26379"`, "listen", `"127.0.0.1:6379"`, "upstream").Replace(shown)
	indented := "\t" + strings.ReplaceAll(strings.TrimSpace(shown), "\n", "\n\t") + "\n"
	if !ok || !strings.Contains(string(own), indented) {
		t.Errorf("the page shows other lines than the example has:\n%s", shown)
	}
	admin := start(t).admin
	err = addLatency(admin, "127.0.0.1:0", "127.0.0.1:1", func(proxy *toxiproxy.Proxy) {
		if list, err := proxy.Toxics(); err != nil || len(list) != 1 || list[0].Name != "latency_downstream" {
			t.Errorf("got %v, %v", list, err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}
