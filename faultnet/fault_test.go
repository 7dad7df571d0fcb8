package faultnet_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/halfopen/halfopen/faultnet"
)

// Every verdict is read back from its own name, and what is wrong with one is
// told.
func TestParseVerdict(t *testing.T) {
	for _, v := range faultnet.Verdicts() {
		got, err := faultnet.ParseVerdict(v.String())
		if err != nil || got.String() != v.String() || got.Doc() == "" || got.Kinds() == 0 {
			t.Errorf("%s: got %s, %v", v, got, err)
		}
	}
	for _, s := range []string{"cut:10", "delay:5ms", "jitter:5ms,7", "error:EPIPE", "reset:all", "dribble:2,1s", "rate:100", "lookup:3s"} {
		if v, err := faultnet.ParseVerdict(s); err != nil || v.String() != s {
			t.Errorf("%s: got %s, %v", s, v, err)
		}
	}
	for s, want := range map[string]string{
		"cutt":         `faultnet: unknown verdict "cutt" (did you mean "cut"?)`,
		"cut:x":        `faultnet: verdict "cut:x": bad BYTES "x": want a number`,
		"delay:-1s":    `faultnet: verdict "delay:-1s": bad DURATION "-1s": want 90s, 1ms and the like`,
		"refuse:1":     `faultnet: verdict "refuse:1": want refuse`,
		"cut:1,2":      `faultnet: verdict "cut:1,2": want cut[:BYTES]`,
		"error:ENOENT": `faultnet: verdict "error:ENOENT": bad ERRNO "ENOENT" (did you mean "ENOMEM"?): want one of EPIPE, ECONNRESET, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, ENETDOWN, EMFILE, ENFILE, ENOBUFS, ENOMEM, ECONNABORTED, EINVAL, EIO, EPROTO`,
		"rate:0":       `faultnet: verdict "rate:0": bad BYTES "0": want a number, 1 or more`,
	} {
		if _, err := faultnet.ParseVerdict(s); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", s, err, want)
		}
	}
	for s, want := range map[string]string{
		"":              "faultnet: a verdict is missing",
		"refuse nth":    `faultnet: "refuse nth": "nth" wants a number behind it`,
		"refuse nth x":  `faultnet: "refuse nth x": bad number "x" behind nth: want 1, 2 and so on`,
		"refuse for 0s": `faultnet: "refuse for 0s": bad duration "0s": want 90s, 1ms and the like`,
		"refuse some 3": `faultnet: "refuse some 3": unknown word "some"; there are: always, nth, first, after, from, for`,
	} {
		if _, _, err := faultnet.ParseFault(s); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", s, err, want)
		}
	}
}

// Combinators pick the events that they say, however often they are asked.
func TestCombinators(t *testing.T) {
	for _, tt := range []struct{ fault, want string }{
		{"refuse", "x....."}, {"refuse nth 2", ".x...."}, {"refuse first 3", "xxx..."},
		{"refuse after 2", "..xxxx"}, {"refuse always", "xxxxxx"}, {"refuse for 3s", "xxx..."},
		{"refuse after 1 first 2", ".xx..."},
	} {
		synctest.Test(t, func(t *testing.T) {
			n := new(faultnet.Net)
			l, _ := n.Listen("tcp", "api.test:80")
			defer l.Close()
			v, which, err := faultnet.ParseFault(tt.fault)
			if err != nil {
				t.Fatal(err)
			}
			n.Arm("dial", v, which...)
			text := v.String()
			for _, w := range which {
				text += " " + w.String()
			}
			if text != tt.fault {
				t.Errorf("got %q, want %q", text, tt.fault)
			}
			got := ""
			for range 6 {
				c, err := n.Dial("tcp", "api.test:80")
				if err != nil {
					got += "x"
				} else {
					got += "."
					c.Close()
				}
				time.Sleep(time.Second) // virtual
			}
			if got != tt.want {
				t.Errorf("%s: got %s, want %s", tt.fault, got, tt.want)
			}
		})
	}
}

// What a client reads when the server has sent "hello" and a FIN, under each
// verdict about what arrives, and how long that took.
func TestArrivals(t *testing.T) {
	for _, tt := range []struct{ pattern, verdict, want string }{
		{"c1 server->client data", "pass", `"hello" EOF after 0s`},
		{"c1 server->client data", "delay:5s", `"hello" EOF after 5s`},
		{"c1 server fin", "delay:5s", `"hello" EOF after 5s`},
		{"c1 server->client data", "split:2", `"hello" EOF after 0s`},
		{"c1 server->client data", "cut:2", `"he" EOF after 0s`},
		{"c1 server->client data", "reset:2", `"he" ECONNRESET after 0s`},
		{"c1 server->client data", "reset", `"" ECONNRESET after 0s`},
		{"c1 server->client data", "corrupt:1", `"hdllo" EOF after 0s`},
		{"c1 server->client data", "extra:2", `"helloXX" EOF after 0s`},
		{"c1 server->client data", "dribble:1,1s", `"hello" EOF after 5s`},
		{"c1 server->client data", "rate:5", `"hello" EOF after 1s`},
		{"c1 server->client data", "stall:2", `"he" timeout after 1m0s`},
		{"c1 server->client data", "lose", `"" timeout after 1m0s`},
		{"c1 server fin", "lose", `"hello" timeout after 1m0s`},
		{"c1 server fin", "reset", `"hello" ECONNRESET after 0s`},
		{"c1 client read", "error:ETIMEDOUT", `"" connection timed out after 0s`},
		{"c1 client read", "data-eof", `"hello" EOF after 0s`},
		{"c1 client read", "block", `"" timeout after 1m0s`},
	} {
		synctest.Test(t, func(t *testing.T) {
			n := new(faultnet.Net)
			c, s := pipe(t, n)
			if tt.verdict != "pass" {
				v, err := faultnet.ParseVerdict(tt.verdict)
				if err != nil {
					t.Fatal(err)
				}
				which := []faultnet.Selection{faultnet.Always()}
				if strings.HasPrefix(tt.verdict, "extra") || strings.HasPrefix(tt.verdict, "corrupt") {
					which = nil
				}
				n.Arm(tt.pattern, v, which...)
			}
			start := time.Now()
			c.SetReadDeadline(start.Add(time.Minute))
			io.WriteString(s, "hello")
			s.CloseWrite()
			b, err := io.ReadAll(c)
			got := fmt.Sprintf("%q %s after %s", b, strings.Replace(errText(err), "<nil>", "EOF", 1), time.Since(start))
			if got != tt.want {
				t.Errorf("%s as %s: got %s, want %s", tt.pattern, tt.verdict, got, tt.want)
			}
			n.Close()
		})
	}
}

func errText(err error) string {
	var errno syscall.Errno
	if s := short(err); s == "timeout" || s == "ECONNRESET" || s == "<nil>" {
		return s
	} else if errors.As(err, &errno) {
		return errno.Error()
	}
	return err.Error()
}

// Latency is that of each write: two writes at different times arrive as far
// apart as they were made, in their order, and jitter changes no order either.
func TestLatency(t *testing.T) {
	for _, tt := range []struct {
		v    faultnet.Verdict
		want string
	}{
		{faultnet.Delay(10 * time.Second), "a at 10s, b at 11s, c at 12s, "},
		{faultnet.Jitter(10*time.Second, 1), ""},
		{faultnet.ExponentialDelay(3*time.Second, 1), ""},
	} {
		var first string
		for range 2 {
			synctest.Test(t, func(t *testing.T) {
				n := new(faultnet.Net)
				c, s := pipe(t, n)
				lift := n.Shape(faultnet.On("c1 server->client data", tt.v))
				start := time.Now()
				go func() {
					for _, w := range []string{"a", "b", "c"} {
						io.WriteString(s, w)
						time.Sleep(time.Second) // virtual
					}
					s.Close()
				}()
				got, letters := "", ""
				for {
					b := make([]byte, 9)
					k, err := c.Read(b)
					if err != nil {
						break
					}
					for _, letter := range b[:k] { // whether two come in one read is chance
						got += fmt.Sprintf("%c at %s, ", letter, time.Since(start))
						letters += string(letter)
					}
				}
				if letters != "abc" || tt.want != "" && got != tt.want {
					t.Errorf("%s: got %s, want %s", tt.v, got, tt.want)
				}
				if first == "" {
					first = got
				} else if got != first {
					t.Errorf("%s: got %s, and before %s: the lot is not the seed's", tt.v, got, first)
				}
				lift()
				n.Close()
			})
		}
	}
}

// A dial whose SYN is dropped tries again as Linux does, and ends as it does.
func TestDroppedSYN(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(faultnet.Net)
		n.Record(true)
		l, _ := n.Listen("tcp", "api.test:80")
		n.Backlog("api.test:80", 1)
		first, err := n.Dial("tcp", "api.test:80")
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if _, err := n.Dial("tcp", "api.test:80"); !errors.Is(err, syscall.ETIMEDOUT) || time.Since(start) != 127*time.Second {
			t.Errorf("got %v after %s, want ETIMEDOUT after 2m7s", err, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		_, err = n.DialContext(ctx, "tcp", "api.test:80")
		if !errors.Is(err, context.DeadlineExceeded) || err.Error() != "dial tcp 198.18.0.1:80: i/o timeout" {
			t.Errorf("got %v", err)
		}
		go func() {
			time.Sleep(2 * time.Second) // virtual
			c, _ := l.Accept()
			c.Close()
		}()
		start = time.Now()
		second, err := n.Dial("tcp", "api.test:80")
		if err != nil || time.Since(start) != 3*time.Second {
			t.Errorf("got %v after %s, want it open with the third SYN, after 3s", err, time.Since(start))
		}
		first.Close()
		second.Close()
		n.Close()
	})
}

// A context that ends during the lookup gives the error of a lookup.
func TestLookupCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(faultnet.Net)
		l, _ := n.Listen("tcp", "api.test:80")
		defer l.Close()
		n.Install(faultnet.On("dial", faultnet.Lookup(time.Minute)))
		for _, tt := range []struct {
			end     func(context.CancelFunc)
			text    string
			is      error
			timeout bool
		}{
			{func(cancel context.CancelFunc) { cancel() }, "dial tcp: lookup api.test: operation was canceled", context.Canceled, false},
			{func(context.CancelFunc) {}, "dial tcp: lookup api.test: i/o timeout", context.DeadlineExceeded, true},
		} {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			go func() {
				time.Sleep(time.Second) // virtual
				tt.end(cancel)
			}()
			_, err := n.DialContext(ctx, "tcp", "api.test:80")
			var dns *net.DNSError
			if err == nil || err.Error() != tt.text || !errors.Is(err, tt.is) || !errors.As(err, &dns) || dns.IsTimeout != tt.timeout {
				t.Errorf("got %v, want %s", err, tt.text)
			}
			cancel()
		}
	})
}

// A program that is paused does nothing, its kernel does; a machine that
// crashed says nothing, and after its restart knows nothing.
func TestHosts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(faultnet.Net)
		c, s := pipe(t, n)
		reads := 0
		go func() {
			b := make([]byte, 1)
			for {
				if _, err := s.Read(b); err != nil {
					return
				}
				reads++
			}
		}()
		synctest.Wait()
		resume := n.Pause("api.test:80")
		io.WriteString(c, "hello")
		synctest.Wait()
		if reads != 0 || s.Unread() != 5 {
			t.Errorf("got %d reads and %d unread, want 0 and 5: paused", reads, s.Unread())
		}
		resume()
		synctest.Wait()
		if reads != 5 {
			t.Errorf("got %d reads, want 5", reads)
		}
		n.Crash("api.test")
		synctest.Wait()
		io.WriteString(c, "lost")
		if c.State() != "ESTABLISHED" {
			t.Errorf("got %s, want ESTABLISHED: the client got no word of the crash", c.State())
		}
		n.Restart("api.test")
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("got %v, want ECONNRESET: the segment found no connection", err)
		}
		c.Close()
		n.Close()
	})
}

// Dials to a name with several addresses take them in turn, within the time
// that there is, and return the first error.
func TestResolve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(faultnet.Net)
		l, _ := n.Listen("tcp", "b.test:80")
		dead, _ := n.Listen("tcp", "a.test:81")
		n.Resolve("api.test", "a.test", "b.test")
		c, err := n.Dial("tcp", "api.test:80")
		if err != nil || c.RemoteAddr().String() != l.Addr().String() {
			t.Fatalf("got %v, %v, want b.test", c, err)
		}
		c.Close()
		n.Install(faultnet.On("dial * a.test:80", faultnet.BlackHole))
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		start := time.Now()
		c, err = n.DialContext(ctx, "tcp", "api.test:80")
		if err != nil || time.Since(start) != 5*time.Second {
			t.Errorf("got %v after %s, want b.test after half of the time", err, time.Since(start))
		} else {
			c.Close()
		}
		n.Resolve("api.test", "192.0.2.1", "192.0.2.2")
		if _, err := n.Dial("tcp", "api.test:80"); err == nil || err.Error() != "dial tcp 192.0.2.1:80: connect: no route to host" {
			t.Errorf("got %v, want the error of the first", err)
		}
		l.Close()
		dead.Close()
		n.Close()
	})
}

// A rule that panics does so in the dial that it is asked about: a dialer that
// panics.
func TestPanickingDialer(t *testing.T) {
	n := new(faultnet.Net)
	n.Install(func(e *faultnet.Event) faultnet.Verdict { panic("the dialer is broken") })
	defer func() {
		if r := recover(); r != "the dialer is broken" {
			t.Errorf("got panic %v", r)
		}
	}()
	n.Dial("tcp", "api.test:80")
	t.Error("the dial returned")
}

// The last bytes come together with the end of the stream, in one Read, on the
// network and over loopback TCP.
func TestDataEOF(t *testing.T) {
	n := new(faultnet.Net)
	n.Install(faultnet.On("c1 client read", faultnet.DataEOF))
	c, s := pipe(t, n)
	defer n.Close()
	io.WriteString(s, "hello")
	s.CloseWrite()
	b := make([]byte, 9)
	if k, err := c.Read(b[:3]); k != 3 || err != nil {
		t.Errorf("got %d, %v, want 3 bytes and no end yet", k, err)
	}
	if k, err := c.Read(b); k != 2 || err != io.EOF {
		t.Errorf("got %d, %v, want 2 and EOF", k, err)
	}
	n = new(faultnet.Net)
	c2, s2 := overTCP(t, n)
	n.Install(faultnet.On("c1 client read", faultnet.DataEOF))
	io.WriteString(s2, "hello")
	s2.CloseWrite()
	if k, err := io.ReadFull(c2, b[:5]); k != 5 || err != nil {
		t.Errorf("got %d, %v", k, err)
	}
	if k, err := c2.Read(b); k != 0 || err != io.EOF {
		t.Errorf("got %d, %v, want EOF", k, err)
	}
}
