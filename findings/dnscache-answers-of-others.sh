#!/usr/bin/env bash
# rs/dnscache 2023-08-04, to be used "in place of net.Resolver": lookups of one host that are
# under way at once are joined across all Resolvers of a program, whatever they ask. With the
# two of its own documentation, NewResolverOnlyV4 and NewResolverOnlyV6, the second gets the
# first one's IPv4 addresses and keeps them. A failure is kept as an answer: until the next
# Refresh each lookup returns it without asking again, also when it was Refresh that failed,
# where the documentation has stale entries removed. And the list that it returns is the
# cache's own: a caller that turns it round, to spread the load, does so for all. In a bubble
# of testing/synctest, in which the two lookups overlap for certain. Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module finding
go 1.26.0
require github.com/rs/dnscache v0.0.0-20230804202142-fc85eb664529
MOD
cat > finding_test.go <<'GO'
package finding

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/dnscache"
)

// answers is a resolver that answers after a second (virtual), and counts.
type answers struct {
	addrs []string
	err   error
	asked int
}

func (a *answers) LookupHost(context.Context, string) ([]string, error) {
	a.asked++
	time.Sleep(time.Second) // virtual
	return slices.Clone(a.addrs), a.err
}

func (a *answers) LookupAddr(context.Context, string) ([]string, error) { return nil, a.err }

func TestFinding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		v4, v6 := &answers{addrs: []string{"192.0.2.1"}}, &answers{addrs: []string{"2001:db8::1"}}
		r4, r6 := &dnscache.Resolver{Resolver: v4}, &dnscache.Resolver{Resolver: v6}
		go r4.LookupHost(ctx, "host.example")
		synctest.Wait()
		addrs, err := r6.LookupHost(ctx, "host.example")
		fmt.Println("dnscache, IPv6 only:", addrs, err)
		addrs, err = r6.LookupHost(ctx, "host.example")
		fmt.Println("dnscache, IPv6 only, later:", addrs, err, "asked", v6.asked)

		a := &answers{err: errors.New("timeout")}
		r := &dnscache.Resolver{Resolver: a}
		for _, refresh := range []bool{false, true} {
			_, err1 := r.LookupHost(ctx, "host.example")
			a.addrs, a.err = []string{"192.0.2.1"}, nil
			_, err2 := r.LookupHost(ctx, "host.example")
			fmt.Printf("dnscache, a failure and then a lookup: %v, %v, asked %d\n", err1, err2, a.asked)
			if !refresh {
				r.Refresh(false)
				r.LookupHost(ctx, "host.example")
				a.err = errors.New("timeout")
				r.Refresh(false)
				a.asked = 0
				fmt.Print("in Refresh: ")
			}
		}

		r = &dnscache.Resolver{Resolver: &answers{addrs: []string{"192.0.2.1", "192.0.2.2"}}}
		mine, _ := r.LookupHost(ctx, "host.example")
		slices.Reverse(mine)
		theirs, _ := r.LookupHost(ctx, "host.example")
		fmt.Println("dnscache, after one caller turned its list round, another one has", theirs)
	})
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go test -count=1 . -v | grep dnscache, > got || true
cat > want <<'WANT'
dnscache, IPv6 only: [192.0.2.1] <nil>
dnscache, IPv6 only, later: [192.0.2.1] <nil> asked 0
dnscache, a failure and then a lookup: timeout, timeout, asked 1
in Refresh: dnscache, a failure and then a lookup: timeout, timeout, asked 0
dnscache, after one caller turned its list round, another one has [192.0.2.2 192.0.2.1]
WANT
diff want got && echo "as stated"
