package subjects

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/suites"
)

// Kafka makes a [kgo.Client]: each operation asks for the metadata of a topic.
func Kafka(t *harness.T, s suites.ClientSettings) (suites.Client, error) {
	if s.MaxConns > 0 || s.MaxIdle > 0 || s.MinIdle > 0 || s.MaxLifetime > 0 {
		return nil, errors.New("franz-go has no limit of connections: it opens a few to each broker")
	}
	if s.TLS != nil {
		return nil, errors.New("franz-go leaves TLS to the dialer")
	}
	seeds := []string{s.Addr}
	if s.Fallback != "" {
		seeds = append(seeds, s.Fallback)
	}
	c, err := kgo.NewClient(kgo.SeedBrokers(seeds...), kgo.Dialer(t.Net.DialContext), kgo.ConnIdleTimeout(orElse(s.IdleTimeout, 15*time.Minute)), // it takes no more
		kgo.RequestTimeoutOverhead(orElse(s.Timeout, 10*time.Minute)), kgo.RequestRetries(0), kgo.MetadataMaxAge(time.Hour), kgo.DisableClientMetrics())
	if err != nil {
		return nil, err
	}
	return suites.NewClient(func(ctx context.Context, say string) (string, error) {
		topic := kmsg.NewMetadataRequestTopic()
		topic.Topic = &say
		m := kmsg.NewPtrMetadataRequest()
		m.Topics = append(m.Topics, topic)
		answer, err := m.RequestWith(ctx, c)
		if err != nil || len(answer.Topics) != 1 || answer.Topics[0].Topic == nil {
			return "", orElse(err, errors.New("not one topic"))
		}
		return *answer.Topics[0].Topic, nil
	}, func() error { c.Close(); return nil }), nil
}

// FakeKafka runs kfake, with one broker and no topic, on the network.
func FakeKafka(t *harness.T, addr string) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.ListenFn(func(string, string) (net.Listener, error) {
		l, err := t.Net.Listen("tcp", addr)
		return namedListener{l, addr}, err
	}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
}

// namedListener has the address that the cluster names to clients.
type namedListener struct {
	net.Listener
	addr string
}

func (l namedListener) Addr() net.Addr { return oneServer(l.addr) }

var kafkaVersion = suites.Versions{Module: "github.com/twmb/franz-go", From: "v1.22.3"}

// Files and lines are those of franz-go/pkg/kgo.
var kafkaQuirks = quirk(suites.Quirk{
	Reason: "the address that the client begins with and the broker that it finds there are two brokers to it, with connections of their own, though they are one server: Client.broker (client.go:905) takes turns among both",
	Breaks: "nothing: kgo: SeedBrokers sets the seed brokers for the client to use", Versions: kafkaVersion,
}, "reuse-sequential", "cancel-before-idle", "idle-kept")
