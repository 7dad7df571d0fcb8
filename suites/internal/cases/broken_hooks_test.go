package cases_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptrace"
	"net/textproto"

	"github.com/halfopen/halfopen/harness"
)

// retold is net/http's transport whose hooks of package httptrace learn something else.
func retold(change func(*httptrace.ClientTrace)) harness.Maker {
	return wrapped(func(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
		trace := httptrace.ContextClientTrace(req.Context())
		if trace == nil {
			return rt.RoundTrip(req)
		}
		changed := *trace
		change(&changed)
		return rt.RoundTrip(req.WithContext(httptrace.WithClientTrace(untraced{req.Context()}, &changed)))
	})
}

// untraced is a context without hooks.
type untraced struct{ context.Context }

func (c untraced) Value(key any) any {
	v := c.Context.Value(key)
	if _, hooks := v.(*httptrace.ClientTrace); hooks {
		return nil
	}
	return v
}

func alwaysReused(t *httptrace.ClientTrace) {
	got := t.GotConn
	t.GotConn = func(info httptrace.GotConnInfo) {
		info.Reused = true
		got(info)
	}
}

func alwaysPut(t *httptrace.ClientTrace) {
	put := t.PutIdleConn
	t.PutIdleConn = func(error) { put(nil) }
}

func putAtFirstByte(t *httptrace.ClientTrace) {
	first, put := t.GotFirstResponseByte, t.PutIdleConn
	t.GotFirstResponseByte = func() {
		put(errors.New("not kept"))
		first()
	}
}

func alwaysWritten(t *httptrace.ClientTrace) {
	wrote := t.WroteRequest
	t.WroteRequest = func(httptrace.WroteRequestInfo) { wrote(httptrace.WroteRequestInfo{}) }
}

func gotBefore(t *httptrace.ClientTrace) {
	get, got := t.GetConn, t.GotConn
	t.GetConn = func(addr string) {
		get(addr)
		got(httptrace.GotConnInfo{})
	}
}

func hintsAnyhow(t *httptrace.ClientTrace) {
	hint := t.Got1xxResponse
	t.Got1xxResponse = func(code int, h textproto.MIMEHeader) error {
		hint(code, h)
		return nil
	}
}

func doneFirst(t *httptrace.ClientTrace) {
	start, done := t.TLSHandshakeStart, t.TLSHandshakeDone
	if start == nil {
		return
	}
	t.TLSHandshakeStart = func() {
		done(tls.ConnectionState{}, nil)
		start()
	}
}

func firstByteEarly(t *httptrace.ClientTrace) {
	wrote, first := t.WroteRequest, t.GotFirstResponseByte
	t.GotFirstResponseByte = nil
	t.WroteRequest = func(info httptrace.WroteRequestInfo) {
		wrote(info)
		first()
	}
}
