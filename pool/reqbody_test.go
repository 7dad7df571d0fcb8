package pool

import (
	"io"
	"strings"
	"testing"
	"testing/synctest"
)

// A body that is stopped is not read any more, and a Read in progress ends
// without an error of the body's own.
func TestStoppedBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pr, pw := io.Pipe()
		b := &sentBody{src: pr}
		got := make(chan error)
		go func() { _, err := b.Read(make([]byte, 1)); got <- err }()
		synctest.Wait()
		if !b.stop() {
			t.Error("stop: got it not stuck in Read")
		}
		if err := <-got; err != errBodyStopped || b.readError() != nil {
			t.Errorf("read in progress: got %v and, of the body, %v, want %v and none", err, b.readError(), errBodyStopped)
		}
		if _, err := pw.Write([]byte("x")); err != io.ErrClosedPipe {
			t.Errorf("source: got %v, want it closed", err)
		}
		src := strings.NewReader("payload")
		b = &sentBody{src: io.NopCloser(src)}
		if b.stop() {
			t.Error("stop: got it stuck before any Read")
		}
		if _, err := b.Read(make([]byte, 1)); err != errBodyStopped || src.Len() != len("payload") {
			t.Errorf("read after stop: got %v and %d bytes left, want %v and all", err, src.Len(), errBodyStopped)
		}
	})
}
