package harness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"os"
	"reflect"
	"strings"
)

// A request has code of its user's: its body, GetBody, the hooks of httptrace. A transport
// calls it in goroutines of its own, where a panic would end the process. This file has
// such a panic fail the test instead, as an error for the transport where the call has one.

// errCallback is the error that a transport gets from a callback that panicked.
var errCallback = errors.New("harness: this call of the request has failed the test")

// shieldHooks returns ctx with the hooks of the user's trace shielded.
func (r *Request) shieldHooks(ctx context.Context) context.Context {
	trace := httptrace.ContextClientTrace(ctx)
	if trace == nil {
		return ctx
	}
	return &tracedContext{ctx, trace, r.shieldTrace(trace)}
}

// shield returns req with the other callbacks of the user shielded. For the transport nothing
// else differs: no body stays none, and a body that has WriteTo keeps it.
func (r *Request) shield(req *http.Request) *http.Request {
	req.Body = r.shieldBody(req.Body, req.ContentLength)
	if get := req.GetBody; get != nil {
		r.sends = func() (body io.ReadCloser, err error) {
			err = errCallback
			r.t.callback(r.name+": GetBody", func() { body, err = get() })
			return body, err
		}
		req.GetBody = func() (io.ReadCloser, error) {
			body, err := r.sends()
			return r.shieldBody(body, req.ContentLength), err
		}
	}
	return req
}

// callback calls f, which is the user's code for that purpose. A panic of f is a failure
// of the test, and so is a Goexit, which ends a goroutine that is not the user's.
func (r *driver) callback(purpose string, f func()) {
	returned := false
	defer func() {
		switch p := recover(); {
		case p != nil:
			r.panicked(purpose+": ", p)
		case !returned && !r.journal.over():
			r.journal.add(Failure{Kind: KindGoexit, Text: purpose + " called runtime.Goexit"})
		}
	}()
	f()
	returned = true
}

// requestBody is the body of a request on its way out.
type requestBody struct {
	io.ReadCloser
	r      *Request
	empty  int   // so many reads, one after the other, gave nothing
	length int64 // ContentLength of the request

	// Guarded by census.mu.
	reads  int   // calls of Read and WriteTo that have not returned
	given  int64 // bytes that they have returned
	closes int
}

// shieldBody returns the body shielded. Bytes in memory and files stay as they are: they
// have no code of the user's, and transports know them by their type. net/http sends the
// header and bytes in memory in one write, and has the kernel copy a file. The length is the
// ContentLength of the request.
func (r *Request) shieldBody(body io.ReadCloser, length int64) io.ReadCloser {
	if body == nil || body == http.NoBody || ofKnownType(body) {
		return body
	}
	b := &requestBody{ReadCloser: body, r: r, length: length}
	r.c.mu.Lock()
	r.bodies = append(r.bodies, b)
	r.c.mu.Unlock()
	if w, ok := body.(io.WriterTo); ok {
		return &requestBodyTo{b, w}
	}
	return b
}

// breaks fails the test for a body that breaks the contract of [io.Reader].
func (b *requestBody) breaks(how, contract string) {
	b.r.t.journal.add(Failure{Kind: KindUsage, Text: b.r.name + ": its request body " + how, Detail: []string{"io.Reader: " + contract}})
}

func (b *requestBody) Read(p []byte) (n int, err error) {
	err = errCallback
	b.reading(1)
	b.r.t.callback(b.r.name+": reading its request body", func() { n, err = b.ReadCloser.Read(p) })
	if n < 0 || n > len(p) {
		b.breaks(fmt.Sprintf("says that it read %d bytes into %d", n, len(p)), `"Read reads up to len(p) bytes into p"`)
		n, err = 0, errCallback
	}
	if b.empty++; n > 0 || err != nil {
		b.empty = 0
	}
	if b.empty == mostEmptyReads && len(p) > 0 {
		b.breaks(fmt.Sprintf("gives neither bytes nor an end, %d times in a row", b.empty),
			`"Implementations of Read are discouraged from returning a zero byte count with a nil error"`)
		n, err = 0, io.ErrNoProgress
	}
	b.ends(int64(max(n, 0)), err)
	return n, err
}

func (b *requestBody) Close() (err error) {
	b.r.c.mu.Lock()
	b.closes++
	b.r.c.mu.Unlock()
	err = errCallback
	b.r.t.callback(b.r.name+": closing its request body", func() { err = b.ReadCloser.Close() })
	return err
}

// requestBodyTo is a requestBody that has WriteTo, which io.Copy asks for.
type requestBodyTo struct {
	*requestBody
	to io.WriterTo
}

// WriteTo implements io.WriterTo.
func (b *requestBodyTo) WriteTo(w io.Writer) (n int64, err error) {
	err = errCallback
	b.reading(1)
	b.r.t.callback(b.r.name+": reading its request body", func() { n, err = b.to.WriteTo(w) })
	end := io.EOF
	if err != nil {
		end = nil // it may be the writer's
	}
	b.ends(n, end)
	return n, err
}

func (b *requestBody) reading(n int) {
	b.r.c.mu.Lock()
	defer b.r.c.mu.Unlock()
	b.reads += n
}

// ends notes the end of a Read that gave n bytes. A body that is longer than the request says, or
// shorter, ends the request as one does that fails.
func (b *requestBody) ends(n int64, err error) {
	b.r.c.mu.Lock()
	defer b.r.c.mu.Unlock()
	b.reads--
	b.given += n
	misfits := b.length > 0 && (b.given > b.length || err == io.EOF && b.given < b.length)
	b.r.bodyErr = b.r.bodyErr || err != nil && err != io.EOF || misfits
}

var (
	nopCloser   = reflect.TypeOf(io.NopCloser(struct{ io.Reader }{}))
	nopCloserTo = reflect.TypeOf(io.NopCloser(strings.NewReader("")))
)

// ofKnownType reports whether a body is a file, or made by io.NopCloser of a file or of
// bytes in memory, as http.NewRequest does.
func ofKnownType(body io.ReadCloser) bool {
	var of any = body
	if t := reflect.TypeOf(body); t == nopCloser || t == nopCloserTo {
		of = reflect.ValueOf(body).Field(0).Interface()
	}
	switch of.(type) {
	case *bytes.Reader, *bytes.Buffer, *strings.Reader, *os.File:
		return true
	}
	return false
}

// shieldTrace returns the trace with each hook shielded.
func (r *Request) shieldTrace(trace *httptrace.ClientTrace) *httptrace.ClientTrace {
	shielded := new(httptrace.ClientTrace)
	from, to := reflect.ValueOf(trace).Elem(), reflect.ValueOf(shielded).Elem()
	for i := range from.NumField() {
		hook, name := from.Field(i), from.Type().Field(i).Name
		if hook.Kind() != reflect.Func || hook.IsNil() {
			continue
		}
		to.Field(i).Set(reflect.MakeFunc(hook.Type(), func(args []reflect.Value) (results []reflect.Value) {
			for j := range hook.Type().NumOut() { // Got1xxResponse has an error
				results = append(results, reflect.ValueOf(&errCallback).Elem().Convert(hook.Type().Out(j)))
			}
			r.t.callback(r.name+": its trace hook "+name, func() { results = hook.Call(args) })
			return results
		}))
	}
	return shielded
}

// tracedContext is a context whose trace is shielded. A trace cannot be taken out of a
// context: httptrace.WithClientTrace would call both.
type tracedContext struct {
	context.Context
	trace, shielded *httptrace.ClientTrace
}

// Value returns the shielded trace in place of the user's.
func (c *tracedContext) Value(key any) any {
	v := c.Context.Value(key)
	if v == c.trace {
		return c.shielded
	}
	return v
}
