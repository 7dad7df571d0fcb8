package harness_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/harness"
)

// row is a fault of the catalogue: the line of a script that causes it, what
// causes it in Go, and the rest of a script that shows what a client sees.
type row struct {
	place, fault string
	line         string // with the verb; the script has it
	goForm       string
	script       string
}

// The beginnings that most scripts share.
const (
	dialing = "serve api.test:80\nget r1 http://api.test/\nwant dial d1\n"
	peering = "peer api.test:80\nget r1 http://api.test/\nopen d1\n"
	idling  = "peer api.test:80\nget r1 http://api.test/\nopen d1\nrespond c1 200 ok\nwant body r1 ok\n"
	serving = "serve api.test:80\nget r1 http://api.test/\n"
	again   = "get r2 http://api.test/\nopen d2\nrespond c2 200 ok\nwant body r2 ok\n"
)

// TestCatalogue runs the script of every row of the catalogue.
func TestCatalogue(t *testing.T) {
	for _, r := range catalogue() {
		t.Run(r.place+"/"+r.fault, func(t *testing.T) {
			if !strings.Contains("\n"+r.script+"\n", "\n"+r.line+"\n") {
				t.Fatalf("the script does not have the line %q:\n%s", r.line, r.script)
			}
			s, err := harness.ParseScript("row.txtar", []byte("# "+r.place+": "+r.fault+".\n"+r.script+"\n"))
			if err != nil {
				t.Fatal(err)
			}
			report, err := s.Run(nil)
			if err != nil {
				t.Fatal(err)
			}
			if report.Failed() {
				t.Errorf("%s", report)
			}
		})
	}
}

func catalogue() []row {
	return slices.Concat(rowsDial, rowsProxy, rowsTLS, rowsStream, rowsIdle, rowsHost, rowsHTTP1, rowsHTTP2, rowsRST())
}

// A dial fails.
func fails(line, goForm, fault, want string) row {
	return row{"dial", fault, line, goForm, dialing + line + "\nwant err r1 " + want}
}

func resolves(fault, line, goForm, want string) row {
	return row{"resolve", fault, line, goForm, dialing + line + "\nwant err r1 " + want}
}

var rowsDial = []row{
	resolves("no such host", "fail d1 no-host", "faultnet.NoHost", "'lookup api.test: no such host'"),
	resolves("server failure", "fail d1 server-failure", "faultnet.ServerFailure", "'lookup api.test: server misbehaving'"),
	resolves("temporary error", "fail d1 try-again", "faultnet.TryAgain", "'lookup api.test: Temporary failure in name resolution'"),
	resolves("timeout", "fail d1 resolve-timeout", "faultnet.ResolveTimeout", "'lookup api.test: i/o timeout'"),
	{"resolve", "slow", "fail d1 lookup:3s", "faultnet.Lookup",
		dialing + "fail d1 lookup:3s\nadvance 2s\nwant pending r1\nadvance 1s\nwant body r1 ok"},
	resolves("empty answer", "fail d1 empty-answer", "faultnet.EmptyAnswer", "'address api.test: no suitable address found'"),
	{"resolve", "cancel during lookup", "fail d1 lookup:3s", "faultnet.Lookup",
		dialing + "fail d1 lookup:3s\ncancel r1\nwant err r1 canceled\nadvance 3s"},
	{"resolve", "several addresses with some dead", "resolve api.test a.test b.test", "faultnet.Net.Resolve",
		"serve b.test:80\nresolve api.test a.test b.test\nresolve a.test 198.18.9.9\nget r1 http://api.test/\nfail d1 refuse\nopen d2\nwant body r1 ok"},
	{"resolve", "answer changes between lookups", "resolve api.test b.test", "faultnet.Net.Resolve",
		"peer a.test:80\npeer b.test:80\nresolve api.test a.test\nget r1 http://api.test/\nopen d1\nrespond c1 200 a\nwant body r1 a\nclose-idle\nresolve api.test b.test\nget r2 http://api.test/\nopen d2\nrespond c2 200 b\nwant body r2 b"},

	fails("fail d1 refuse", "faultnet.Refuse", "refused", "refused"),
	fails("fail d1 timeout", "faultnet.TimeOut", "timeout", "timeout"),
	{"dial", "SYN into a black hole", "fail d1 black-hole", "faultnet.BlackHole",
		dialing + "fail d1 black-hole\nadvance 126s\nwant pending r1\nadvance 1s\nwant err r1 timeout"},
	{"dial", "slow connect", "fail d1 delay:2s", "faultnet.Delay",
		dialing + "fail d1 delay:2s\nwant pending r1\nadvance 2s\nwant body r1 ok"},
	fails("fail d1 unreachable", "faultnet.Unreachable", "host unreachable", "'no route to host'"),
	fails("fail d1 net-unreachable", "faultnet.NetUnreachable", "network unreachable", "'network is unreachable'"),
	fails("fail d1 no-address", "faultnet.NoAddress", "no local address left", "'cannot assign requested address'"),
	fails("fail d1 no-descriptor", "faultnet.NoDescriptor", "no descriptor left", "'too many open files'"),
	{"dial", "cancelled mid-dial", "cancel r1", "harness.Request.Cancel",
		dialing + "cancel r1\nwant err r1 canceled\nopen d1"},
	{"dial", "completes after the cancel", "open d1", "harness.Dial.Open",
		dialing + "cancel r1\nwant err r1 canceled\nopen d1\nwant conns 1"},
	{"dial", "completes after an idle connection came free", "open d2", "harness.Dial.Open",
		serving + "open d1\nwant done r1\nget r2 http://api.test/\nwant dial d2\nfinish r1\nwant done r2 c1\nfinish r2\nopen d2"},
	{"dial", "RST before the first byte", "fail d1 reset-at-once", "faultnet.ResetAtOnce",
		dialing + "fail d1 reset-at-once\nawait r1\nwant conns 0"}, // the error is that of the write or of the read
	{"dial", "accepted by the backlog and never by the program", "fail d1 ignored", "faultnet.Ignored",
		"transport ResponseHeaderTimeout=5s\n" + dialing + "fail d1 ignored\nadvance 5s\nwant err r1 timeout"},
	{"dial", "fail the first N then succeed", "fault dial as refuse first 2", "faultnet.First",
		"serve api.test:80\nfault dial as refuse first 2\nget r1 http://api.test/\nwant err r1 refused\nget r2 http://api.test/\nwant err r2 refused\nget r3 http://api.test/\nopen d3\nwant body r3 ok"},
	{"dial", "returns a connection and ctx is done", "fail d1 deaf:2s", "faultnet.Deaf",
		dialing + "fail d1 deaf:2s\ncancel r1\nwant err r1 canceled\nwant conns 0\nadvance 2s\nwant conns 1"},
}

var rowsStream = []row{
	{"write", "error on the nth", "fault c1 client write as error:EPIPE nth 2", "faultnet.Nth",
		"peer api.test:80\nfault c1 client write as error:EPIPE nth 2\nget r1 http://api.test/\nopen d1\nrespond c1 200 ok\nwant body r1 ok\n" + again},
	// Where the write itself fails, net/http returns its error or the end that its
	// read loop meets behind it, whichever it looks at first: the peer has not
	// answered, so that a request that has ended on a closed connection has failed.
	{"write", "short write", "fault c1 client write as short:10", "faultnet.Short",
		"peer api.test:80\nfault c1 client write as short:10\npost r1 http://api.test/ body\nopen d1\nawait r1\nwant closed c1"},
	{"write", "blocks (zero window)", "fault c1 client write as block", "faultnet.Block",
		"serve api.test:80\nfault c1 client write as block\nget r1 http://api.test/\nopen d1\nwant pending r1\nlift c1 client write\nwant body r1 ok"},
	{"write", "deadline", "fault c1 client write as expire", "faultnet.Expire",
		"peer api.test:80\nfault c1 client write as expire\npost r1 http://api.test/ body\nopen d1\nwant err r1 timeout"},
	{"write", "slow drain", "shape c1 client->server data as dribble:10,1s", "faultnet.Dribble",
		"serve api.test:80\nshape c1 client->server data as dribble:10,1s\nget r1 http://api.test/\nopen d1\nadvance 2s\nwant sent r1 0\nawait r1\nwant body r1 ok"},
	{"write", "bandwidth", "shape c1 client->server data as rate:50", "faultnet.Rate",
		"serve api.test:80\nshape c1 client->server data as rate:50\nget r1 http://api.test/\nopen d1\nadvance 1s\nwant sent r1 0\nawait r1\nwant body r1 ok"},
	{"write", "succeeds and then the connection is reset", "let c1 client->server data as reset:all", "faultnet.ResetAfter",
		"serve api.test:80\npost r1 http://api.test/ body\nhold c1 client->server data\nopen d1\nlet c1 client->server data as reset:all\nrelease c1 client->server data\nwant err r1 reset"},
	{"write", "EPIPE against ECONNRESET", "fault c1 client write as error:EPIPE", "faultnet.Fail",
		"peer api.test:80\nfault c1 client write as error:EPIPE\npost r1 http://api.test/ body\nopen d1\nawait r1\nwant closed c1"},
	{"write", "accepted and never delivered", "let c1 client->server data as lose", "faultnet.Lose",
		"transport ResponseHeaderTimeout=5s\nserve api.test:80\nhold c1 client->server data\nget r1 http://api.test/\nopen d1\nlet c1 client->server data as lose\nrelease c1 client->server data\nadvance 5s\nwant err r1 timeout\nwant sent r1 0"},
	{"write", "after the peer's half-close", "fin c1", "harness.Conn.Fin",
		"peer api.test:80\nhold c1 server fin\nget r1 http://api.test/\nopen d1\nfin c1\nrelease c1 server fin\nwant err r1 eof"},
	{"write", "split at chosen bytes", "let c1 client->server data as split:7", "faultnet.Split",
		"peer api.test:80\nhold c1 client->server data\nget r1 http://api.test/one\nopen d1\nlet c1 client->server data as split:7\nwant request c1 'GET /on'\nrelease c1 client->server data\nrespond c1 200 ok\nwant body r1 ok"},
	{"write", "closed while blocked", "hang-up c1", "harness.Conn.HangUp",
		"serve api.test:80\nfault c1 client write as block\npost r1 http://api.test/ body\nopen d1\nhang-up c1\nwant err r1 closed"},
	{"write", "error after the body was sent", "break c1 ECONNRESET", "faultnet.Conn.Break",
		"peer api.test:80\npost r1 http://api.test/ body\nopen d1\nwant request c1 'POST /'\nbreak c1 ECONNRESET\nwant err r1 reset"},

	{"read", "error on the nth", "fault c1 client read as error:ETIMEDOUT nth 2", "faultnet.Nth",
		"peer api.test:80\nfault c1 client read as error:ETIMEDOUT nth 2\nget r1 http://api.test/\nopen d1\nsend c1 \"HTTP/1.1 200 OK\\r\\nContent-Length: 9\\r\\n\\r\\nhalf\"\nwant done r1\n! finish r1 'connection timed out'"},
	{"read", "EOF at byte b", "fault c1 server->client data as cut from 40", "faultnet.From",
		"peer api.test:80\nfault c1 server->client data as cut from 40\nget r1 http://api.test/\nopen d1\nrespond c1 200 hello\nwant done r1\n! finish r1 unexpected-eof"},
	{"read", "data together with EOF", "fault c1 client read as data-eof always", "faultnet.DataEOF",
		"peer api.test:80\nfault c1 client read as data-eof always\nhold c1 server->client data\nhold c1 server fin\nget r1 http://api.test/\nopen d1\nrespond c1 200 ok\nshut c1\nrelease c1 server->client data\nrelease c1 server fin\nwant body r1 ok"},
	{"read", "zero bytes without error", "fault c1 client read as no-bytes", "faultnet.NoBytes",
		"peer api.test:80\nfault c1 client read as no-bytes\nget r1 http://api.test/\nopen d1\nrespond c1 200 ok\nwant body r1 ok"},
	{"read", "one byte at a time", "fault c1 client read as chunk:1 always", "faultnet.Chunk",
		"peer api.test:80\nfault c1 client read as chunk:1 always\nget r1 http://api.test/\nopen d1\nrespond c1 200 ok\nwant body r1 ok"},
	{"read", "dribble", "shape c1 server->client data as dribble:1,1s", "faultnet.Dribble",
		"peer api.test:80\nshape c1 server->client data as dribble:1,1s\nget r1 http://api.test/\nopen d1\nrespond c1 200 ok\nadvance 10s\nwant pending r1\nadvance 1m\nwant body r1 ok"},
	{"read", "stall then data", "let c1 server->client data as delay:5s", "faultnet.Delay",
		"peer api.test:80\nhold c1 server->client data\nget r1 http://api.test/\nopen d1\nrespond c1 200 ok\nlet c1 server->client data as delay:5s\nrelease c1 server->client data\nwant pending r1\nadvance 5s\nwant body r1 ok"},
	{"read", "data then stall", "let c1 server->client data as stall:42", "faultnet.Stall",
		"peer api.test:80\nhold c1 server->client data\nget r1 http://api.test/\nopen d1\nrespond c1 200 hello\nlet c1 server->client data as stall:42\nrelease c1 server->client data\nwant done r1\nunclog c1 server->client\nwant body r1 hello"},
	{"read", "deadline", "fault c1 client read as expire nth 2", "faultnet.Expire",
		"peer api.test:80\nfault c1 client read as expire nth 2\nget r1 http://api.test/\nopen d1\nsend c1 \"HTTP/1.1 200 OK\\r\\nContent-Length: 9\\r\\n\\r\\nhalf\"\nwant done r1\n! finish r1 timeout"},
	{"read", "RST with unread data", "reset c1", "harness.Conn.Reset",
		"peer api.test:80\nget r1 http://api.test/\nopen d1\nsend c1 \"HTTP/1.1 200 OK\\r\\nContent-Length: 9\\r\\n\\r\\nhalf\"\nwant done r1\nreset c1\n! finish r1 reset"},
	{"read", "extra bytes", "let c1 server->client data as extra:3", "faultnet.Extra",
		"peer api.test:80\nhold c1 server->client data\nget r1 http://api.test/\nopen d1\nrespond c1 200 ok\nlet c1 server->client data as extra:3\nrelease c1 server->client data\nwant body r1 ok\nwant closed c1"},
	{"read", "corrupted byte", "let c1 server->client data as corrupt:0", "faultnet.Corrupt",
		"peer api.test:80\nhold c1 server->client data\nget r1 http://api.test/\nopen d1\nrespond c1 200 ok\nlet c1 server->client data as corrupt:0\nrelease c1 server->client data\nwant err r1 'malformed HTTP'"},
	{"read", "lost acknowledgement", "let c1 server->client data as cut:0", "faultnet.Cut",
		"serve api.test:80\nhold c1 server->client data\npost r1 http://api.test/ body\nopen d1\nwant sent r1 1\nlet c1 server->client data as cut:0\nrelease c1 server->client data\nwant err r1 eof\nwant sent r1 1"},
	{"read", "lost acknowledgement by reset", "let c1 server->client data as reset", "faultnet.Reset",
		"serve api.test:80\nhold c1 server->client data\npost r1 http://api.test/ body\nopen d1\nlet c1 server->client data as reset\nrelease c1 server->client data\nwant err r1 reset\nwant sent r1 1"},

	{"link", "latency fixed", "shape * * data as delay:50ms", "faultnet.Net.Shape",
		"peer api.test:80\nshape * * data as delay:50ms\nget r1 http://api.test/\nopen d1\nadvance 49ms\n! want held c1\nadvance 1ms\nwant request c1 'GET /'\nsend c1 \"HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n\"\nadvance 49ms\nwant pending r1\nadvance 1ms\nwant status r1 200\nfinish r1"},
	{"link", "latency jittered", "shape * * data as jitter:50ms,7", "faultnet.Jitter",
		"serve api.test:80\nshape * * data as jitter:50ms,7\nget r1 http://api.test/\nopen d1\nwant pending r1\nadvance 100ms\nwant body r1 ok"},
	{"link", "latency by distribution", "shape * * data as tail:50ms,7", "faultnet.Tail",
		"serve api.test:80\nshape * * data as tail:50ms,7\nget r1 http://api.test/\nopen d1\nwant pending r1\nawait r1\nwant body r1 ok"},
	{"link", "latency asymmetric", "shape * server->client data as delay:1s", "faultnet.Net.Shape",
		"serve api.test:80\nshape * server->client data as delay:1s\nget r1 http://api.test/\nopen d1\nwant sent r1 1\nwant pending r1\nadvance 1s\nwant body r1 ok"},
	{"link", "hold and release", "hold c1 server->client", "faultnet.Net.Hold",
		"serve api.test:80\nhold c1 server->client\nget r1 http://api.test/\nopen d1\nwant held c1 server->client data\nrelease c1 server->client\nwant body r1 ok"},
	{"link", "clog and unclog, in reverse order", "unclog c2", "faultnet.Conn.Clog",
		"serve api.test:80\nget r1 http://api.test/\nget r2 http://api.test/\nhold c1 client->server\nhold c2 client->server\nopen d1\nopen d2\nclog c1\nclog c2\nrelease c1 client->server\nrelease c2 client->server\nunclog c2\nwant done r2\nwant pending r1\nunclog c1\nwant done r1\nfinish r1\nfinish r2"},
	{"link", "partition both ways, during dial", "partition api.test", "faultnet.Net.Partition",
		dialing + "partition api.test\nlet dial d1\nadvance 1s\nwant pending r1\nheal api.test\nadvance 2s\nwant body r1 ok"},
	{"link", "partition while idle, and heal", "heal api.test", "faultnet.Net.Heal",
		idling + "partition api.test\nget r2 http://api.test/\nadvance 1s\nwant pending r2\nheal api.test\nrespond c1 200 two\nwant body r2 two"},
	{"link", "partition one way, mid-body", "partition api.test server->client", "faultnet.Net.Partition",
		peering + "send c1 \"HTTP/1.1 200 OK\\r\\nContent-Length: 4\\r\\n\\r\\nha\"\nwant done r1\npartition api.test server->client\nsend c1 lf\nread r1\nadvance 1s\nheal api.test\nfinish r1"},
	{"link", "bandwidth", "shape * server->client data as rate:100", "faultnet.Rate",
		"serve api.test:80\nshape * server->client data as rate:100\nget r1 http://api.test/bytes/1000\nopen d1\nadvance 9s\nread r1\nadvance 1m\nfinish r1"},
	{"link", "silent NAT expiry", "vanish c1", "harness.Conn.Vanish",
		"transport ResponseHeaderTimeout=5s\n" + idling + "vanish c1\nget r2 http://api.test/\nadvance 5s\nwant err r2 timeout\nwant closed c1"},
}

var rowsIdle = []row{
	{"idle", "server FIN", "fin c1", "harness.Conn.Fin", idling + "fin c1\nwant closed c1\n" + again},
	{"idle", "server RST", "reset c1", "harness.Conn.Reset", idling + "reset c1\nwant closed c1\n" + again},
	{"idle", "silent death (next write succeeds, the read hangs)", "vanish c1", "faultnet.Conn.Vanish",
		"transport ResponseHeaderTimeout=5s\n" + idling + "vanish c1\nget r2 http://api.test/\nwant pending r2\nadvance 5s\nwant err r2 timeout"},
	{"idle", "silent death (the next write is answered by a reset)", "restart api.test", "faultnet.Net.Restart",
		idling + "crash api.test\nrestart api.test\nwant open c1\nget r2 http://api.test/\nopen d2\nrespond c2 200 ok\nwant body r2 ok"},
	{"idle", "silent death (ETIMEDOUT from below)", "break c1 ETIMEDOUT", "faultnet.Conn.Break", idling + "break c1 ETIMEDOUT\nwant closed c1\n" + again},
	{"idle", "FIN in flight as the client reuses", "release c1 server fin", "harness.Net.Release",
		idling + "hold c1 server fin\nshut c1\nget r2 http://api.test/\nrelease c1 server fin\nopen d2\nrespond c2 200 ok\nwant body r2 ok"},
	{"idle", "unsolicited bytes", "send c1 hello", "harness.Conn.Send", idling + "send c1 hello\nwant closed c1\n" + again},
	{"idle", "408", "misbehave c1 408", "harness.Conn.Misbehave", idling + "misbehave c1 408\nwant closed c1\n" + again},
	{"idle", "idle timeout at the instant of reuse", "advance 59.999999999s", "harness.T.Advance",
		"transport IdleConnTimeout=1m\n" + idling + "advance 59.999999999s\nget r2 http://api.test/\nwant request c1 'GET /'\nadvance 1ns\nsend c1 \"HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n\"\nfinish r2"},
	{"idle", "server keep-alive equal to the client's idle timeout", "keep-alive api.test:80 1m0s", "harness.Net.KeepAlive",
		"transport IdleConnTimeout=1m\nserve api.test:80\nkeep-alive api.test:80 1m0s\nget r1 http://api.test/\nopen d1\nwant body r1 ok\nadvance 1m\nwant closed c1"},
	{"idle", "evicted by a limit while being reused", "transport MaxIdleConns=1", "harness.Settings",
		"transport MaxIdleConns=1\nserve a.test:80\nserve b.test:80\nget r1 http://a.test/\nopen d1\nwant done r1\nget r2 http://b.test/\nopen d2\nwant body r1 ok\nwant body r2 ok\nwant closed c1\nget r3 http://b.test/\nwant done r3 c2\nfinish r3"},
	{"idle", "CloseIdleConnections against reuse", "close-idle", "harness.T.MayCloseIdle",
		idling + "close-idle\nwant closed c1\n" + again},

	{"half-close, close", "peer shuts its write side after the response", "fin c1", "harness.Conn.Fin", idling + "fin c1\nwant closed c1"},
	{"half-close, close", "peer shuts its read side", "stop-reading c1", "harness.Conn.StopReading",
		idling + "stop-reading c1\nwant open c1"},
	{"half-close, close", "peer shuts its write side mid-body", "fin c1", "harness.Conn.Fin",
		peering + "send c1 \"HTTP/1.1 200 OK\\r\\nContent-Length: 9\\r\\n\\r\\nhalf\"\nfin c1\n! finish r1 unexpected-eof"},
	{"half-close, close", "peer shuts its read side mid-body", "stop-reading c1", "harness.Conn.StopReading",
		peering + "send c1 \"HTTP/1.1 200 OK\\r\\nContent-Length: 4\\r\\n\\r\\nha\"\nwant done r1\nstop-reading c1\nsend c1 lf\nwant body r1 half"},
	{"half-close, close", "half-open after a crash", "crash api.test", "faultnet.Net.Crash",
		idling + "crash api.test\nwant open c1 -- half-open: this end still believes\nadvance 1h\nwant open c1\nbreak c1 ETIMEDOUT\nwant closed c1"},
	{"half-close, close", "slow close", "fault c1 client close as delay:5s", "faultnet.Delay",
		idling + "fault c1 client close as delay:5s\nfin c1\nwant open c1\nadvance 5s\nwant closed c1"},
	{"half-close, close", "Close returns an error", "fault c1 client close as error:EIO", "faultnet.Fail",
		idling + "fault c1 client close as error:EIO\nfin c1\nwant closed c1"},
	{"half-close, close", "Close blocks", "fault c1 client close as block", "faultnet.Block",
		idling + "fault c1 client close as block\nfin c1\nwant open c1\nlift c1 client close\nwant closed c1"},
	{"half-close, close", "double close", "fault c1 client close as twice", "faultnet.Twice",
		idling + "fault c1 client close as twice\nfin c1\nwant closed c1"},
	{"half-close, close", "close during read", "hang-up c1", "harness.Conn.HangUp", peering + "hang-up c1\nwant err r1 closed"},
	{"half-close, close", "close during write", "hang-up c1", "harness.Conn.HangUp",
		"peer api.test:80\nfault c1 client write as block\nget r1 http://api.test/\nopen d1\nhang-up c1\nwant err r1 closed"},
	{"half-close, close", "close during dial", "cancel r1", "harness.Request.Cancel", dialing + "cancel r1\nwant err r1 canceled\nfail d1 refuse"},
	{"half-close, close", "close with unread data", "shut c1", "harness.Conn.CloseServer",
		"peer api.test:80\npost r1 http://api.test/ body\nopen d1\nshut c1\nwant err r1 reset"},
	{"half-close, close", "crash without FIN and restart (RST on the next segment)", "restart api.test", "faultnet.Net.Restart",
		idling + "crash api.test\nrestart api.test\npost r2 http://api.test/ body\nwant err r2 reset"},
}

var rowsHost = []row{
	{"accept", "temporary error", "fault accept as error:EMFILE", "faultnet.Fail",
		"serve api.test:80\nfault accept as error:EMFILE\nget r1 http://api.test/\nopen d1\nwant pending r1\nadvance 5ms\nwant body r1 ok"},
	{"accept", "permanent error", "fault accept as error:EINVAL", "faultnet.Fail",
		"transport ResponseHeaderTimeout=5s\nserve api.test:80\nfault accept as error:EINVAL\nget r1 http://api.test/\nopen d1\nwant err r1 reset"},
	{"accept", "backlog full", "backlog api.test:80 0", "faultnet.Net.Backlog",
		"serve api.test:80\nbacklog api.test:80 0\nget r1 http://api.test/\nlet dial d1\nadvance 1s\nbacklog api.test:80 5\nadvance 2s\nwant body r1 ok"},
	{"accept", "slow accept", "fault accept as delay:3s", "faultnet.Delay",
		"serve api.test:80\nfault accept as delay:3s\nget r1 http://api.test/\nopen d1\nadvance 2s\nwant pending r1\nadvance 1s\nwant body r1 ok"},
	{"accept", "listener closed with connections pending", "unlisten api.test:80", "faultnet.Net.Unlisten",
		"serve api.test:80\nfault accept as block\nget r1 http://api.test/\nopen d1\nunlisten api.test:80\nwant err r1 reset"},
	{"accept", "accepted and closed at once", "fault accept as close-at-once", "faultnet.CloseAtOnce",
		"serve api.test:80\nfault accept as close-at-once\nget r1 http://api.test/\nopen d1\nwant err r1 eof"},
	{"accept", "accepted and reset at once", "fault accept as reset-at-once", "faultnet.ResetAtOnce",
		"serve api.test:80\nfault accept as reset-at-once\nget r1 http://api.test/\nopen d1\nwant err r1 reset"},
	{"accept", "N connections then refuse", "fault dial as refuse after 1", "faultnet.After",
		"serve api.test:80\nfault dial as refuse after 1\nget r1 http://api.test/hang\nopen d1\nget r2 http://api.test/\nwant err r2 refused\ncancel r1\nwant err r1 canceled"},
	{"accept", "N then queue", "fault accept as block after 1", "faultnet.After",
		"serve api.test:80\nfault accept as block after 1\nget r1 http://api.test/hang\nopen d1\nget r2 http://api.test/\nopen d2\nwant pending r2\nlift accept\nwant body r2 ok\ncancel r1\nwant err r1 canceled"},

	{"process", "server crash", "crash api.test", "faultnet.Net.Crash",
		"transport ResponseHeaderTimeout=5s\n" + idling + "crash api.test\nget r2 http://api.test/\nadvance 5s\nwant err r2 timeout"},
	{"process", "server killed", "kill api.test:80", "faultnet.Net.Kill", idling + "kill api.test:80\nwant closed c1\nget r2 http://api.test/\nlet dial d2\nwant err r2 refused"},
	{"process", "restart", "restart api.test", "faultnet.Net.Restart",
		idling + "kill api.test:80\nrestart api.test\n" + again},
	{"process", "pause", "pause api.test:80", "faultnet.Net.Pause",
		"serve api.test:80\nget r1 http://api.test/\nopen d1\nwant body r1 ok\npause api.test:80\nget r2 http://api.test/\nadvance 1m\nwant pending r2\nresume api.test:80\nwant body r2 ok"},
	{"process", "descriptor limit", "descriptors 1", "faultnet.Net.Descriptors",
		"serve api.test:80\nget r1 http://api.test/hang\nopen d1\ndescriptors 1\nget r2 http://api.test/\nwant err r2 'too many open files'\ncancel r1\nwant err r1 canceled"},
	{"process", "load balancer flips the backend between requests", "route api.test:80 b.test:80", "faultnet.Net.Route",
		"peer b.test:80\n" + idling + "close-idle\nroute api.test:80 b.test:80\nget r2 http://api.test/\nopen d2\nrespond c2 200 b\nwant body r2 b"},
	{"process", "load balancer resets all its connections at once", "sever api.test:80", "faultnet.Net.Sever", idling + "sever api.test:80\nwant closed c1"},
}
