// Package waits starts goroutines for each kind of wait that a diagnosis knows.
package waits

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
)

// Net is the network that the connections are of.
type Net struct {
	Listen func() (net.Listener, error)
	Dial   func(ctx context.Context, network, address string) (net.Conn, error)
}

// Begin starts everything. It returns when all is under way, but perhaps not at its wait yet.
// What it has started ends with the context, and when end is called.
func (n *Net) Begin(ctx context.Context) (end func(), err error) {
	url, srv, err := n.serve(ctx)
	if err != nil {
		return nil, err
	}
	one := n.client(0)
	forgets(ctx, one, url+"/")
	idle := n.client(0)
	reads(ctx, idle, url+"/") // and leaves its connection idle
	ended := make(chan struct{})
	go waitsForAnswer(ctx, one, url+"/hang")
	go reads(ctx, one, url+"/stall")
	go sends(ctx, one, url+"/hang", strings.NewReader(strings.Repeat("x", 64<<20)))
	source, feed := io.Pipe()
	go sends(ctx, one, url+"/read", source)

	limited := n.client(1)
	forgets(ctx, limited, url+"/")
	for range 2 {
		go waitsInLine(ctx, limited, url+"/")
	}
	dialing := &http.Client{Transport: &http.Transport{DialContext: dialerUntil(ctx)}}
	go waitsForDial(ctx, dialing, url+"/")

	two := n.client(0)
	t := two.Transport.(*http.Transport)
	t.Protocols = new(http.Protocols)
	t.Protocols.SetUnencryptedHTTP2(true)
	t.HTTP2 = &http.HTTP2Config{StrictMaxConcurrentRequests: true}
	reads(ctx, two, url+"/")
	forgets(ctx, two, url+"/stall")
	go func() {
		defer close(ended)
		waitsForAnswer(ctx, two, url+"/hang")
	}()
	go reads(ctx, two, url+"/stall")
	go sends(ctx, two, url+"/hang", strings.NewReader(strings.Repeat("x", 64<<20)))

	db := sql.OpenDB(driverOf{})
	db.SetMaxOpenConns(2)
	tx, err := beginsTx(ctx, db)
	if err != nil {
		return nil, err
	}
	rows, err := asksRows(ctx, db)
	if err != nil {
		return nil, err
	}
	go waitsForSQL(ctx, db)
	return func() {
		feed.CloseWithError(errors.New("over"))
		rows.Close()
		tx.Rollback()
		db.Close()
		for _, c := range []*http.Client{one, idle, limited, dialing, two} {
			c.CloseIdleConnections()
		}
		srv.Close()
		<-ended
	}, nil
}

// LineForStream starts a request more than the server allows on one connection of HTTP/2: the others
// must be at their waits before.
func LineForStream(ctx context.Context, n *Net) (end func(), err error) {
	url, srv, err := n.serve(ctx)
	if err != nil {
		return nil, err
	}
	c := n.client(0)
	t := c.Transport.(*http.Transport)
	t.Protocols = new(http.Protocols)
	t.Protocols.SetUnencryptedHTTP2(true)
	t.HTTP2 = &http.HTTP2Config{StrictMaxConcurrentRequests: true}
	for range mostStreams {
		forgets(ctx, c, url+"/stall")
	}
	go waitsForStream(ctx, c, url+"/")
	return func() { c.CloseIdleConnections(); srv.Close() }, nil
}

// mostStreams is how many streams the server allows on a connection.
const mostStreams = 5

func (n *Net) client(most int) *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: n.Dial, MaxConnsPerHost: most, DisableCompression: true}}
}

func (n *Net) serve(ctx context.Context) (url string, srv *http.Server, err error) {
	l, err := n.Listen()
	if err != nil {
		return "", nil, err
	}
	srv = &http.Server{Handler: handler{ctx}, Protocols: new(http.Protocols), HTTP2: &http.HTTP2Config{MaxConcurrentStreams: mostStreams}}
	srv.Protocols.SetHTTP1(true)
	srv.Protocols.SetUnencryptedHTTP2(true)
	go srv.Serve(l)
	return "http://" + l.Addr().String(), srv, nil
}

// handler answers by path. What hangs does so until the context ends: that of a request whose body
// is not read does not end with its connection.
type handler struct{ until context.Context }

// ServeHTTP implements [http.Handler].
func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/hang":
		<-h.until.Done()
	case "/read":
		io.Copy(io.Discard, r.Body)
	case "/stall":
		w.Header().Set("Content-Length", "1000")
		io.WriteString(w, "hello")
		w.(http.Flusher).Flush()
		<-h.until.Done()
	}
	io.WriteString(w, "hello")
}

func get(ctx context.Context, c *http.Client, url string) *http.Response {
	req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		return nil
	}
	resp, err := c.Do(req)
	if err != nil {
		return nil
	}
	return resp
}

func forgets(ctx context.Context, c *http.Client, url string) { get(ctx, c, url) }

func reads(ctx context.Context, c *http.Client, url string) {
	if resp := get(ctx, c, url); resp != nil {
		io.ReadAll(resp.Body)
		resp.Body.Close()
	}
}

func waitsForAnswer(ctx context.Context, c *http.Client, url string) { reads(ctx, c, url) }
func waitsInLine(ctx context.Context, c *http.Client, url string)    { reads(ctx, c, url) }
func waitsForDial(ctx context.Context, c *http.Client, url string)   { reads(ctx, c, url) }
func waitsForStream(ctx context.Context, c *http.Client, url string) { reads(ctx, c, url) }

func sends(ctx context.Context, c *http.Client, url string, body io.Reader) {
	req, err := http.NewRequestWithContext(ctx, "POST", url, body)
	if err != nil {
		return
	}
	if resp, err := c.Do(req); err == nil {
		resp.Body.Close()
	}
}

// dialerUntil returns a dialer that opens nothing, and does not heed the context of its dial.
func dialerUntil(ctx context.Context) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
}
