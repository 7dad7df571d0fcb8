# These targets are what CI runs, and nothing else. CONTRIBUTING.md describes each.

STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
APIDIFF = golang.org/x/exp/cmd/apidiff@v0.0.0-20261113113407-e3970619a1a4
GREMLINS = github.com/go-gremlins/gremlins/cmd/gremlins@v0.6.0
# ./... does not include the package testdata.
PACKAGES = ./... ./testdata

.PHONY: deep deep-std test tshark proxy browser race lint api bench bench-peers peers mutants tidy check generate

check:
	go run ./cmd/halfopen check

test:
	go test ./...

race:
	go test -race -timeout 40m ./...
	go test -race -timeout 20m ./harness ./suites -run Races -count=20 -cpu 1,2

lint:
	@out=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$out" || { echo "gofmt would change: $$out"; exit 1; }
	go vet $(PACKAGES)
	cd peers && go vet ./...
	cd peers/quicgo && go vet ./...
	cd browser && go vet ./...
	go run $(STATICCHECK) $(PACKAGES)
	tidy=$$(mktemp) && trap 'rm -f '$$tidy EXIT && go build -o $$tidy ./internal/tidy && \
		go vet -vettool=$$tidy $(PACKAGES) && cd peers && go vet -vettool=$$tidy ./... && cd quicgo && go vet -vettool=$$tidy ./...

# What changed in the exported names since BASE, by default the last tag; a package that
# is new is not compared.
BASE = $(shell git describe --tags --abbrev=0 2>/dev/null)
api:
	@test -n "$(BASE)" || { echo "there is no tag yet"; exit 0; }; \
	old=$$(mktemp -d) && trap 'git worktree remove --force '$$old EXIT && \
	git worktree add --quiet --detach $$old $(BASE) && \
	for package in $$(go list ./... | grep -v -e /internal -e /cmd/); do \
		(cd $$old && go run $(APIDIFF) -w .export $$package 2>/dev/null) || continue; \
		go run $(APIDIFF) $$old/.export $$package; \
	done

bench:
	go test -run '^$$' -bench . -benchmem ./...

# This prints one table: measure, ours, each peer, ratio; medians of five runs.
bench-peers:
	cd peers && go test -run '^$$' -bench . -benchmem -count 5 ./clock ./net | go run ./cmd/table

# This runs every case on other projects' clients and pools, and prints the results,
# subject by group. It fails if a case fails, or if a quirk is gone. Where x/net/http2
# wraps net/http (Go 1.27 and later), x/net's own transport has a run too.
peers:
	cd peers && go test ./... && go run ./cmd/matrix
	cd peers/quicgo && if out=$$(go test -v .); then echo "$$out" | grep 'cases:\|quirk:'; else echo "$$out"; exit 1; fi
	cd peers && if go list -f '{{.GoFiles}}' ./subjects | grep -q http2wrapped.go; then \
		go test -tags http2legacy ./subjects && go run -tags http2legacy ./cmd/matrix -only x/net; fi

# This runs the tests of pool, and the cases of suites, on every mutant of pool. The
# last line compares the survivors with pool/testdata/survivors.txt. TestSurvivors does
# not run on the mutants, because it fails for any change of a line.
mutants:
	@report=$$(mktemp) && trap 'rm -f '$$report EXIT && \
	GOFLAGS='-vet=off -failfast -run=^Test -skip=^TestSurvivors$$' \
		go run $(GREMLINS) unleash --workers 1 --timeout-coefficient 4 --output $$report ./pool && \
	go test ./pool -count=1 -v -run '^TestSurvivors$$' -mutants $$report

# This reads captures with tshark (Debian: apt-get install tshark), and compares what it
# finds in them with what the runs had.
tshark:
	go test -count=1 -tags tshark ./harness/view/pcapng

# This runs curl and Node.js (Debian: apt-get install curl nodejs) behind the proxy, and compares its
# admin interface with toxiproxy's server, which the Go module proxy has.
proxy:
	go test -count=1 -tags curl ./cmd/halfopen -run Curl
	cd peers && go test -count=1 -tags toxiproxy ./proxy

# This opens pages in Chromium (Debian: apt-get install chromium), and uses them.
browser:
	cd browser && go test -count=1 -v .

# This measures the deep bubble: how many schedules each strategy needs for the planted
# defects, what plain runs find of them, and whether repeated searches over HTTP/2, and
# repeated runs over HTTP/3, differ.
deep:
	eval "$$(go run ./cmd/halfopen overlay)" && go run ./internal/planted/table
	go run -race ./internal/planted/table -plain 1000
	eval "$$(go run ./cmd/halfopen overlay)" && go test ./harness -run TestInsideHTTP2 -searches 1000 -cpu 1,2,4 -timeout 4h -v
	eval "$$(go run ./cmd/halfopen overlay)" && cd peers/quicgo && go test -run TestHTTP3Replays -http3.replays 2000 -v

# This runs tests of the standard library with the edits of the deep bubble: outside bubbles
# nothing changes. Three tests are left out, because they want chance: hash keys that differ
# from process to process, and in a bubble several orders of timers and of goroutines.
deep-std:
	eval "$$(go run ./cmd/halfopen overlay)" && \
	go test -skip '^(TestTimerNondeterminism|TestSleepNondeterminism)$$' sync/... internal/sync testing/synctest internal/synctest \
		internal/runtime/maps io fmt time context iter crypto/internal/sysrand net/http/... && \
	go test -short -skip '^TestMemHashGlobalSeed$$' -timeout 30m runtime

tidy:
	go mod tidy
	cd browser && go mod tidy
	cd peers && go mod tidy
	cd peers/quicgo && go mod tidy
	cd peers/proxy/testdata/toxiproxy && go mod tidy

generate:
	go generate ./...
