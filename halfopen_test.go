package halfopen_test

import (
	"context"
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/halfopen/halfopen"
)

// The face does what it says in its first lines.
func TestFace(t *testing.T) {
	halfopen.Test(t, func(t *halfopen.T) {
		t.Serve("api.test:80", nil)
		r1 := t.Get("r1", t.Net.Transport(), "http://api.test/")
		r1.WantBody("ok")
	})
	x := halfopen.Explore(t, halfopen.Bounds{Faults: halfopen.None}, func(t *halfopen.T) {
		t.Serve("api.test:80", nil)
		t.Get("r1", t.Net.Transport(), "http://api.test/").MayCancel()
	})
	if !x.Complete || x.Schedules < 2 {
		t.Errorf("got %d schedules, want every order of a request and its cancellation", x.Schedules)
	}
	halfopen.Scripts(t, "testdata/races/cancel-*.txtar")
}

// A failure in a body is a failure of the test that it is part of.
func TestFaceFails(t *testing.T) {
	failed := &recorder{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		halfopen.Test(failed, func(t *halfopen.T) {
			t.Serve("api.test:80", nil)
			t.Get("r1", t.Net.Transport(), "http://api.test/").WantErr(context.Canceled)
		})
	}()
	<-done
	if !failed.failed || !strings.Contains(failed.text, "r1: got done on c1, want error: context canceled") {
		t.Errorf("got failed %v with %q, want a failure of r1", failed.failed, failed.text)
	}
}

// Importers compile no test framework.
func TestNoFramework(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, framework := range []string{"onsi/ginkgo", "onsi/gomega", "uber.org/goleak"} {
		if strings.Contains(string(out), framework) {
			t.Errorf("package halfopen imports %s", framework)
		}
	}
}

// recorder keeps what fails.
type recorder struct {
	testing.TB
	failed bool
	text   string
}

func (r *recorder) Errorf(format string, args ...any) {
	r.failed, r.text = true, fmt.Sprintf(format, args...)
}
func (r *recorder) FailNow() { runtime.Goexit() }
