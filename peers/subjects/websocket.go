package subjects

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	coder "github.com/coder/websocket"
	gorilla "github.com/gorilla/websocket"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/suites"
)

// kept makes a client of one connection, which operations use one after another. After an error
// the next operation opens another connection.
type kept[C any] struct {
	open    func(ctx context.Context) (C, error)
	talk    func(ctx context.Context, c C, say string) (string, error)
	end     func(C) error
	timeout time.Duration

	turn         chan struct{} // a mutex for which a context may wait
	c            C
	there, ended bool
}

func newKept[C any](s suites.ClientSettings, open func(context.Context) (C, error), talk func(context.Context, C, string) (string, error), end func(C) error) (suites.Client, error) {
	if s.MaxConns > 0 || s.MaxIdle > 0 || s.IdleTimeout > 0 || s.MinIdle > 0 || s.MaxLifetime > 0 {
		return nil, errors.New("it has no pool")
	}
	return &kept[C]{open: open, talk: talk, end: end, timeout: s.Timeout, turn: make(chan struct{}, 1)}, nil
}

func (k *kept[C]) Do(ctx context.Context, say string) (heard string, err error) {
	if k.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, k.timeout)
		defer cancel()
	}
	if err := ctx.Err(); err != nil {
		return "", err
	}
	select {
	case k.turn <- struct{}{}:
		defer func() { <-k.turn }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if k.ended {
		return "", errClosed
	}
	if !k.there {
		if k.c, err = k.open(ctx); err != nil {
			return "", err
		}
		k.there = true
	}
	if heard, err = k.talk(ctx, k.c, say); err != nil {
		k.there = false
		k.end(k.c)
	}
	return heard, err
}

func (k *kept[C]) Close() error {
	k.turn <- struct{}{}
	defer func() { <-k.turn }()
	k.ended = true
	if !k.there {
		return nil
	}
	k.there = false
	return k.end(k.c)
}

// Gorilla keeps a connection of gorilla/websocket. Its calls have no context: when one ends,
// the connection is closed, as the package's documentation allows at any time.
func Gorilla(t *harness.T, s suites.ClientSettings) (suites.Client, error) {
	if s.Fallback != "" {
		return nil, errors.New("a Dialer knows one server")
	}
	d := &gorilla.Dialer{NetDialContext: t.Net.DialContext, TLSClientConfig: s.TLS}
	return newKept(s, func(ctx context.Context) (*gorilla.Conn, error) {
		c, _, err := d.DialContext(ctx, webSocketURL(s), nil)
		return c, err
	}, func(ctx context.Context, c *gorilla.Conn, say string) (string, error) {
		defer context.AfterFunc(ctx, func() { c.Close() })()
		err := c.WriteMessage(gorilla.TextMessage, []byte(say))
		var heard []byte
		if err == nil {
			_, heard, err = c.ReadMessage()
		}
		if err != nil && ctx.Err() != nil {
			err = ctx.Err()
		}
		return string(heard), err
	}, (*gorilla.Conn).Close)
}

// Coder keeps a connection of coder/websocket.
func Coder(t *harness.T, s suites.ClientSettings) (suites.Client, error) {
	if s.Fallback != "" {
		return nil, errors.New("Dial knows one server")
	}
	rt := t.Net.Transport()
	rt.TLSClientConfig = s.TLS
	o := &coder.DialOptions{HTTPClient: &http.Client{Transport: rt}}
	return newKept(s, func(ctx context.Context) (*coder.Conn, error) {
		c, _, err := coder.Dial(ctx, webSocketURL(s), o)
		return c, err
	}, func(ctx context.Context, c *coder.Conn, say string) (string, error) {
		if err := c.Write(ctx, coder.MessageText, []byte(say)); err != nil {
			return "", err
		}
		_, heard, err := c.Read(ctx)
		return string(heard), err
	}, (*coder.Conn).CloseNow)
}

// webSocketURL returns the URL of the server.
func webSocketURL(s suites.ClientSettings) string {
	if s.TLS != nil {
		return "wss://" + s.Addr + "/"
	}
	return "ws://" + s.Addr + "/"
}

// serveHTTP runs a server of HTTP/1 on "host:port", over TLS where a case wants that.
func serveHTTP(t *harness.T, addr string, h http.Handler) {
	l, err := suites.Listen(t, addr)
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: h}
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
}

// EchoWebSocket runs a server on the network that repeats each message.
func EchoWebSocket(t *harness.T, addr string) {
	up := gorilla.Upgrader{}
	serveHTTP(t, addr, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer c.Close()
		for {
			kind, message, err := c.NextReader()
			if err != nil {
				return
			}
			p, err := io.ReadAll(message)
			if err != nil || c.WriteMessage(kind, p) != nil {
				return
			}
		}
	}))
}

var gorillaQuirks = quirk(suites.Quirk{
	Reason: "a cancellation does not end a handshake: Dialer.DialContext (client.go:284) gives the connection the deadline of its context, and nothing else looks at the context once it is open",
	Breaks: "gorilla/websocket: DialContext: the context will be used in the request and in the Dialer", Versions: suites.Versions{Module: "github.com/gorilla/websocket", From: "v1.5.3"},
	Failure: "cancelled, and still pending",
}, "leak-nothing")
