package harness_test

import (
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/harness"
)

// text answers with a text.
func text(s string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, s) }
}

// A queue gives its answers in order, and the requests that it got, with their bodies.
func TestQueue(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		q := t.ServeQueue("api.test:80")
		q.Enqueue(text("one"), text("two"))
		tr := t.Net.Transport()
		r1 := t.Post("r1", tr, "http://api.test/a", "hello")
		r1.WantBody("one")
		r2 := t.Get("r2", tr, "http://api.test/b")
		r2.WantBody("two")
		first, second := q.Take(), q.Take()
		body, err := io.ReadAll(first.Body)
		if first.Method != "POST" || first.URL.Path != "/a" || string(body) != "hello" || err != nil {
			t.Errorf("got %s %s with %q (%v)", first.Method, first.URL, body, err)
		}
		if second.URL.Path != "/b" {
			t.Errorf("got %s as the second request", second.URL)
		}
	})
}

// What does not match fails: a request without an answer, an answer without a request, and a take
// without a request.
func TestQueueUnmatched(t *testing.T) {
	for want, body := range map[string]func(t *harness.T, q *harness.Queue){
		"queue of api.test:80: no answer is left for GET /b": func(t *harness.T, q *harness.Queue) {
			t.Get("r1", t.Net.Transport(), "http://api.test/b").WantStatus(500)
		},
		"queue of api.test:80: 2 answers never asked for":        func(t *harness.T, q *harness.Queue) { q.Enqueue(text("one"), text("two")) },
		"queue of api.test:80: got no request to take, want one": func(t *harness.T, q *harness.Queue) { q.Take() },
		"Enqueue: an answer is nil":                              func(t *harness.T, q *harness.Queue) { q.Enqueue(nil) },
	} {
		r := harness.TestReport("queue", func(t *harness.T) { body(t, t.ServeQueue("api.test:80")) })
		if len(r.Failures) == 0 || r.Failures[0].Text != want {
			t.Errorf("got %v, want %q", r.Failures, want)
		}
	}
}

// A folder and a variable are there in the body, and gone after it.
func TestBorrowed(t *testing.T) {
	t.Setenv("HALFOPEN_BORROWED", "before")
	var dirs []string
	x, err := harness.ExploreReport("borrowed", harness.Bounds{Schedules: 5}, nil, func(t *harness.T) {
		dir := t.TempDir()
		dirs = append(dirs, dir)
		t.Setenv("HALFOPEN_BORROWED", "inside")
		t.Setenv("HALFOPEN_BORROWED_TOO", "inside")
		if st, err := os.Stat(dir); err != nil || !st.IsDir() || os.Getenv("HALFOPEN_BORROWED") != "inside" {
			t.Errorf("got %v, %v and %q", st, err, os.Getenv("HALFOPEN_BORROWED"))
		}
		t.Serve("api.test:80", nil)
		t.Get("r1", t.Net.Transport(), "http://api.test/").MayCancel()
	})
	if err != nil || len(x.Findings) > 0 || len(dirs) < 5 || dirs[0] == dirs[1] {
		t.Fatalf("got %v, %v, %q", x, err, dirs)
	}
	for _, dir := range dirs {
		if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: got %v, want it removed", dir, err)
		}
	}
	if _, is := os.LookupEnv("HALFOPEN_BORROWED_TOO"); is || os.Getenv("HALFOPEN_BORROWED") != "before" {
		t.Error("the environment was not set back")
	}
}

// The environment is one for the whole process: a run beside one that has set a variable is
// refused. After that it can be set again.
func TestSetenvRefused(t *testing.T) {
	set := func(t *harness.T) { t.Setenv("HALFOPEN_BORROWED", "inside") }
	isSet, over := make(chan bool), make(chan *harness.Report)
	go func() {
		<-isSet
		over <- harness.TestReport("beside", set)
	}()
	var beside *harness.Report
	r := harness.TestReport("first", func(t *harness.T) {
		set(t)
		close(isSet)
		beside = <-over
	})
	if r.Failed() || len(beside.Failures) != 1 || !strings.HasPrefix(beside.Failures[0].Text, "Setenv: a run at the same time") {
		t.Errorf("got %v and %v", r, beside)
	}
	if r := harness.TestReport("later", set); r.Failed() {
		t.Errorf("got %v, want the environment free again", r)
	}
}

// A skipped body is no failure, and says why.
func TestSkip(t *testing.T) {
	for want, skip := range map[string]func(t *harness.T){
		"not applicable: no IPv6 here":  func(t *harness.T) { t.Skip("no", "IPv6 here") },
		"not applicable: needs 2 hosts": func(t *harness.T) { t.Skipf("needs %d hosts", 2) },
	} {
		r := harness.TestReport("skip", func(t *harness.T) { skip(t); t.Error("not skipped") })
		if r.Failed() || r.NotApplicable() == nil || r.NotApplicable().Error() != want {
			t.Errorf("got %v, %v, want %s", r, r.NotApplicable(), want)
		}
	}
}

// The steps of a section that is over are folded to its name; what fails later has its own.
func TestSections(t *testing.T) {
	var first, second bool
	r := harness.TestReport("sections", func(t *harness.T) {
		t.Serve("api.test:80", nil)
		tr := t.Net.Transport()
		first = t.Run("a connection is warm", func(t *harness.T) { t.Get("r1", tr, "http://api.test/").Finish() })
		second = t.Run("it is used again", func(t *harness.T) {
			r2 := t.Get("r2", tr, "http://api.test/")
			if r2.Reused() {
				t.Error("used again")
			}
			r2.Finish()
		})
	})
	if !first || second {
		t.Errorf("got %v and %v, want that the second failed alone", first, second)
	}
	for _, want := range []string{"\n  (1 steps)\n  # a connection is warm  (2 steps)\n", "\n  # it is used again  (2 steps)\n"} {
		if !strings.Contains(r.String(), want) {
			t.Errorf("got\n%s\nwant %q in it", r, want)
		}
	}
}

// A goroutine of a named function may be left; another one may not, beside it too.
func TestAllowGoroutine(t *testing.T) {
	allow := func(t *harness.T) { t.AllowGoroutine("harness_test.stray", "it is for this test") }
	for what, c := range map[string]struct {
		body func(t *harness.T)
		want string
	}{
		"allowed": {func(t *harness.T) { allow(t); go stray() }, ""},
		"whole name": {func(t *harness.T) {
			t.AllowGoroutine("github.com/halfopen/halfopen/harness_test.stray", "so")
			go stray()
		}, ""},
		"none is left": {allow, ""},
		"not allowed":  {func(t *harness.T) { go stray() }, "goroutine left: select (no cases): harness_test.stray"},
		"beside it":    {func(t *harness.T) { allow(t); go stray(); go other() }, "goroutine left: select (no cases): harness_test.other"},
		"no reason":    {func(t *harness.T) { t.AllowGoroutine("x", " ") }, "AllowGoroutine: it needs"},
	} {
		r := harness.TestReport(what, c.body)
		switch {
		case c.want == "" && r.Failed(), c.want != "" && (len(r.Failures) != 1 || !strings.HasPrefix(r.Failures[0].Text, c.want)):
			t.Errorf("%s: got %v, want %q", what, r.Failures, c.want)
		}
	}
}

func other() { select {} }
