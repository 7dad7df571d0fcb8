package harness

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/halfopen/halfopen/faultnet"
)

// Get starts a GET request named name on the transport, and settles.
func (t *T) Get(name string, rt http.RoundTripper, url string) *Request {
	return t.Start(name, rt, mustRequest(t, "GET", url, nil))
}

// Post starts a POST request with that body.
func (t *T) Post(name string, rt http.RoundTripper, url, body string) *Request {
	req := mustRequest(t, "POST", url, strings.NewReader(body))
	t.stepStart(name, req, &body)
	return t.begin(name, rt, req, &body)
}

func mustRequest(t *T, method, url string, body io.Reader) *http.Request {
	// Every request is cancelled when the run ends: its context needs no parent.
	req, err := http.NewRequest(method, url, body)
	if err != nil {
		t.fatal(KindUsage, err.Error())
	}
	return req
}

// Start starts a request named name in a goroutine of its own, and settles. It
// does not return an answer: the expectations of the Request ask for its
// result.
func (t *T) Start(name string, rt http.RoundTripper, req *http.Request) *Request {
	if req == nil || req.URL == nil {
		t.fatal(KindUsage, name+": the request, or its URL, is nil")
	}
	t.stepStart(name, req, nil)
	return t.begin(name, rt, req, nil)
}

// stepStart records the start of a request as a script has it.
func (t *T) stepStart(name string, req *http.Request, body *string) {
	if !t.set.silent {
		t.step(startWords(name, req, body)...)
	}
}

func startWords(name string, req *http.Request, body *string) []string {
	var words []string
	switch {
	case req.Method == "GET" || req.Method == "":
		words = []string{"get", name, req.URL.String()}
	case req.Method == "POST" && body != nil:
		words = []string{"post", name, req.URL.String(), *body}
	default:
		words = []string{"request", name, req.Method, req.URL.String()}
	}
	for _, key := range slices.Sorted(maps.Keys(req.Header)) {
		for _, value := range req.Header[key] {
			words = append(words, key+":"+value)
		}
	}
	return words
}

func (t *T) begin(name string, rt http.RoundTripper, req *http.Request, body *string) *Request {
	t.mustBeNew(name)
	if rt == nil {
		t.fatal(KindUsage, name+": the transport is nil: t.Net.Transport() is one")
	}
	t.study(rt)
	var words []string
	if !t.set.silent {
		words = startWords(name, req, body)
		t.noteUnsaid(name, req, body)
	}
	r, req := t.census.watch(name, req, t.here())
	r.words = words
	r.auto = t.auto || t.scheduler != nil
	r.forgot = slices.Contains(t.forgets, name)
	t.launch(&r.Op, func() {
		r.roundTrip(rt, req)
		if r.readsItself() && r.state() == "done" {
			r.readAll()
		}
	})
	return r
}

// noteUnsaid notes what of a request no script can say.
func (t *T) noteUnsaid(name string, req *http.Request, body *string) {
	//lint:ignore SA1019 Request.Cancel is part of a request, deprecated or not.
	cancel := req.Cancel
	for _, part := range []struct {
		what string
		own  bool
	}{
		{"the body", body == nil && req.Body != nil && req.Body != http.NoBody},
		{"the context", req.Context() != context.Background()},
		{"the Host", req.Host != "" && req.Host != req.URL.Host},
		{"Close", req.Close},
		{"the trailer", len(req.Trailer) > 0},
		{"Cancel", cancel != nil},
	} {
		if part.own {
			t.lacks("%s of %s", part.what, name)
		}
	}
}

// Do starts an operation named name in a goroutine of its own, and settles. The call is
// made with a context that ends with ctx, and when the operation is cancelled; the
// connections that are dialed with it are opened for the operation.
func (t *T) Do(ctx context.Context, name string, call func(ctx context.Context) error) *Op {
	if !t.set.silent {
		t.step("do", name)
	}
	t.mustBeNew(name)
	t.must(ctx != nil && call != nil, "%s: the context, or the call, is nil", name)
	o, ctx := t.operation(ctx, name)
	return t.launch(o, func() { o.returns(call(ctx)) })
}

// operation makes an operation that is not HTTP, and the context of its call.
func (t *T) operation(ctx context.Context, name string) (*Op, context.Context) {
	deadline, _ := ctx.Deadline()
	ctx, cancel := context.WithCancel(faultnet.WithOwner(ctx, name))
	o := &Op{name: name, where: t.here(), cancel: cancel, deadline: deadline}
	t.census.add(o)
	return o, ctx
}

// returns notes that the call of an operation that is not HTTP has returned.
func (o *Op) returns(err error) {
	o.c.mu.Lock()
	defer o.c.mu.Unlock()
	o.returned, o.err = true, err
	o.change()
}

// must ends the test, at the line of the call, if what it was called with means nothing.
func (t *driver) must(ok bool, format string, args ...any) {
	if !ok {
		t.fatal(KindUsage, fmt.Sprintf(format, args...))
	}
}

// mustBeNew ends the test if there is an operation of that name.
func (t *T) mustBeNew(name string) {
	if name == "" || strings.ContainsFunc(name, isControl) || strings.Contains(name, "\n") {
		t.fatal(KindUsage, fmt.Sprintf("an operation has a name, in one line: got %q", name))
	}
	if o := t.census.op(name); o != nil {
		kind := "an operation"
		if o.request != nil {
			kind = "a request"
		}
		t.fatal(KindUsage, fmt.Sprintf("there is %s %s already", kind, name))
	}
}

// launch starts the operation, or declares in an exploration that it is to start.
func (t *T) launch(o *Op, call func()) *Op {
	o.call = call
	if t.auditing.Load() {
		t.fatal(KindUsage, "a check of AtQuiet must not start anything: "+o.name)
	}
	if t.scheduler != nil {
		t.plan.declare(o)
		return o
	}
	go o.start()
	t.settle()
	return o
}

// start makes the call of the operation.
func (o *Op) start() {
	roomy()
	// A panic here would be the end of the process.
	o.t.callback(o.name, func() {
		defer o.t.news() // a deadline may have ended it, with no event to follow
		defer close(o.done)
		o.call()
	})
}
