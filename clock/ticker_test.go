package clock_test

import "testing"

func TestTickersBehaveAsPackageTime(t *testing.T) {
	for _, b := range tickerBehaviours {
		b.test(t)
	}
}

// tickerBehaviours list the promises of package time for a ticker, one claim each.
var tickerBehaviours = []behaviour{
	{"a ticker ticks once each period", func(w *world) {
		t := w.NewTicker(sec)
		w.read(t.C)
		for range 3 {
			w.advance(sec)
			w.read(t.C)
			w.read(t.C)
		}
		t.Stop()
	}, "empty; read 1s; empty; read 2s; empty; read 3s; empty"},
	{"a slow receiver gets the oldest tick, and then the next on time", func(w *world) {
		t := w.NewTicker(sec)
		w.advance(3500 * ms)
		w.read(t.C)
		w.read(t.C)
		w.advance(500 * ms)
		w.read(t.C)
		t.Stop()
	}, "read 1s; empty; read 4s"},
	{"a receiver that waits for each tick gets each", func(w *world) {
		t := w.NewTicker(sec)
		go func() {
			for range 3 {
				<-t.C
				w.called("tick")
			}
			t.Stop()
		}()
		w.advance(10 * sec)
	}, "1s tick; 2s tick; 3s tick"},
	{"a ticker that is stopped does not tick, and its unread tick is gone", func(w *world) {
		t := w.NewTicker(sec)
		w.advance(sec)
		t.Stop()
		w.read(t.C)
		w.advance(5 * sec)
		w.read(t.C)
		t.Stop()
	}, "empty; empty"},
	{"reset takes back a tick, and counts from now", func(w *world) {
		t := w.NewTicker(sec)
		w.advance(1500 * ms)
		t.Reset(sec)
		w.read(t.C)
		w.advance(500 * ms)
		w.read(t.C)
		w.advance(500 * ms)
		w.read(t.C)
		w.advance(sec)
		w.read(t.C)
		t.Stop()
	}, "empty; empty; read 2.5s; read 3.5s"},
	{"reset changes the period", func(w *world) {
		t := w.NewTicker(sec)
		t.Reset(3 * sec)
		w.advance(2 * sec)
		w.read(t.C)
		w.advance(sec)
		w.read(t.C)
		t.Reset(500 * ms)
		w.advance(500 * ms)
		w.read(t.C)
		w.advance(500 * ms)
		w.read(t.C)
		t.Stop()
	}, "empty; read 3s; read 3.5s; read 4s"},
	{"reset starts a stopped ticker, and stop stops it again", func(w *world) {
		t := w.NewTicker(sec)
		t.Stop()
		t.Reset(sec)
		w.advance(sec)
		w.read(t.C)
		t.Stop()
		w.advance(sec)
		w.read(t.C)
	}, "read 1s; empty"},
	{"a period must be positive", func(w *world) {
		w.panics(func() { w.NewTicker(0) })
		w.panics(func() { w.NewTicker(-1) })
		t := w.NewTicker(sec)
		w.panics(func() { t.Reset(0) })
		w.panics(func() { t.Reset(-1) })
		w.advance(sec)
		w.read(t.C)
		t.Stop()
	}, "panics true; panics true; panics true; panics true; read 1s"},
}
