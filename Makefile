SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:

# No C compiler anywhere: everything here is plain Go.
export CGO_ENABLED := 0

MODULE  := github.com/kubectl-canary/kubectl-canary
VERSION ?= $(shell git describe --tags --dirty 2>/dev/null || echo v0.0.0-dev)
COMMIT  ?= $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X $(MODULE)/pkg/plugin.version=$(VERSION) -X $(MODULE)/pkg/plugin.commit=$(COMMIT)

# Tools live in bin/tools under their version, so that a new version here is a new install.
GOLANGCI_LINT_VERSION := v2.15.0
GOLANGCI_LINT         := bin/tools/golangci-lint-$(GOLANGCI_LINT_VERSION)
GORELEASER_VERSION    := v2.15.2
GORELEASER            := bin/tools/goreleaser-$(GORELEASER_VERSION)
GOVULNCHECK_VERSION   := v1.9.0
GOVULNCHECK           := bin/tools/govulncheck-$(GOVULNCHECK_VERSION)

.PHONY: help
help: ## Show this help (the default)
	@awk 'BEGIN {FS = ":.*## "; print "Usage: make TARGET\n"} /^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: deps build sandbox ## Watch a canary release of four services on a local Kubernetes
	hack/demo.sh

.PHONY: build
build: ## Build the plugin: bin/kubectl-canary
	go build -trimpath -buildvcs=false -ldflags "$(LDFLAGS)" -o bin/kubectl-canary ./cmd/kubectl-canary

.PHONY: sandbox
sandbox: ## Build the local Kubernetes: bin/sandbox and bin/kubectl (minutes, the first time)
	sandbox/build.sh bin

.PHONY: sandbox-node
sandbox-node: sandbox ## Build what a real node on the local Kubernetes needs: bin/sandbox-node and bin/sandbox-init
	sandbox/build.sh bin sandbox-node sandbox-init

.PHONY: sandbox-up
sandbox-up: build sandbox ## Start a local Kubernetes to play with
	@kubeconfig=$$(bin/sandbox up); printf '%s\n' '' 'To use it:' \
		"  export KUBECONFIG=\"$$kubeconfig\"" \
		'  export PATH="$(CURDIR)/bin:$$PATH"' \
		'  kubectl apply -f manifests/messenger/namespace.yaml -f manifests/messenger' \
		'  kubectl canary status -n messenger' \
		'To stop it: make sandbox-down'

.PHONY: sandbox-down
sandbox-down: ## Stop it, and leave nothing behind
	bin/sandbox down

# goreleaser asks git nothing, not even for the commit, where there is no remote.
.PHONY: dist
dist: deps $(GORELEASER) ## Build the archives, checksums and krew manifest of a release: dist/
	VERSION="$(VERSION)" GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=remote.origin.url GIT_CONFIG_VALUE_0=https://$(MODULE) \
		$(GORELEASER) release --snapshot --clean --skip=sbom,sign
	go run ./hack/krewmanifest "$(VERSION)" dist/checksums.txt > dist/canary.yaml

.PHONY: release
release: $(GORELEASER) ## Publish a release of the tag: what the release workflow runs
	$(GORELEASER) release --clean

# The tests of a real node need the machine to themselves: what they count depends on time. With -v they say what was lost, or
# why they are skipped. Those of the sandbox are not cached: go does not see that the program they drive has changed.
.PHONY: test
test: deps build sandbox node dist ## Run every test
	@hack/deps.sh jq
	cd sandbox && go test -count=1 -trimpath -vet=off ./...
	go test -timeout 45m -v ./test/node
	hack/fuzz.sh
	go test -timeout 30m ./test/faults
	go test -timeout 60m $$(go list ./... | grep -v '/test/\(node\|faults\)$$')

.PHONY: test-node
test-node: deps build node ## Run the tests that count lost requests, on a real node: as root on Linux
	go test -timeout 45m -count=1 -v ./test/node

ROUNDS ?= 200

.PHONY: test-faults
test-faults: deps build sandbox ## Break what can be broken, forty minutes, and write docs/reliability.md
	go test ./test/faults -count=1 -timeout 60m -rounds $(ROUNDS) -runs 3 -every 1 -report "$(CURDIR)/docs/reliability.md"

# Elsewhere the tests say what is missing, and are skipped.
.PHONY: node
node:
	@if [[ $$(uname) == Linux && $$EUID -eq 0 ]] && hack/deps-node.sh; then $(MAKE) --no-print-directory sandbox-node traffic-programs; fi

.PHONY: test-unit
test-unit: ## Run the tests that need no cluster
	go test ./docs ./internal/... ./pkg/... ./test/contract ./test/guard ./test/markdown ./test/witness

INPUTS ?= 50000x

.PHONY: fuzz
fuzz: ## Look for inputs that break a parser, a plan or what is printed, INPUTS for each target
	hack/fuzz.sh $(INPUTS)

.PHONY: script
script: build bin/sandbox ## Run one script test: make script T=name
	@test -n "$(T)" || { echo 'say which: make script T=name, the file test/scripts/name.txtar or test/scripts/timed/name.txtar' >&2; exit 1; }
	go test ./test -count=1 -v -run 'Test(Scripts|Timed)/$(T)$$'

SERVICES ?= 1000

.PHONY: bench
bench: deps build sandbox ## Measure the plugin beside kubectl, twenty minutes, and write docs/benchmarks.md
	go test ./test -count=1 -timeout 60m -run '^$$' -bench '^BenchmarkReport$$' -benchtime 1x -report "$(CURDIR)/docs/benchmarks.md" -services $(SERVICES)

APP ?= .

# APP=neither is a short one, to see that it works, and APP=migrate what gates save; what it leaves out is not written.
.PHONY: bench-traffic
bench-traffic: deps build node ## Count the requests that moves lose beside scripts, half an hour, as root on Linux, and write docs/benchmarks.md
	go test ./test/node -count=1 -timeout 60m -run '^$$' -bench '^BenchmarkTraffic$$/($(APP))' -benchtime 1x -report "$(CURDIR)/docs/benchmarks.md"

# What the pods of a cluster with a real node run, and what asks them.
.PHONY: traffic-programs
traffic-programs:
	cd sandbox && go build -trimpath -buildvcs=false -ldflags '-s -w' -o ../bin/canary-app ./cmd/app
	cd sandbox && go build -trimpath -buildvcs=false -ldflags '-s -w' -o ../bin/canary-load ./cmd/load

bin/sandbox:
	$(MAKE) --no-print-directory sandbox

.PHONY: verify
verify: docs-verify golden-verify release-verify lint lint-sandbox dist-verify ## Check format, lint, generated docs, golden files, release and go.mod: all but the slow tests
	go vet ./...
	for os in darwin windows; do GOOS=$$os go vet -trimpath ./cmd/... ./pkg/... ./internal/...; done
	go mod tidy -diff
	cd sandbox && go mod tidy -diff

.PHONY: lint
lint: $(GOLANGCI_LINT) ## Check format and lint
	$(GOLANGCI_LINT) config verify
	$(GOLANGCI_LINT) fmt --diff
	$(GOLANGCI_LINT) run

# Without the linters that would analyse all of Kubernetes with it. The flags are build.sh's, so that what it compiled is used.
.PHONY: lint-sandbox
lint-sandbox: sandbox $(GOLANGCI_LINT)
	cd sandbox && GOFLAGS=-trimpath ../$(GOLANGCI_LINT) run --disable bodyclose,contextcheck,exhaustive,govet,nilerr,noctx,staticcheck,unparam

.PHONY: fmt
fmt: $(GOLANGCI_LINT) ## Format the code, and fix what lint can fix
	$(GOLANGCI_LINT) fmt
	$(GOLANGCI_LINT) run --fix

$(GOLANGCI_LINT):
	GOBIN="$(CURDIR)/bin/tools" go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)
	mv bin/tools/golangci-lint $@

.PHONY: docs
docs: ## Write docs/cmd, docs/exit-codes.md and the JSON schema, what can be read off the code
	rm -rf docs/cmd
	go run ./hack/docgen docs

.PHONY: docs-verify
docs-verify:
	@tmp=$$(mktemp -d); trap 'rm -rf "$$tmp"' EXIT; go run ./hack/docgen "$$tmp"; \
	diff -ru docs/cmd "$$tmp/cmd" && diff -u docs/exit-codes.md "$$tmp/exit-codes.md" && \
		( for schema in "$$tmp"/*.schema.json; do diff -u "docs/$${schema##*/}" "$$schema" || exit 1; done ) || \
		{ echo 'the generated docs are out of step: run make docs' >&2; exit 1; }

# The tests that compare with golden files and with the schema, and follow the links of the docs: seconds.
.PHONY: golden-verify
golden-verify:
	go test ./docs ./internal/printer ./test/contract

# What can be said of a release without its archives.
.PHONY: release-verify
release-verify: $(GORELEASER)
	$(GORELEASER) check
	go test ./test/packaging -run 'Test(Template|Rules|Names)$$'

# The archives of a commit are the same wherever they are built.
.PHONY: dist-verify
dist-verify: dist
	@tmp=$$(mktemp -d); trap 'rm -rf "$$tmp"' EXIT; tar -c --exclude=./bin --exclude=./dist . | tar -xm -C "$$tmp"; \
	$(MAKE) -C "$$tmp" --no-print-directory dist GORELEASER="$(CURDIR)/$(GORELEASER)"; \
	diff dist/checksums.txt "$$tmp/dist/checksums.txt" || { echo 'two builds of one commit differ' >&2; exit 1; }

.PHONY: vuln
vuln: $(GOVULNCHECK) ## Look for known vulnerabilities in what the plugin calls (VULNDB=URL: another database)
	$(GOVULNCHECK) $(if $(VULNDB),-db $(VULNDB)) ./cmd/... ./pkg/... ./internal/...

$(GORELEASER):
	GOBIN="$(CURDIR)/bin/tools" go install -trimpath github.com/goreleaser/goreleaser/v2@$(GORELEASER_VERSION)
	mv bin/tools/goreleaser $@

$(GOVULNCHECK):
	GOBIN="$(CURDIR)/bin/tools" go install golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK_VERSION)
	mv bin/tools/govulncheck $@

.PHONY: deps
deps: ## Check for the programs that this needs; as root on Debian, install them
	@hack/deps.sh

.PHONY: clean
clean: ## Remove what was built, but not the tools
	rm -rf bin/kubectl-canary bin/kubectl bin/sandbox bin/sandbox-node bin/sandbox-init bin/canary-app bin/canary-load bin/.build dist
