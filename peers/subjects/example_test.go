package subjects

import (
	"cmp"
	"context"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"net"
	"strings"
	"testing"

	redigo "github.com/gomodule/redigo/redis"
	"github.com/jackc/puddle/v2"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/suites"
)

// These examples show how to run the cases on a client or a pool of your own.

func TestExampleClient(t *testing.T) {
	suites.TestClient(t, suites.ClientSubject{Serve: Redis, Make: func(t *harness.T, s suites.ClientSettings) (suites.Client, error) {
		p := &redigo.Pool{MaxActive: s.MaxConns, Wait: true, MaxIdle: cmp.Or(s.MaxIdle, 10), IdleTimeout: s.IdleTimeout}
		p.DialContext = func(ctx context.Context) (redigo.Conn, error) {
			c, err := t.Net.DialContext(ctx, "tcp", s.Addr)
			return redigo.NewConn(c, s.Timeout, 0), err
		}
		return suites.NewClient(func(ctx context.Context, say string) (string, error) {
			c, _ := p.GetContext(ctx) // its error is that of every call on c
			defer c.Close()
			return redigo.String(redigo.DoContext(c, ctx, "ECHO", say))
		}, p.Close), nil
	}}, redigoQuirks...)
}

func TestExamplePool(t *testing.T) {
	suites.TestPool(t, func(dial func(context.Context) (net.Conn, error), s suites.ClientSettings) (suites.ConnPool, error) {
		if s.MaxIdle > 0 || s.IdleTimeout > 0 {
			return nil, errors.New("puddle has no limit of idle connections")
		}
		p, err := puddle.NewPool(&puddle.Config[net.Conn]{MaxSize: int32(cmp.Or(s.MaxConns, 10)), Constructor: dial, Destructor: func(c net.Conn) { c.Close() }})
		return suites.NewPool(func(ctx context.Context) (suites.Lease, error) {
			r, err := p.Acquire(ctx)
			if err != nil {
				return suites.Lease{}, err
			}
			return suites.Lease{Conn: r.Value(), Put: r.Release, Discard: r.Destroy}, nil
		}, func() error { p.Close(); return nil }), err
	}, puddleQuirks...)
}

// A new subject takes at most 15 lines.
func TestExamplesAreShort(t *testing.T) {
	files := token.NewFileSet()
	f, err := parser.ParseFile(files, "example_test.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	examples := 0
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || !strings.HasPrefix(fn.Name.Name, "TestExample") || fn.Name.Name == "TestExamplesAreShort" {
			continue
		}
		examples++
		if lines := files.Position(fn.End()).Line - files.Position(fn.Pos()).Line + 1; lines > 15 {
			t.Errorf("%s: got %d lines, want at most 15", fn.Name.Name, lines)
		}
	}
	if examples != 2 {
		t.Errorf("got %d examples, want 2", examples)
	}
}
