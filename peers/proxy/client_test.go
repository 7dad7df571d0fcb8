package proxy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	toxiproxy "github.com/Shopify/toxiproxy/v2/client"
)

// Every method of toxiproxy's client does on this proxy what its documentation says.
func TestClient(t *testing.T) {
	client := toxiproxy.NewClient(start(t).admin)

	if version, err := client.Version(); err != nil || !strings.HasPrefix(string(version), `{"version": "2.`) {
		t.Errorf("Version: got %s, %v, want one of API 2", version, err)
	}
	made, err := client.Populate([]toxiproxy.Proxy{
		{Name: "one", Listen: "127.0.0.1:0", Upstream: "127.0.0.1:1", Enabled: true},
		{Name: "two", Listen: "localhost:0", Upstream: "127.0.0.1:2"},
	})
	if err != nil || len(made) != 2 || !made[0].Enabled || made[1].Enabled {
		t.Fatalf("Populate: got %v, %v", made, err)
	}
	if strings.HasSuffix(made[0].Listen, ":0") {
		t.Errorf("Populate: got the address %s, want the port that was chosen", made[0].Listen)
	}
	three, err := client.CreateProxy("three", "127.0.0.1:0", "127.0.0.1:3")
	if err != nil || !three.Enabled || len(three.ActiveToxics) != 0 {
		t.Fatalf("CreateProxy: got %v, %v", three, err)
	}
	all, err := client.Proxies()
	if err != nil || len(all) != 3 || all["two"].Upstream != "127.0.0.1:2" {
		t.Errorf("Proxies: got %v, %v", all, err)
	}

	two, err := client.Proxy("two")
	if err != nil {
		t.Fatal(err)
	}
	two.Upstream = "127.0.0.1:22"
	if err := two.Save(); err != nil || two.Enabled {
		t.Errorf("Save: got %v, %v", two, err)
	}
	if err := two.Enable(); err != nil || !two.Enabled || strings.HasSuffix(two.Listen, ":0") {
		t.Errorf("Enable: got %v, %v", two, err)
	}
	if err := two.Disable(); err != nil || two.Enabled {
		t.Errorf("Disable: got %v, %v", two, err)
	}
	if err := client.ResetState(); err != nil {
		t.Errorf("ResetState: got %v", err)
	}
	if two, err = client.Proxy("two"); err != nil || !two.Enabled || two.Upstream != "127.0.0.1:22" {
		t.Errorf("got %v, %v, want it enabled by ResetState", two, err)
	}
	if err := two.Delete(); err != nil {
		t.Errorf("Delete: got %v", err)
	}
	if all, err := client.Proxies(); err != nil || len(all) != 2 {
		t.Errorf("Proxies: got %v, %v", all, err)
	}
}

// toxics has each type with attributes, as the client gives them.
var toxics = []toxiproxy.ToxicOptions{
	{ToxicName: "latency_up", ToxicType: "latency", Stream: "upstream", Toxicity: 0.5, Attributes: toxiproxy.Attributes{"latency": 1000.0, "jitter": 5.0}},
	{ToxicName: "latency_downstream", ToxicType: "latency", Stream: "downstream", Toxicity: 1, Attributes: toxiproxy.Attributes{"latency": 100.0, "jitter": 0.0}},
	{ToxicName: "narrow", ToxicType: "bandwidth", Stream: "downstream", Toxicity: 1, Attributes: toxiproxy.Attributes{"rate": 32.0}},
	{ToxicName: "slow", ToxicType: "slow_close", Stream: "downstream", Toxicity: 1, Attributes: toxiproxy.Attributes{"delay": 500.0}},
	{ToxicName: "hang", ToxicType: "timeout", Stream: "downstream", Toxicity: 1, Attributes: toxiproxy.Attributes{"timeout": 0.0}},
	{ToxicName: "rst", ToxicType: "reset_peer", Stream: "downstream", Toxicity: 1, Attributes: toxiproxy.Attributes{"timeout": 10.0}},
	{ToxicName: "slices", ToxicType: "slicer", Stream: "downstream", Toxicity: 1, Attributes: toxiproxy.Attributes{"average_size": 64.0, "size_variation": 32.0, "delay": 10.0}},
	{ToxicName: "short", ToxicType: "limit_data", Stream: "downstream", Toxicity: 1, Attributes: toxiproxy.Attributes{"bytes": 1000.0}},
}

// Toxics are added, listed in the order of their streams, changed and removed by each method of
// the client that does so.
func TestClientToxics(t *testing.T) {
	client := toxiproxy.NewClient(start(t).admin)
	proxy, err := client.CreateProxy("redis", "127.0.0.1:0", "127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range toxics {
		o.ProxyName = "redis"
		name := o.ToxicName
		if name == "latency_downstream" {
			o.ToxicName, o.Stream = "", "" // the defaults
		}
		if _, err := client.AddToxic(&o); err != nil {
			t.Errorf("AddToxic %s: got %v", name, err)
		}
	}
	shown := func(list toxiproxy.Toxics) (texts []string) {
		for _, x := range list {
			texts = append(texts, fmt.Sprintf("%s %s %s %v %v", x.Name, x.Type, x.Stream, x.Toxicity, x.Attributes))
		}
		return texts
	}
	var want toxiproxy.Toxics
	for _, o := range toxics {
		if o.ToxicName == "latency_downstream" {
			o.Stream = "downstream"
		}
		want = append(want, toxiproxy.Toxic{Name: o.ToxicName, Type: o.ToxicType, Stream: o.Stream, Toxicity: o.Toxicity, Attributes: o.Attributes})
	}
	list, err := proxy.Toxics()
	if err != nil || !slices.Equal(shown(list), shown(want)) {
		t.Errorf("Toxics: got %v\n%q\nwant\n%q", err, shown(list), shown(want))
	}
	if again, err := client.Proxy("redis"); err != nil || !slices.Equal(shown(again.ActiveToxics), shown(want)) {
		t.Errorf("Proxy: got %v\n%q", err, shown(again.ActiveToxics))
	}

	changed, err := proxy.UpdateToxic("latency_up", -1, toxiproxy.Attributes{"jitter": 100})
	if err != nil || shown(toxiproxy.Toxics{*changed})[0] != "latency_up latency upstream 0.5 map[jitter:100 latency:1000]" {
		t.Errorf("UpdateToxic: got %v, %v, want what is not mentioned to stay", changed, err)
	}
	changed, err = client.UpdateToxic(&toxiproxy.ToxicOptions{ProxyName: "redis", ToxicName: "short", Toxicity: 0.25, Attributes: toxiproxy.Attributes{"bytes": 7}})
	if err != nil || shown(toxiproxy.Toxics{*changed})[0] != "short limit_data downstream 0.25 map[bytes:7]" {
		t.Errorf("UpdateToxic: got %v, %v", changed, err)
	}
	if err := proxy.RemoveToxic("short"); err != nil {
		t.Errorf("RemoveToxic: got %v", err)
	}
	if err := client.RemoveToxic(&toxiproxy.ToxicOptions{ProxyName: "redis", ToxicName: "slices"}); err != nil {
		t.Errorf("RemoveToxic: got %v", err)
	}
	if list, err := proxy.Toxics(); err != nil || len(list) != len(toxics)-2 {
		t.Errorf("Toxics: got %q, %v", shown(list), err)
	}
	if err := client.ResetState(); err != nil {
		t.Fatal(err)
	}
	if list, err := proxy.Toxics(); err != nil || len(list) != 0 {
		t.Errorf("Toxics after ResetState: got %q, %v", shown(list), err)
	}
}

// Mistakes are the errors of toxiproxy's client, with the status that toxiproxy documents.
func TestClientMistakes(t *testing.T) {
	client := toxiproxy.NewClient(start(t).admin)
	proxy, err := client.CreateProxy("redis", "127.0.0.1:0", "127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := proxy.AddToxic("lag", "latency", "", 1, nil); err != nil {
		t.Fatal(err)
	}
	add := func(kind, stream string, a toxiproxy.Attributes) error {
		_, err := proxy.AddToxic("", kind, stream, 1, a)
		return err
	}
	for _, tt := range []struct {
		name   string
		do     func() error
		status int
		text   string
	}{
		{"no such proxy", func() error { _, err := client.Proxy("none"); return err }, 404, "proxy not found"},
		{"name that is taken", func() error { _, err := client.CreateProxy("redis", "127.0.0.1:0", "127.0.0.1:1"); return err }, 409, "proxy already exists"},
		{"no name", func() error { _, err := client.CreateProxy("", "127.0.0.1:0", "127.0.0.1:1"); return err }, 400, "missing required field: name"},
		{"no upstream", func() error { _, err := client.CreateProxy("x", "127.0.0.1:0", ""); return err }, 400, "missing required field: upstream"},
		{"no name in a list", func() error { _, err := client.Populate([]toxiproxy.Proxy{{Upstream: "a:1"}}); return err }, 400, "missing required field: name at proxy 1"},
		{"port in use", func() error { _, err := client.CreateProxy("x", proxy.Listen, "127.0.0.1:1"); return err }, 500, "bind: "},
		{"no loopback", func() error { _, err := client.CreateProxy("x", "192.0.2.1:80", "127.0.0.1:1"); return err }, 500, "not an address of loopback"},
		{"unknown type", func() error { return add("latnecy", "", nil) }, 400, "invalid toxic type"},
		{"unknown stream", func() error { return add("latency", "sideways", nil) }, 400, "stream was invalid"},
		{"text for a number", func() error { return add("latency", "upstream", toxiproxy.Attributes{"latency": "slow"}) }, 400, "bad request body"},
		{"negative latency", func() error { return add("latency", "upstream", toxiproxy.Attributes{"latency": -1}) }, 400, "attribute latency: got -1, want at least 0"},
		{"no size", func() error { return add("slicer", "", nil) }, 400, "attribute average_size: got 0, want at least 1"},
		{"toxic that is there", func() error { _, err := proxy.AddToxic("lag", "timeout", "", 1, nil); return err }, 409, "toxic already exists"},
		{"no such toxic", func() error { return proxy.RemoveToxic("none") }, 404, "toxic not found"},
		{"no such toxic to change", func() error { _, err := proxy.UpdateToxic("none", 1, nil); return err }, 404, "toxic not found"},
	} {
		err := tt.do()
		known, ok := errors.AsType[*toxiproxy.ApiError](err)
		if !ok || known.Status != tt.status || !strings.Contains(known.Message, tt.text) {
			t.Errorf("%s: got %v, want status %d and %q", tt.name, err, tt.status, tt.text)
		}
	}
}
