# What CI runs, and nothing else. CONTRIBUTING.md says what each is for.

STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
# testdata is a package that ./... leaves out.
PACKAGES = ./... ./testdata

.PHONY: test race lint bench bench-peers tidy check generate

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
	go run $(STATICCHECK) $(PACKAGES)

bench:
	go test -run '^$$' -bench . -benchmem ./...

# One table: measure, ours, each peer, ratio; medians of five runs.
bench-peers:
	cd peers && go test -run '^$$' -bench . -benchmem -count 5 ./clock ./net | go run ./cmd/table

tidy:
	go mod tidy
	cd peers && go mod tidy

generate:
	go generate ./...
