#!/usr/bin/env bash
# xtaci/lossyconn v1.1.0, a net.PacketConn in memory with faults for tests. Its documentation: Delay, a time.Duration, is
# the "one-way base delay"; ReorderRate is the probability of an extra delay, by which packets change places; "Reads
# already in progress are woken when the deadline changes". In a bubble of testing/synctest, where times are exact, and
# with ReorderRate 0 and no variation: a delay is cut to whole milliseconds, so 900 µs is none and 1.9 ms is 1 ms (a
# link of a data centre cannot be had); ten packets sent in one instant arrive in another order, as its heap does
# not keep that of equal times; of two Reads in progress a new deadline wakes one, and the other one is still
# there an hour behind it. And net.PacketConn's documentation: after a deadline all I/O fails; here a packet that
# comes after it is returned with a nil error. On a UDP socket both Reads end, and that behind the deadline too.
# Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module finding
go 1.26.0
require github.com/xtaci/lossyconn v1.1.0
MOD
cat > finding_test.go <<'GO'
package main

import (
	"errors"
	"fmt"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/xtaci/lossyconn"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func pair(delay time.Duration) (a, b *lossyconn.LossyConn) {
	config := lossyconn.Config{Delay: delay, Seed: 1}
	return must(lossyconn.NewWithConfig(config)), must(lossyconn.NewWithConfig(config))
}

func receive(c net.PacketConn) (string, error) {
	p := make([]byte, 100)
	n, _, err := c.ReadFrom(p)
	return string(p[:n]), err
}

func timedOut(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

// readers begins two Reads on c.
func readers(c net.PacketConn) chan error {
	ended := make(chan error, 2)
	for range 2 {
		go func() {
			_, err := receive(c)
			ended <- err
		}()
	}
	return ended
}

func TestFinding(t *testing.T) {
	for _, delay := range []time.Duration{900 * time.Microsecond, 1900 * time.Microsecond, 5 * time.Millisecond} {
		synctest.Test(t, func(*testing.T) {
			a, b := pair(delay)
			start := time.Now()
			must(a.WriteTo([]byte("x"), b.LocalAddr()))
			must(receive(b))
			fmt.Printf("lossyconn: a delay of %v is %v\n", delay, time.Since(start))
			a.Close()
			b.Close()
		})
	}
	synctest.Test(t, func(*testing.T) {
		a, b := pair(10 * time.Millisecond)
		fmt.Print("lossyconn: sent 0 to 9, received")
		for i := range 10 {
			must(a.WriteTo(fmt.Append(nil, i), b.LocalAddr()))
		}
		for range 10 {
			fmt.Printf(" %s", must(receive(b)))
		}
		fmt.Println()
		a.Close()
		b.Close()
	})
	synctest.Test(t, func(*testing.T) {
		a, b := pair(0)
		ended := readers(b)
		synctest.Wait()
		b.SetReadDeadline(time.Now().Add(time.Second))
		time.Sleep(time.Hour)
		fmt.Printf("lossyconn: %d of 2 Reads ended an hour behind their deadline\n", len(ended))
		must(a.WriteTo([]byte("late"), b.LocalAddr()))
		synctest.Wait()
		for range 2 {
			err := <-ended
			fmt.Printf("lossyconn: timeout %v, error %v\n", timedOut(err), err != nil)
		}
		must(a.WriteTo([]byte("later"), b.LocalAddr()))
		synctest.Wait()
		got, err := receive(b)
		fmt.Printf("lossyconn: a Read behind the deadline %q %v\n", got, err)
		a.Close()
		b.Close()
	})

	a, b := must(net.ListenPacket("udp", "127.0.0.1:0")), must(net.ListenPacket("udp", "127.0.0.1:0"))
	ended := readers(b)
	b.SetReadDeadline(time.Unix(1, 0))
	fmt.Printf("udp: timeouts %v %v\n", timedOut(<-ended), timedOut(<-ended))
	must(a.WriteTo([]byte("later"), b.LocalAddr()))
	got, err := receive(b)
	fmt.Printf("udp: a Read behind the deadline %q, timeout %v\n", got, timedOut(err))
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go test -count=1 . -v | grep '^lossyconn\|^udp' > got || true
cat > want <<'WANT'
lossyconn: a delay of 900µs is 0s
lossyconn: a delay of 1.9ms is 1ms
lossyconn: a delay of 5ms is 5ms
lossyconn: sent 0 to 9, received 0 9 8 7 6 5 4 3 2 1
lossyconn: 1 of 2 Reads ended an hour behind their deadline
lossyconn: timeout true, error true
lossyconn: timeout false, error false
lossyconn: a Read behind the deadline "later" <nil>
udp: timeouts true true
udp: a Read behind the deadline "", timeout true
WANT
diff want got && echo "as stated"
