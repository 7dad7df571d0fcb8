package faultnet_test

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/halfopen/halfopen/faultnet"
)

// What a Read that sleeps returns when two things follow each other with no
// time between for it to wake: the first one counts.
func TestSleepingRead(t *testing.T) {
	for _, tt := range []struct {
		name   string
		do     func(c, s *faultnet.Conn)
		n      int
		err    error
		unread int
	}{
		{"bytes, then the own close", func(c, s *faultnet.Conn) { c.Write([]byte("hi")); s.Close() }, 2, nil, 0},
		{"bytes, then a reset", func(c, s *faultnet.Conn) { c.Write([]byte("hi")); c.Reset() }, 2, nil, 0},
		{"bytes, then a past deadline", func(c, s *faultnet.Conn) {
			c.Write([]byte("hi"))
			s.SetReadDeadline(time.Now().Add(-time.Second))
		}, 2, nil, 0},
		{"bytes, then bytes", func(c, s *faultnet.Conn) { c.Write([]byte("hi")); c.Write([]byte("ho")) }, 2, nil, 2},
		{"a past deadline, then bytes", func(c, s *faultnet.Conn) {
			s.SetReadDeadline(time.Now().Add(-time.Second))
			c.Write([]byte("hi"))
		}, 0, os.ErrDeadlineExceeded, 2},
		{"the own close, then bytes", func(c, s *faultnet.Conn) { s.Close(); c.Write([]byte("hi")) }, 0, net.ErrClosed, 0},
		{"the own closeread, then bytes", func(c, s *faultnet.Conn) { s.CloseRead(); c.Write(nil) }, 0, io.EOF, 0},
		{"more than it asks for", func(c, s *faultnet.Conn) { c.Write([]byte("0123456789")) }, 4, nil, 6},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, s := pipe(t, new(faultnet.Net))
				defer c.Close()
				defer s.Close()
				var n int
				var err error
				go func() { n, err = s.Read(make([]byte, 4)) }()
				synctest.Wait()
				tt.do(c, s)
				synctest.Wait()
				if n != tt.n || !errors.Is(err, tt.err) || s.Unread() != tt.unread {
					t.Errorf("got %d, %v and %d unread, want %d, %v and %d", n, err, s.Unread(), tt.n, tt.err, tt.unread)
				}
			})
		})
	}
}
