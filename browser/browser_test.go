package browser_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

var screenshots = flag.String("screenshots", "", "write screenshots to this `folder`")

// tab is a tab of the browser. Whatever its console says, and whatever it asks of a network,
// fails the test.
type tab struct {
	*testing.T
	ctx context.Context

	mu    sync.Mutex
	wrong []string
}

// open opens an address in a browser of its own.
func open(t *testing.T, address string) *tab {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.WindowSize(1400, 800),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND"))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b := &tab{T: t, ctx: ctx}
	t.Cleanup(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, w := range b.wrong {
			t.Error(w)
		}
	})
	if err := chromedp.Do(ctx); err != nil { // the browser lives as long as the context of the first call
		t.Fatal(err)
	}
	b.do(call(network.Enable, network.EnableParams{}), call(runtime.Enable, cdp.Empty{}), call(log.Enable, cdp.Empty{}))
	watch(b, runtime.ConsoleAPICalled, func(e runtime.EventConsoleAPICalled) string {
		return fmt.Sprintf("the console says %s: %s", e.Type, e.Args[0].Value)
	})
	watch(b, runtime.ExceptionThrown, func(e runtime.EventExceptionThrown) string {
		return fmt.Sprintf("an exception: %v", e.ExceptionDetails)
	})
	watch(b, log.EntryAdded, func(e log.EventEntryAdded) string {
		return fmt.Sprintf("the log says %s: %s", e.Entry.Level, e.Entry.Text)
	})
	watch(b, network.RequestWillBeSent, func(e network.EventRequestWillBeSent) string {
		for _, own := range []string{"file:///", "data:", "blob:"} {
			if strings.HasPrefix(e.Request.URL, own) {
				return ""
			}
		}
		return "a request to " + e.Request.URL
	})
	b.do(chromedp.Navigate(address), chromedp.WaitVisible(chromedp.CSS("header")))
	return b
}

// call returns an action that calls a method of the protocol.
func call[P, R any](c cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, c, params)
		return err
	})
}

// watch looks at each event of a kind, and keeps what is wrong with it.
func watch[E any](b *tab, event cdp.Event[E], wrong func(E) string) {
	b.do(chromedp.Func(func(_ context.Context, t *chromedp.Target) error {
		events := cdp.Events(b.ctx, t, event)
		go func() {
			for e, err := range events {
				if err != nil {
					return
				}
				if text := wrong(e); text != "" {
					b.mu.Lock()
					b.wrong = append(b.wrong, text)
					b.mu.Unlock()
				}
			}
		}()
		return nil
	}))
}

func (b *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.Fatal(err)
	}
}

// eval returns the value of an expression of JavaScript.
func eval[V any](b *tab, expression string) V {
	b.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[V](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.Fatalf("%s: %v", expression, err)
	}
	return v
}

// want checks the value of an expression.
func want[V comparable](b *tab, expression string, v V) {
	b.Helper()
	if got := eval[V](b, expression); got != v {
		b.Errorf("%s: got %v, want %v", expression, got, v)
	}
}

// text is an expression: the text of an element, its white space folded.
func text(selector string) string {
	return fmt.Sprintf("document.querySelector(%q).innerText.replace(/\\s+/g, ' ').trim()", selector)
}

// inSight is an expression: whether the row of each step that is shown is on the screen.
const inSight = "[...document.querySelectorAll('.row.now')].every(r => r.getBoundingClientRect().bottom <= innerHeight && r.getBoundingClientRect().top > 0)"

const step = "Number(document.querySelector('#step').value)"

// shoot takes a screenshot in both colors, if that is wanted.
func (b *tab) shoot(name string) {
	b.Helper()
	if *screenshots == "" {
		return
	}
	for _, scheme := range []string{"light", "dark"} {
		b.do(call(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}))
		png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
		if err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(*screenshots, name+"-"+scheme+".png"), smaller(b.T, png), 0o666); err != nil {
			b.Fatal(err)
		}
	}
	b.do(call(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{}))
}

// The timeline is stepped through by keys, by the slider and by clicks; a pointer shows what is
// under it.
func TestTimeline(t *testing.T) {
	page := runOf("TestBackendDown", leaky)
	run := page.Runs[0]
	b := open(t, save(t, page))
	last := len(run.Steps) - 1
	want(b, step, run.Failures[0].Step)
	b.shoot("timeline")
	for _, k := range []struct {
		key  string
		step int
	}{{kb.Home, 0}, {kb.ArrowRight, 1}, {kb.ArrowDown, 2}, {kb.ArrowLeft, 1}, {kb.ArrowUp, 0}, {kb.ArrowLeft, 0}, {kb.End, last}, {kb.ArrowRight, last}, {"k", last - 1}} {
		b.do(chromedp.KeyEvent(k.key))
		want(b, step, k.step)
		want(b, text("output"), fmt.Sprintf("%d / %d", k.step+1, last+1))
		want(b, text(".about .what"), run.Steps[k.step].Text)
		want(b, text(".row.now .text"), run.Steps[k.step].Text)
	}
	b.do(chromedp.KeyEvent(kb.Home), chromedp.Click(chromedp.CSS("#on")), chromedp.Click(chromedp.CSS("#on")), chromedp.Click(chromedp.CSS("#back")))
	want(b, step, 1)
	eval[chromedp.Void](b, "document.querySelector('#step').value = 4, document.querySelector('#step').dispatchEvent(new Event('input'))")
	want(b, text(".about .what"), run.Steps[4].Text)
	b.do(chromedp.Click(chromedp.CSS(".row[data-step='3'] .text")))
	want(b, step, 3)
	b.do(chromedp.KeyEvent("F"), chromedp.KeyEvent(kb.Home), chromedp.KeyEvent("f"))
	want(b, "document.querySelectorAll('.row.now.fault').length", 1)
	want(b, "document.querySelectorAll('svg .bolt').length > 0", true)

	// The tables are those of the step: at the end, the connection that is left. Its row can be seen.
	b.do(chromedp.KeyEvent(kb.End))
	want(b, inSight, true)
	for _, words := range []string{"backend.test:80", "ESTABLISHED*", "in use"} {
		if got := eval[string](b, text(".netstat")); !strings.Contains(got, words) {
			t.Errorf("got %q as the connections, want %q in it", got, words)
		}
	}
	want(b, "[...document.querySelectorAll('.pool tbody tr')].some(r => r.innerText.startsWith('backend.test:80'))", true)

	// The line of what is under the pointer.
	b.do(chromedp.KeyEvent(kb.Home), chromedp.MouseClickXY(5, 5))
	eval[chromedp.Void](b, `(() => { const e = document.querySelector("g.arrow.data line"), r = e.getBoundingClientRect();
		e.dispatchEvent(new PointerEvent("pointermove", {bubbles: true, clientX: r.x, clientY: r.y})); })()`)
	for _, words := range []string{"client->server data", "pages_test.go:", "t.Get(", "step ", "+0s"} {
		if got := eval[string](b, "document.getElementById('tip').innerText"); !strings.Contains(got, words) {
			t.Errorf("got %q under the pointer, want %q in it", got, words)
		}
	}
	b.do(chromedp.KeyEvent("d"))
	first := eval[string](b, "getComputedStyle(document.body).backgroundColor")
	b.do(chromedp.KeyEvent("d"))
	want(b, "getComputedStyle(document.body).backgroundColor === "+fmt.Sprintf("%q", first), false)
	b.do(chromedp.KeyEvent("?"), chromedp.WaitVisible(chromedp.CSS(".help")), chromedp.KeyEvent(kb.Escape), chromedp.WaitNotPresent(chromedp.CSS(".help")))
	eval[chromedp.Void](b, "dispatchEvent(new Event('beforeprint'))")
	want(b, "document.querySelectorAll('.row').length", last+1)
}

// The tree of an exploration is walked by keys; two schedules are picked and seen side by side.
func TestTree(t *testing.T) {
	page := explored(t)
	b := open(t, save(t, page)+"#/schedules")
	for _, what := range []string{"held", "failed", "pruned"} {
		if eval[int](b, fmt.Sprintf("document.querySelectorAll('.sign.%s').length", what)) < 2 {
			t.Errorf("got no schedule that is %s", what)
		}
	}
	want(b, text(".coverage"), page.Tree.Coverage)
	b.shoot("schedules")
	rows := "document.querySelectorAll('[role=treeitem]').length"
	all := eval[int](b, rows)
	b.do(chromedp.Focus(chromedp.CSS("[role=treeitem]")), chromedp.KeyEvent(kb.ArrowLeft))
	want(b, rows, 1)
	b.do(chromedp.KeyEvent(kb.ArrowRight))
	want(b, rows, all)
	b.do(chromedp.KeyEvent(kb.ArrowDown))
	want(b, "document.activeElement.getAttribute('aria-level')", "2")

	// A finding and a schedule that held, which both have a timeline.
	pick := func(result string) {
		eval[chromedp.Void](b, fmt.Sprintf(`(() => { const n = [...document.querySelectorAll(".node.%s")].find(n => n.querySelector("a")); n.focus();
			n.dispatchEvent(new KeyboardEvent("keydown", {key: " ", bubbles: true})); })()`, result))
	}
	pick("failed")
	pick("held")
	want(b, "document.querySelectorAll('.node[aria-selected=true]').length", 2)
	b.do(chromedp.Click(chromedp.CSS("#compare")), chromedp.WaitVisible(chromedp.CSS("main.two")))
	want(b, "document.querySelectorAll('.timeline').length", 2)
	want(b, "document.querySelectorAll('tr.parts').length <= 1 && document.querySelectorAll('tr.same').length > 5", true)
	want(b, inSight, true)
	want(b, "document.querySelectorAll('.row.differs').length > 0", true)
	before := eval[int](b, step)
	b.do(chromedp.KeyEvent(kb.ArrowLeft))
	want(b, step, before-1)
	want(b, "document.querySelectorAll('.row.now').length", 2)
	b.do(chromedp.KeyEvent(kb.ArrowRight))
	b.shoot("side-by-side")
	b.do(chromedp.NavigateBack(), chromedp.WaitVisible(chromedp.CSS("[role=tree]")))
	eval[chromedp.Void](b, `(() => { const n = [...document.querySelectorAll(".node.failed")].find(n => n.querySelector("a")); n.focus();
		n.dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", bubbles: true})); })()`)
	b.do(chromedp.WaitVisible(chromedp.CSS(".verdict.failed")))
	want(b, "document.querySelectorAll('.timeline').length", 1)
}

// The matrix is filtered, and each cell leads to its timeline.
func TestMatrix(t *testing.T) {
	page := matrix()
	b := open(t, save(t, page))
	rows := "document.querySelectorAll('.matrix tbody tr').length"
	want(b, rows, len(page.Matrix.Cases))
	b.shoot("matrix")
	b.do(chromedp.SendKeys(chromedp.CSS("#filter"), "sequential"))
	want(b, rows, 1)
	want(b, text(".matrix tbody th"), "reuse-sequential")
	b.do(chromedp.Click(chromedp.CSS(".matrix tbody td.cell a")), chromedp.WaitVisible(chromedp.CSS(".timeline")))
	want(b, text("nav span"), "reuse-sequential, net/http http1")
	b.do(chromedp.NavigateBack(), chromedp.WaitVisible(chromedp.CSS(".matrix")))
	for i, c := range page.Matrix.Cases {
		for k, cell := range c.Cells {
			if (len(cell.Runs) == 0) != (cell.State == "n/a") {
				t.Errorf("case %d, subject %d: %s has %d runs", i, k, cell.State, len(cell.Runs))
			}
		}
	}
}

// The time that a page with 10,000 events may take to open, and for a step.
const (
	mostToOpen = 2 * time.Second
	mostToStep = 33.0 // ms, the median
)

// A run of 10,000 events opens fast, and is stepped through without a wait.
func TestSpeed(t *testing.T) {
	page := long(10_000)
	events := 0
	for _, s := range page.Runs[0].Steps {
		if s.Event != nil {
			events++
		}
	}
	if events < 10_000 {
		t.Fatalf("got %d events", events)
	}
	address := save(t, page)
	info, _ := os.Stat(strings.TrimPrefix(address, "file://"))
	b := open(t, save(t, runOf("TestShort", leaky)))
	began := time.Now()
	b.do(chromedp.Navigate(address), chromedp.WaitVisible(chromedp.CSS(".row")))
	opened := time.Since(began)
	before := cpu(b)
	median := eval[float64](b, `(async () => {
		const times = [];
		for (let i = 0; i < 200; i++) {
			const began = performance.now();
			document.body.dispatchEvent(new KeyboardEvent("keydown", {key: i % 20 ? "ArrowRight" : "PageDown", bubbles: true}));
			await new Promise(done => requestAnimationFrame(() => { const c = new MessageChannel(); c.port1.onmessage = done; c.port2.postMessage(0); }));
			times.push(performance.now() - began);
		}
		return times.sort((a, b) => a - b)[100];
	})()`)
	busy := (cpu(b) - before) / 200
	want(b, step, 190+10*20)
	inPage := eval[float64](b, "performance.getEntriesByType('navigation')[0].loadEventEnd")
	t.Logf("the page says that it was loaded after %.0f ms", inPage)
	t.Logf("%d events, %d steps, %d bytes: opened in %v, a step takes %.1f ms", events, len(page.Runs[0].Steps), info.Size(), opened.Round(time.Millisecond), median)
	if opened > mostToOpen {
		t.Errorf("it opened in %v, want at most %v", opened, mostToOpen)
	}
	t.Logf("the page's thread computes %.1f ms for a step", busy)
	if busy > mostToStep {
		t.Errorf("the page's thread computes %.1f ms for a step, want at most %.0f", busy, mostToStep)
	}
	if median > mostToStep {
		t.Errorf("a step takes %.1f ms, want at most %.0f", median, mostToStep)
	}
}

// cpu returns how many milliseconds the thread of the page has computed.
func cpu(b *tab) (ms float64) {
	b.Helper()
	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		domain := performance.EnableTimeDomainThreadTicks
		if _, err := cdp.Call(ctx, t, performance.Enable, performance.EnableParams{TimeDomain: domain}); err != nil {
			return err
		}
		r, err := cdp.Call(ctx, t, performance.GetMetrics, cdp.Empty{})
		if err != nil {
			return err
		}
		for _, m := range r.Metrics {
			if m.Name == "TaskDuration" {
				ms = m.Value * 1000
			}
		}
		return nil
	}))
	return ms
}

// A report of 1,000 results stays small.
func TestSize(t *testing.T) {
	page := matrix()
	results := len(page.Matrix.Cases) * len(page.Matrix.Subjects)
	info, err := os.Stat(strings.TrimPrefix(save(t, page), "file://"))
	if err != nil {
		t.Fatal(err)
	}
	thousand := info.Size() * 1000 / int64(results)
	t.Logf("%d results: %d bytes, and 1,000 of them %d", results, info.Size(), thousand)
	if thousand > 12<<20 {
		t.Errorf("1,000 results have %d bytes, want at most 12 MiB", thousand)
	}
}
