#!/usr/bin/env bash
# foxcpp/go-mockdns v1.3.0: its Resolver "implements interface same as net.Resolver and so can be
# used as a drop-in replacement". net.Resolver, asking a mockdns.Server with the same zones,
# against it: an address in place of a host is returned as it is, and is "no such host"; the
# canonical name of a host without a CNAME is its own, and is "" with a nil error; LookupSRV
# with empty service and proto looks up the name itself, and looks up "_._.name"; SRV and MX
# records are sorted by priority, and are in the zone's order, so a client that dials the first
# one takes the backup; a cancelled context ends a lookup, and does nothing. net.Resolver's
# documentation has all of these but the first. Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module finding
go 1.26.0
require github.com/foxcpp/go-mockdns v1.3.0
MOD
cat > main.go <<'GO'
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"

	"github.com/foxcpp/go-mockdns"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

type resolver interface {
	LookupHost(ctx context.Context, host string) ([]string, error)
	LookupCNAME(ctx context.Context, host string) (string, error)
	LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error)
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
}

// ended says how a lookup ended, in words that both resolvers have.
func ended(err error) string {
	var e *net.DNSError
	switch {
	case err == nil:
		return "no error"
	case errors.As(err, &e) && e.IsNotFound:
		return "no such host"
	default:
		return "an error"
	}
}

func main() {
	zones := map[string]mockdns.Zone{
		"host.example.": {A: []string{"192.0.2.1"}},
		"mx.example.":   {MX: []net.MX{{Host: "backup.example.", Pref: 20}, {Host: "main.example.", Pref: 10}}},
		"_redis._tcp.example.": {SRV: []net.SRV{
			{Target: "backup.example.", Port: 1, Priority: 20}, {Target: "main.example.", Port: 1, Priority: 10}}},
	}
	s := must(mockdns.NewServerWithLogger(zones, log.New(io.Discard, "", 0), false))
	real := &net.Resolver{PreferGo: true}
	s.PatchNet(real)
	for _, r := range []struct {
		name string
		resolver
	}{{"net.Resolver", real}, {"mockdns", &mockdns.Resolver{Zones: zones}}} {
		ctx := context.Background()
		hosts, err := r.LookupHost(ctx, "192.0.2.7")
		fmt.Printf("%s: LookupHost of an address: %v, %s\n", r.name, hosts, ended(err))
		cname, err := r.LookupCNAME(ctx, "host.example.")
		fmt.Printf("%s: LookupCNAME of host.example.: %q, %s\n", r.name, cname, ended(err))
		for _, service := range []string{"redis", ""} {
			proto, name := "tcp", "example."
			if service == "" {
				proto, name = "", "_redis._tcp.example."
			}
			_, srv, err := r.LookupSRV(ctx, service, proto, name)
			fmt.Printf("%s: LookupSRV %q %q %s:", r.name, service, proto, name)
			for _, s := range srv {
				fmt.Printf(" %s %d", s.Target, s.Priority)
			}
			fmt.Printf(" %s\n", ended(err))
		}
		mx := must(r.LookupMX(ctx, "mx.example."))
		fmt.Printf("%s: LookupMX: %s %d, %s %d\n", r.name, mx[0].Host, mx[0].Pref, mx[1].Host, mx[1].Pref)
		cancelled, cancel := context.WithCancel(ctx)
		cancel()
		hosts, err = r.LookupHost(cancelled, "host.example.")
		fmt.Printf("%s: LookupHost, cancelled: %v, %s\n", r.name, hosts, ended(err))
	}
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go run . > got
cat > want <<'WANT'
net.Resolver: LookupHost of an address: [192.0.2.7], no error
net.Resolver: LookupCNAME of host.example.: "host.example.", no error
net.Resolver: LookupSRV "redis" "tcp" example.: main.example. 10 backup.example. 20 no error
net.Resolver: LookupSRV "" "" _redis._tcp.example.: main.example. 10 backup.example. 20 no error
net.Resolver: LookupMX: main.example. 10, backup.example. 20
net.Resolver: LookupHost, cancelled: [], an error
mockdns: LookupHost of an address: [], no such host
mockdns: LookupCNAME of host.example.: "", no error
mockdns: LookupSRV "redis" "tcp" example.: backup.example. 20 main.example. 10 no error
mockdns: LookupSRV "" "" _redis._tcp.example.: no such host
mockdns: LookupMX: backup.example. 20, main.example. 10
mockdns: LookupHost, cancelled: [192.0.2.1], no error
WANT
diff want got && echo "as stated"
