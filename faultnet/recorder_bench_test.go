package faultnet_test

import (
	"context"
	"net"
	"testing"

	"github.com/halfopen/halfopen/faultnet"
)

// What a recorder costs, beside the bare dialer: bytes to and fro on kernel loopback, and on a network
// in memory, whose calls are cheaper, and so the share of the recorder larger.
func BenchmarkRecorder(b *testing.B) {
	kernel := func(t testing.TB) (net.Listener, dialFunc) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		return l, new(net.Dialer).DialContext
	}
	memory := func(t testing.TB) (net.Listener, dialFunc) {
		n := new(faultnet.Net)
		l, err := n.Listen("tcp", "127.0.0.1:80")
		if err != nil {
			t.Fatal(err)
		}
		return l, n.DialContext
	}
	for _, network := range []struct {
		name string
		make func(testing.TB) (net.Listener, dialFunc)
	}{{"tcp", kernel}, {"faultnet", memory}} {
		for _, payload := range []int{-1, 0, 512} {
			name := map[int]string{-1: "bare", 0: "recorded", 512: "recorded-payload"}[payload]
			b.Run(network.name+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				l, dial := network.make(b)
				if payload >= 0 {
					dial = (&faultnet.Recorder{Payload: payload}).WrapDialer(dial)
				}
				o := newOpener(b, l, nil, dial, l.Addr().String())
				defer o.stop()
				benchPingPong(b, o)
			})
		}
	}
}

type dialFunc = func(ctx context.Context, network, address string) (net.Conn, error)
