#!/usr/bin/env bash
# Circuit breakers on a slow call that began before the outage and succeeds during it. failsafe-go v0.9.8: half-open
# admits "trial executions", and closes "depending on how many were successful"; rubyist/circuitbreaker v2.2.1: a
# success resets the breaker if it "was triggered by a retry attempt"; levee 1.5.1: resetTimeout is the time to wait before
# an open breaker is tried again. The old call's success closes the first two while their one trial is still under
# way, and that trial then fails unseen: the calls that come meanwhile all reach the service that is down. levee it
# closes at once, open as it is, long before the resetTimeout. They keep no note of the state that a call began
# in. Those of sony/gobreaker v2.4.0 and eapache/go-resiliency v1.7.0, and opossum 10.0.0, wait for their trial.
# Without real time (a bubble of testing/synctest, node:test's timers). Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module finding
go 1.26.0
require (
	github.com/eapache/go-resiliency v1.7.0
	github.com/failsafe-go/failsafe-go v0.9.8
	github.com/rubyist/circuitbreaker v2.2.1+incompatible
	github.com/sony/gobreaker/v2 v2.4.0
)
MOD
cat > finding_test.go <<'GO'
package main

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eapache/go-resiliency/breaker"
	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	rubyist "github.com/rubyist/circuitbreaker"
	"github.com/sony/gobreaker/v2"
)

var errDown = errors.New("down")

// Each opens after two failures, for 10 s at most, and needs one success of a trial.
var breakers = []struct {
	name string
	make func() (run func(func() error) error, closed func() bool)
}{
	{"gobreaker", func() (func(func() error) error, func() bool) {
		b := gobreaker.NewCircuitBreaker[int](gobreaker.Settings{Timeout: 10 * time.Second,
			ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures == 2 }})
		return func(f func() error) error {
			_, err := b.Execute(func() (int, error) { return 0, f() })
			return err
		}, func() bool { return b.State() == gobreaker.StateClosed }
	}},
	{"go-resiliency", func() (func(func() error) error, func() bool) {
		b := breaker.New(2, 1, 10*time.Second)
		return b.Run, func() bool { return b.GetState() == breaker.Closed }
	}},
	{"failsafe-go", func() (func(func() error) error, func() bool) {
		b := circuitbreaker.NewBuilder[any]().WithFailureThreshold(2).WithDelay(10 * time.Second).Build()
		return func(f func() error) error { return failsafe.With[any](b).Run(f) }, b.IsClosed
	}},
	{"rubyist", func() (func(func() error) error, func() bool) {
		b := rubyist.NewConsecutiveBreaker(2)
		return func(f func() error) error { return b.Call(f, 0) }, func() bool { return !b.Tripped() }
	}},
}

func TestFinding(t *testing.T) {
	for _, try := range breakers {
		synctest.Test(t, func(*testing.T) {
			run, closed := try.make()
			begin := func() (end func(error)) {
				ends, ended := make(chan error), make(chan error)
				go func() { ended <- run(func() error { return <-ends }) }()
				synctest.Wait()
				return func(err error) { ends <- err; <-ended }
			}
			old := begin()
			for range 2 {
				run(func() error { return errDown })
			}
			time.Sleep(11 * time.Second)
			trial := begin()
			fmt.Printf("%s: closed %v", try.name, closed())
			old(nil)
			fmt.Printf(", after the old call's success %v", closed())
			trial(errDown)
			fmt.Printf(", after the trial's failure %v\n", closed())
			time.Sleep(time.Hour) // for timers of go-resiliency
		})
	}
}
GO
cat > main.mjs <<'JS'
import { mock } from 'node:test'
import Levee from 'levee'
import Opossum from 'opossum'

mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'] })
const settle = async () => { for (let i = 0; i < 20; i++) await new Promise(resolve => setImmediate(resolve)) }
const times = { resetTimeout: 10000, timeout: 60000 }

async function show (name, make) {
  const ends = []
  const action = () => new Promise((resolve, reject) => ends.push({ resolve, reject }))
  const { run, closed } = make(action)
  run() // the old call
  await settle()
  run()
  await settle()
  ends[1].reject(new Error('down'))
  await settle()
  process.stdout.write(`${name}: closed ${closed()}`)
  ends[0].resolve('late')
  await settle()
  console.log(`, after the old call's success ${closed()}`)
}
await show('opossum', action => {
  const breaker = new Opossum(action, { ...times, errorThresholdPercentage: 1 })
  return { run: () => breaker.fire().catch(() => {}), closed: () => breaker.closed }
})
await show('levee', action => {
  const breaker = Levee.createBreaker({ execute: (_, done) => action().then(result => done(null, result), done) },
    { ...times, maxFailures: 1 })
  return { run: () => breaker.run({}, () => {}), closed: () => breaker.isClosed() }
})
process.exit()
JS
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
npm install --no-audit --no-fund --silent levee@1.5.1 opossum@10.0.0 > npm.log 2>&1 || { cat npm.log; exit 1; }
go test -count=1 . -v | grep 'closed' > got || true
node --no-warnings main.mjs >> got
cat > want <<'WANT'
gobreaker: closed false, after the old call's success false, after the trial's failure false
go-resiliency: closed false, after the old call's success false, after the trial's failure false
failsafe-go: closed false, after the old call's success true, after the trial's failure true
rubyist: closed false, after the old call's success true, after the trial's failure true
opossum: closed false, after the old call's success false
levee: closed false, after the old call's success true
WANT
diff want got && echo "as stated"
