package clock_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/halfopen/halfopen/clock"
)

var (
	errSlow = errors.New("slow")
	errGone = errors.New("gone")
)

type key struct{}

var background = context.WithValue(context.Background(), key{}, "v")

func TestContextsBehaveAsPackageContext(t *testing.T) {
	for _, b := range contextBehaviours {
		b.test(t)
	}
}

// contextBehaviours list the promises of package context for a deadline, one claim each.
var contextBehaviours = []behaviour{
	{"a context expires at its deadline", func(w *world) {
		ctx, cancel := clock.WithTimeout(background, w.Clock, sec)
		w.deadline(ctx)
		w.advance(sec - 1)
		w.end(ctx)
		w.advance(1)
		w.end(ctx)
		cancel()
		w.end(ctx)
	}, "deadline 1s true; alive; context deadline exceeded; context deadline exceeded"},
	{"a context that is cancelled does not expire", func(w *world) {
		ctx, cancel := clock.WithDeadline(background, w.Clock, w.start.Add(sec))
		cancel()
		w.end(ctx)
		cancel()
		w.advance(2 * sec)
		w.end(ctx)
	}, "context canceled; context canceled"},
	{"the cause is that of the deadline", func(w *world) {
		a, cancelA := clock.WithTimeoutCause(background, w.Clock, sec, errSlow)
		b, cancelB := clock.WithDeadlineCause(background, w.Clock, w.start.Add(2*sec), errSlow)
		defer cancelA()
		w.advance(sec)
		w.end(a)
		cancelB()
		w.end(b)
	}, "context deadline exceeded (slow); context canceled"},
	{"a context whose deadline has passed is done from the start", func(w *world) {
		w.advance(sec)
		for _, at := range []time.Time{w.start, w.start.Add(sec)} {
			ctx, cancel := clock.WithDeadlineCause(background, w.Clock, at, errSlow)
			w.end(ctx)
			w.deadline(ctx)
			cancel()
		}
		ctx, cancel := clock.WithTimeout(background, w.Clock, -sec)
		w.end(ctx)
		w.deadline(ctx)
		cancel()
	}, "context deadline exceeded (slow); deadline 0s true; context deadline exceeded (slow); deadline 1s true; " +
		"context deadline exceeded; deadline 0s true"},
	{"the earlier of two deadlines counts: the parent's", func(w *world) {
		parent, cancel := clock.WithTimeoutCause(background, w.Clock, sec, errGone)
		defer cancel()
		child, cancel := clock.WithTimeoutCause(parent, w.Clock, 2*sec, errSlow)
		defer cancel()
		w.deadline(child)
		w.advance(sec)
		w.end(child)
		w.advance(sec)
		w.end(child)
	}, "deadline 1s true; context deadline exceeded (gone); context deadline exceeded (gone)"},
	{"the earlier of two deadlines counts: the child's", func(w *world) {
		parent, cancel := clock.WithTimeoutCause(background, w.Clock, 2*sec, errGone)
		defer cancel()
		child, cancel := clock.WithTimeoutCause(parent, w.Clock, sec, errSlow)
		defer cancel()
		w.deadline(child)
		w.advance(sec)
		w.end(child)
		w.end(parent)
		w.advance(sec)
		w.end(parent)
	}, "deadline 1s true; context deadline exceeded (slow); alive; context deadline exceeded (gone)"},
	{"cancelling the parent cancels the child at once", func(w *world) {
		parent, kill := context.WithCancelCause(background)
		child, cancel := clock.WithTimeoutCause(parent, w.Clock, sec, errSlow)
		defer cancel()
		kill(errGone)
		w.note("%v", child.Err())
		child, cancel = clock.WithTimeoutCause(parent, w.Clock, sec, errSlow)
		cancel()
		w.end(child)
	}, "context canceled; context canceled (gone)"},
	{"a context that is cancelled just after its parent has the parent's cause", func(w *world) {
		parent, kill := context.WithCancelCause(background)
		child, cancel := clock.WithTimeoutCause(parent, w.Clock, sec, errSlow)
		kill(errGone)
		cancel()
		w.end(child)
	}, "context canceled (gone)"},
	{"Done shows at once that the parent was cancelled", func(w *world) {
		parent, kill := context.WithCancelCause(background)
		child, cancel := clock.WithTimeoutCause(parent, w.Clock, sec, errSlow)
		defer cancel()
		kill(errGone)
		w.end(child)
	}, "context canceled (gone)"},
	{"a context without the cancellation of its parent does not end with it", func(w *world) {
		root, kill := clock.WithTimeout(background, w.Clock, sec)
		free, cancel := clock.WithTimeout(context.WithoutCancel(root), w.Clock, 5*sec)
		defer cancel()
		kill()
		w.settle()
		w.end(free)
		w.deadline(free)
		w.advance(5 * sec)
		w.end(free)
	}, "alive; deadline 5s true; context deadline exceeded"},
	{"a context between two deadlines ends the one below and not the one above", func(w *world) {
		root, cancelRoot := clock.WithTimeout(background, w.Clock, 2*sec)
		defer cancelRoot()
		middle, kill := context.WithCancelCause(root)
		ctx, cancel := clock.WithTimeout(middle, w.Clock, sec)
		defer cancel()
		context.AfterFunc(ctx, w.call("f"))
		kill(errGone)
		w.settle()
		w.end(ctx)
		w.end(root)
	}, "0s f; context canceled (gone); alive"},
	{"a child of a parent that is done is done", func(w *world) {
		parent, kill := context.WithCancelCause(background)
		kill(errGone)
		child, cancel := clock.WithTimeout(parent, w.Clock, sec)
		w.end(child)
		cancel()
		child, cancel = clock.WithTimeout(parent, w.Clock, -sec)
		w.end(child)
		cancel()
	}, "context canceled (gone); context canceled (gone)"},
	{"the end of a child does not end its parent", func(w *world) {
		parent, kill := context.WithCancelCause(background)
		child, cancel := clock.WithTimeout(parent, w.Clock, sec)
		cancel()
		w.end(child)
		w.end(parent)
		kill(errGone)
		w.end(child)
	}, "context canceled; alive; context canceled"},
	{"a derived context ends with its parent, with the same error, cause and deadline", func(w *world) {
		ctx, cancel := clock.WithTimeoutCause(background, w.Clock, sec, errSlow)
		defer cancel()
		child, stop := context.WithCancel(context.WithValue(ctx, key{}, "w"))
		defer stop()
		free := context.WithoutCancel(child)
		context.AfterFunc(child, w.call("f"))
		w.deadline(child)
		w.advance(sec)
		w.end(child)
		w.end(free)
		w.note("%v %v", ctx.Value(key{}), free.Value(key{}))
	}, "deadline 1s true; 1s f; context deadline exceeded (slow); alive; v w"},
	{"a long chain of contexts ends with its root", func(w *world) {
		root, kill := context.WithCancelCause(background)
		ctx := root
		for i := range 5 {
			var a, b context.CancelFunc
			ctx, a = clock.WithTimeout(context.WithValue(ctx, key{}, i), w.Clock, sec)
			ctx, b = context.WithCancel(ctx)
			defer a()
			defer b()
		}
		w.end(ctx)
		kill(errGone)
		w.settle()
		w.end(ctx)
		w.note("%v", ctx.Value(key{}))
	}, "alive; context canceled (gone); 4"},
	{"a function called after the end runs; one that is stopped does not", func(w *world) {
		ctx, cancel := clock.WithTimeout(background, w.Clock, sec)
		stop := context.AfterFunc(ctx, w.call("f"))
		context.AfterFunc(ctx, w.call("g"))
		w.note("%v %v", stop(), stop())
		cancel()
		w.settle()
		context.AfterFunc(ctx, w.call("late"))
		w.settle()
	}, "true false; 0s g; 0s late"},
	{"a goroutine that waits for a context is woken", func(w *world) {
		ctx, cancel := clock.WithTimeout(background, w.Clock, sec)
		defer cancel()
		go func() { <-ctx.Done(); w.called("done") }()
		w.advance(2 * sec)
	}, "1s done"},
}

// When a context has ended, its deadline is not armed any more, and no goroutine
// is left running: TestMain looks for goroutines.
func TestContextsLeaveNothingBehind(t *testing.T) {
	var v clock.Virtual
	root, kill := context.WithCancel(context.Background())
	parent, cancel := clock.WithTimeout(root, &v, 5*sec)
	var children []context.Context
	for i := range 100 {
		child, cancel := clock.WithTimeout(parent, &v, time.Duration(i+1)*sec)
		defer cancel()
		grandchild, cancel := context.WithCancel(context.WithValue(child, key{}, i))
		defer cancel()
		children = append(children, child, grandchild)
	}
	if got := len(v.Timers()); got != 101 {
		t.Errorf("armed for 101 contexts: got %d timers", got)
	}
	if n := runtime.NumGoroutine(); n > 10 {
		t.Errorf("for 201 contexts: got %d goroutines, want only those of the test", n)
	}
	v.Advance(3 * sec)
	if got := len(v.Timers()); got != 98 {
		t.Errorf("armed after 3 of them expired: got %d timers, want 98", got)
	}
	cancel()
	if got := v.Timers(); len(got) != 0 {
		t.Errorf("armed after their parent was cancelled: %v", got)
	}
	for i, ctx := range children {
		want := context.Canceled
		if i < 2*3 {
			want = context.DeadlineExceeded
		}
		if ctx.Err() != want {
			t.Errorf("context %d: got %v, want %v", i, ctx.Err(), want)
		}
	}
	if root.Err() != nil {
		t.Error("the root has ended with its child")
	}
	kill()
}

// Outside a bubble, a context and all contexts derived from it have ended when
// the call of Advance that passed its deadline returns.
func TestAdvanceEndsContextsBeforeItReturns(t *testing.T) {
	var v clock.Virtual
	ctx, cancel := clock.WithTimeout(context.Background(), &v, sec)
	defer cancel()
	ctx, cancel = clock.WithTimeout(ctx, &v, 2*sec)
	defer cancel()
	ctx, cancel = context.WithCancel(ctx)
	defer cancel()
	v.Advance(sec)
	if ctx.Err() != context.DeadlineExceeded {
		t.Errorf("got %v, want %v", ctx.Err(), context.DeadlineExceeded)
	}
}

// A parent's deadline on another clock, here package time in a bubble, ends the
// context too.
func TestContextWithParentOnAnotherClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := clock.NewVirtual(time.Date(2050, 1, 1, 0, 0, 0, 0, time.UTC))
		parent, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		ctx, cancel := clock.WithTimeout(parent, v, sec)
		defer cancel()
		v.Advance(sec)
		if ctx.Err() != context.DeadlineExceeded || parent.Err() != nil {
			t.Errorf("after its own deadline: got %v, parent %v", ctx.Err(), parent.Err())
		}
		ctx, cancel = clock.WithTimeout(parent, v, sec)
		defer cancel()
		time.Sleep(time.Minute) // virtual
		synctest.Wait()
		if ctx.Err() != context.DeadlineExceeded {
			t.Errorf("after its parent's deadline: got %v", ctx.Err())
		}
	})
}

// foreign is a context whose type package context does not know.
type foreign struct {
	context.Context
	done chan struct{}
	err  error
}

func (f *foreign) Done() <-chan struct{} { return f.done }
func (f *foreign) Err() error            { return f.err }

func TestContextWithForeignParent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parent := &foreign{context.Background(), make(chan struct{}), nil}
		v := new(clock.Virtual)
		first, cancelFirst := clock.WithTimeout(parent, v, sec)
		second, cancelSecond := clock.WithTimeout(parent, v, sec)
		defer cancelSecond()
		cancelFirst()
		if parent.err = errGone; first.Err() != context.Canceled {
			t.Errorf("cancelled: got %v", first.Err())
		}
		close(parent.done)
		synctest.Wait()
		if second.Err() != errGone || context.Cause(second) != errGone || len(v.Timers()) != 0 {
			t.Errorf("left alone: got %v, cause %v, armed %v", second.Err(), context.Cause(second), v.Timers())
		}
	})
}

func TestContextMisuse(t *testing.T) {
	var none context.Context
	defer func() {
		if got := recover(); got != "clock: a context needs a parent" {
			t.Errorf("got panic %v", got)
		}
	}()
	clock.WithTimeout(none, new(clock.Virtual), sec) //nolint:all
}

func TestContextString(t *testing.T) {
	var v clock.Virtual
	ctx, cancel := clock.WithTimeout(context.Background(), &v, sec)
	defer cancel()
	want := "context.Background.clock.WithDeadline(2000-01-01T00:00:01Z)"
	if got := fmt.Sprint(ctx); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	ctx, cancel = context.WithCancel(ctx)
	defer cancel()
	if got := fmt.Sprint(ctx); !strings.HasPrefix(got, want) {
		t.Errorf("derived: got %s, want it to begin with %s", got, want)
	}
}
