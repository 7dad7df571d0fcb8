package subjects

import (
	"sync"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/suites"
)

// Transport is a peer that is an HTTP client.
type Transport struct {
	Name   string
	Maker  harness.Maker
	Speaks []suites.Protocol
	Quirks []suites.Quirk
}

// Transports returns the peers that are HTTP clients.
func Transports() []Transport {
	return []Transport{
		{"fasthttp Client", FastClient, []suites.Protocol{suites.HTTP1}, fastQuirks},
		{"fasthttp HostClient", FastHostClient, []suites.Protocol{suites.HTTP1}, fastQuirks},
		{"x/oauth2", oauth2Transport, []suites.Protocol{suites.HTTP1}, oauth2Quirks},
		{"go-retryablehttp", retryable, []suites.Protocol{suites.HTTP1}, retryableQuirks},
		{"otelhttp", otel, []suites.Protocol{suites.HTTP1}, otelQuirks},
		{"gregjones/httpcache", cached, []suites.Protocol{suites.HTTP1}, cachedQuirks},
		{"x/time/rate in front", limitedTransport, []suites.Protocol{suites.HTTP1}, limitedQuirks},
		{"x/sync/singleflight in front", sharedTransport, []suites.Protocol{suites.HTTP1}, sharedQuirks},
		{http2Name, HTTP2, []suites.Protocol{suites.H2, suites.H2C}, http2Quirks},
		{"imroc/req", Req, []suites.Protocol{suites.HTTP1}, reqQuirks},
	}
}

// Clients returns the peers that are other clients or pools.
func Clients() []suites.ClientSubject {
	return []suites.ClientSubject{
		{Name: "redigo", Make: Redigo, Serve: Redis, KnowsAges: true, KnowsServers: true, Quirks: redigoQuirks},
		{Name: "go-redis", Make: GoRedis, Serve: Redis, IgnoresCancel: true, KnowsAges: true, KnowsServers: true, Quirks: goredisQuirks},
		suites.PoolSubject("puddle", Puddle, puddleQuirks...),
		{Name: "pgxpool", Make: Pgx, Serve: Postgres, Aside: cancelRequest, KnowsAges: true, KnowsServers: true, Quirks: pgxQuirks},
		{Name: "database/sql", Make: SQL, Randomized: true, KnowsAges: true, KnowsServers: true},
		{Name: "grpc-go", Make: GRPC, Serve: EchoRPC, KnowsServers: true, Quirks: grpcQuirks},
		{Name: "gomemcache", Make: Memcache, Serve: Memcached, IgnoresCancel: true, KnowsAges: true, KnowsServers: true, Quirks: memcacheQuirks},
		{Name: "go-sql-driver/mysql", Make: MySQL, Serve: MySQLServer, Randomized: true, KnowsAges: true, KnowsServers: true, Quirks: mysqlQuirks},
		{Name: "lib/pq", Make: LibPQ, Serve: Postgres, IgnoresCancel: true, Randomized: true, Aside: cancelRequest, KnowsAges: true, KnowsServers: true, Quirks: libpqQuirks},
		{Name: "resty", Make: Resty, Serve: EchoHTTP, KnowsServers: true, Quirks: restyQuirks},
		{Name: "franz-go", Make: Kafka, Serve: FakeKafka, KnowsAges: true, KnowsServers: true, Quirks: kafkaQuirks},
		{Name: "amqp091-go", Make: AMQP, Serve: Rabbit, IgnoresCancel: true, KnowsAges: true, KnowsServers: true, Quirks: amqpQuirks},
		{Name: "nats.go", Make: NATS, Serve: EchoNATS, KnowsAges: true, KnowsServers: true, Pools: []*sync.Pool{&natsTimers}, Quirks: natsQuirks},
		{Name: "gorilla/websocket", Make: Gorilla, Serve: EchoWebSocket, KnowsAges: true, KnowsServers: true, Quirks: gorillaQuirks},
		{Name: "coder/websocket", Make: Coder, Serve: EchoWebSocket, KnowsAges: true, KnowsServers: true},
		{Name: "mongo-driver", Make: Mongo, Serve: Mongos, KnowsAges: true, KnowsServers: true, Quirks: mongoQuirks},
		{Name: "rueidis", Make: Rueidis, Serve: Redis, IgnoresCancel: true, KnowsAges: true, KnowsServers: true},
		{Name: "rueidis pool", Make: RueidisPool, Serve: Redis, IgnoresCancel: true, Aside: rueidisAside, KnowsAges: true, KnowsServers: true, Quirks: rueidisPoolQuirks},
		{Name: "gocql", Make: Cassandra, Serve: Ring, KnowsAges: true, KnowsServers: true, Quirks: cassandraQuirks},
		suites.PoolSubject("silenceper/pool", Silenceper, silenceperQuirks...),
		suites.PoolSubject("go-commons-pool", Commons, commonsQuirks...),
	}
}
