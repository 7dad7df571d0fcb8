package cases

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness"
)

// handoverCases are about a connection or a body in the hands of its caller.
var handoverCases = []Case{
	{
		Name:      "body-upgrade-first-bytes",
		Claim:     "What a server sends right behind its 101 is the first thing that the caller reads of the connection, and nothing of it is lost, however small its reads are.",
		Verdict:   "the body is what was sent",
		Source:    "net/http: Response.Body (Body will also implement io.Writer on a successful 101 Switching Protocols response); RFC 9110 section 7.8",
		Protocols: HTTP1,
		Body: func(e *Env) {
			e.Peer(e.Addr("api.test"))
			r1 := e.Do("r1", "GET", "/", "", "Connection: Upgrade", "Upgrade: echo")
			c1 := r1.Conn()
			arrived(c1)
			c1.Send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhello")
			c1.Send(" you")
			r1.WantStatus(http.StatusSwitchingProtocols)
			both := e.upgraded(r1)
			var got []byte
			for len(got) < len("hello you") {
				b := make([]byte, 3)
				n, err := both.Read(b)
				got = append(got, b[:n]...)
				if err != nil {
					e.Fatalf("got %v behind %q, want all that was sent", err, got)
				}
			}
			io.WriteString(both, "thanks")
			e.Settle()
			if at := arrived(c1); string(got) != "hello you" || at != "thanks" {
				e.Errorf("got %q at the client and %q at the server, want %q and %q", got, at, "hello you", "thanks")
			}
			both.Close()
			c1.WantClosed("the caller that has it closed it")
		},
	},
	{
		Name:      "body-upgrade-place",
		Claim:     "A connection that changed its protocol holds up no other request for ever: when its caller closes it, and then at the latest, its place at the limit is free.",
		Verdict:   noneStuck,
		Source:    maxConnsPerHost + "; Response.Body",
		Protocols: HTTP1,
		Settings:  oneConnPerHost,
		Body: func(e *Env) {
			e.Peer(e.Addr("api.test"))
			r1 := e.Do("r1", "GET", "/", "", "Connection: Upgrade", "Upgrade: echo")
			c1 := r1.Conn()
			r2 := e.Get("r2", "/")
			c1.Send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
			r1.WantStatus(http.StatusSwitchingProtocols)
			r1.CloseBody()
			c1.WantClosed("the caller closed it")
			c2 := r2.Conn()
			if c2 == nil || c2 == c1 {
				e.Fatalf("r2: got %v, want a connection of its own: that of r1 is closed", c2)
			}
			c2.Respond(http.StatusOK, "ok")
			r2.WantBody("ok")
		},
	},
	{
		Name:      "body-upgrade-refused",
		Claim:     "A request for another protocol that is answered as any other leaves its connection to the next: that it asked is all that it did.",
		Verdict:   noDialWhileIdle,
		Source:    "RFC 9110 section 7.8 (a server MAY ignore a received Upgrade header field)",
		Protocols: HTTP1,
		Body: func(e *Env) {
			e.Serve(nil)
			for _, name := range []string{"r1", "r2", "r3"} {
				r := e.Do(name, "GET", "/", "", "Connection: Upgrade", "Upgrade: echo")
				r.WantBody("ok")
			}
			e.WantOpened(1, "no protocol was changed")
		},
	},
	{
		Name:    "body-gzip-closed-while-read",
		Claim:   "A body that is decompressed can be closed while a Read of it waits: both return, the Read with an error, and nothing is left.",
		Verdict: "nothing is left behind",
		Source:  responseBody,
		Knows:   harness.Settings{DisableCompression: true},
		Body: func(e *Env) {
			e.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/half" {
					return
				}
				w.Header().Set("Content-Encoding", "gzip")
				io.WriteString(w, "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff") // a header of gzip, and nothing behind it
				w.(http.Flusher).Flush()
				<-r.Context().Done()
			}))
			for _, name := range []string{"r1", "r2"} {
				r := e.Get(name, "/half")
				r.WantStatus(http.StatusOK)
				read := e.call(func() error {
					_, err := r.Response().Body.Read(make([]byte, 10))
					return err
				})
				if read.returned() {
					e.Fatalf("%s: got %v from a Read of a body of which nothing has come", name, read.err)
				}
				r.CloseBody()
				e.Advance(drainTime)
				if !read.returned() || read.err == nil || read.err == io.EOF {
					e.Errorf("%s: got its Read returned %v with %v, want an error: the body was closed", name, read.returned(), read.err)
				}
			}
			e.Get("r3", "/").Finish()
		},
	},
	{
		Name:    "reuse-redirected",
		Claim:   "A client that follows redirects reads what comes with them, and has one connection for all requests.",
		Verdict: noDialWhileIdle,
		Source:  "net/http: Client (handling redirects); RFC 9110 section 15.4",
		Body: func(e *Env) {
			e.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch b, _ := io.ReadAll(r.Body); r.URL.Path {
				case "/1":
					http.Redirect(w, r, "/2", http.StatusTemporaryRedirect)
				case "/2":
					http.Redirect(w, r, "/3", http.StatusPermanentRedirect)
				case "/3":
					w.Write(b)
				default:
					io.WriteString(w, "ok")
				}
			}))
			client := e.Client(e.Transport)
			for _, body := range []string{"whole", "again"} {
				resp, err := client.Post(e.URL("/1"), "text/plain", strings.NewReader(body))
				if err != nil {
					e.Fatal(err)
				}
				b, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if string(b) != body || err != nil {
					e.Errorf("got %q, %v at the end of the redirects, want the body %q, which goes with them", b, err, body)
				}
			}
			e.WantOpened(1, "each response was read")
		},
	},
	{
		Name:    "close-client",
		Claim:   "Client.CloseIdleConnections closes the idle connections of its transport.",
		Verdict: "nothing stays open",
		Source:  "net/http: Client.CloseIdleConnections",
		Body: func(e *Env) {
			if _, ok := e.Transport.(interface{ CloseIdleConnections() }); !ok {
				e.NotApplicable("the transport has no CloseIdleConnections")
			}
			e.Serve(nil)
			client := e.Client(e.Transport)
			e.wantPage(client)
			e.WantConns(1)
			client.CloseIdleConnections()
			e.Settle()
			e.WantConns(0, "it was idle")
		},
	},
	{
		Name:      "tls-fails-beside-cancel",
		Claim:     "A request that is cancelled during a handshake that then fails, or takes too long, has been cancelled. The next one, at the limit, has its own handshake.",
		Verdict:   "cancelled requests end at once; " + noneStuck,
		Issues:    []string{"golang/go#59017"},
		Source:    "net/http: Request.Context; Transport.TLSHandshakeTimeout; Transport.MaxConnsPerHost",
		Protocols: overTLS,
		Secure:    true,
		Settings:  harness.Settings{MaxConnsPerHost: 1, TLSHandshakeTimeout: 10 * time.Second},
		Body: func(e *Env) {
			e.ServeTLSAs("api.test:443")
			for _, end := range []string{"reset", "timeout"} {
				fault := e.Net.Fault("* client->server data", faultnet.Stall(0), faultnet.Nth(1))
				r1 := e.T.Get(end, e.Transport, "https://api.test/")
				r1.WantPending("its handshake stands still")
				r1.Cancel()
				r1.WantErr(context.Canceled)
				for _, c := range e.Net.OpenConns() {
					if end == "reset" {
						c.Reset()
					}
				}
				e.Advance(10 * time.Second)
				e.WantConns(0, "its handshake will not end")
				fault.Lift()
				r2 := e.T.Get("after-"+end, e.Transport, "https://api.test/")
				r2.WantBody("ok")
				e.CloseIdle()
			}
		},
	},
	{
		Name:      "body-buffer-sizes",
		Claim:     "ReadBufferSize and WriteBufferSize are how much of a header is read and written at once.",
		Verdict:   "how a connection is read and written",
		Source:    "net/http: Transport.ReadBufferSize; Transport.WriteBufferSize",
		Protocols: HTTP1,
		Body: func(e *Env) {
			const read, write = 1000, 2000
			var sizes sizesOf
			dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
				c, err := e.Net.DialContext(ctx, network, addr)
				if err != nil {
					return nil, err
				}
				return sizedConn{c, &sizes}, nil
			}
			if !e.setField("ReadBufferSize", read) || !e.setField("WriteBufferSize", write) || !e.setField("DialContext", dial) {
				e.NotApplicable("the transport has no sizes of buffers")
			}
			e.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				for i := range 40 {
					w.Header().Set(fmt.Sprintf("X-%d", i), strings.Repeat("x", 100))
				}
			}))
			var fields []string
			for i := range 40 {
				fields = append(fields, fmt.Sprintf("X-%d: %s", i, strings.Repeat("x", 100)))
			}
			e.Do("r1", "GET", "/", "", fields...).Finish()
			if most := slices.Max(sizes.read); most != read {
				e.Errorf("got %d bytes read at once at most, want %d, as ReadBufferSize says", most, read)
			}
			if most := slices.Max(sizes.written); most > write || most < write/2 {
				e.Errorf("got %d bytes written at once at most, want not more than WriteBufferSize, %d, and not much less", most, write)
			}
		},
	},
}

// sizesOf is how much was read and written at once.
type sizesOf struct{ read, written []int }

type sizedConn struct {
	net.Conn
	sizes *sizesOf
}

// Read notes for how much there was room.
func (c sizedConn) Read(p []byte) (int, error) {
	c.sizes.read = append(c.sizes.read, len(p))
	return c.Conn.Read(p)
}

// Write notes how much it was.
func (c sizedConn) Write(p []byte) (int, error) {
	c.sizes.written = append(c.sizes.written, len(p))
	return c.Conn.Write(p)
}
