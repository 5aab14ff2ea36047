# Everything that is done to this repository has a target here; CI runs the same ones (see .ci/run).
.DEFAULT_GOAL := help

# Without cgo the program is static, and build, vet, test and lint share one build cache: each package is compiled once.
export CGO_ENABLED := 0

# Where the lab, the probe and whatever the lab downloads live. They outlast a checkout, and are the same for all of them.
export KUBECTL_MESH_CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/kubectl-mesh

# Tests and the demo find by these names what was built for them.
export KUBECTL_MESH_BIN := $(CURDIR)/bin/kubectl-mesh
export MESH_PROBE_BIN := $(KUBECTL_MESH_CACHE)/bin/mesh-probe
export LAB_BIN := $(KUBECTL_MESH_CACHE)/bin/lab

# The lab that the lab-… targets mean, and its size.
LAB ?= lab
CLUSTERS ?= 2

# How long `fuzz` tries each target.
FUZZTIME ?= 30s

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

LDFLAGS := -s -w -X github.com/kubectl-mesh/kubectl-mesh/pkg/cmd.version=$(VERSION)

# The version is stamped above, so Go need not ask git, which refuses a checkout that belongs to somebody else.
BUILD_FLAGS := -buildvcs=false

# Tools are pinned in a module of their own, so that their dependencies are none of ours. Go keeps what it builds.
TOOL := go tool -modfile=$(CURDIR)/tools/go.mod

# Every Go module whose code is ours, and how to run a command in each.
MODULES := . test/lab
each_module = @set -e; for module in $(MODULES); do echo "$(1) ($$module)"; (cd $$module && $(1)); done

##@ Build
.PHONY: build
build: ## Build the plugin, bin/kubectl-mesh
	go build $(BUILD_FLAGS) -ldflags "$(LDFLAGS)" -o $(KUBECTL_MESH_BIN) ./cmd/kubectl-mesh

.PHONY: probe
probe: ## Build the program that `verify --traffic` sends into clusters
	GOOS=linux go build $(BUILD_FLAGS) -ldflags "-s -w" -o $(MESH_PROBE_BIN) ./cmd/mesh-probe

.PHONY: clean
clean: lab-down ## Take the lab down and remove what was built here; Go's cache stays
	rm -rf bin dist $(KUBECTL_MESH_CACHE)/bin

##@ Lab: real clusters on this machine (Linux, as root)
.PHONY: packages
packages: ## Install the system packages that the lab needs, if any is missing
	@hack/packages.sh

# The lab's own program is small; `lab build` is what makes Kubernetes, Istio and Envoy ready, and knows what is there.
$(LAB_BIN): FORCE
	go build -C test/lab $(BUILD_FLAGS) -o $@ ./cmd/lab
FORCE:

.PHONY: lab-build
lab-build: packages $(LAB_BIN) ## Build what the clusters run (minutes the first time)
	$(LAB_BIN) build

.PHONY: lab-up
lab-up: lab-build ## Start CLUSTERS=2 clusters as the lab LAB=lab
	$(LAB_BIN) up --lab $(LAB) --clusters $(CLUSTERS)

.PHONY: lab-down
lab-down: ## Stop the clusters of the lab LAB=lab, and remove them
	@if [ -x $(LAB_BIN) ]; then $(LAB_BIN) down --lab $(LAB); fi

.PHONY: lab-status
lab-status: $(LAB_BIN) ## Show the clusters of the lab LAB=lab
	@$(LAB_BIN) status --lab $(LAB)

.PHONY: demo
demo: lab-build build probe ## From two bare clusters to one mesh, before your eyes
	hack/demo.sh

##@ Test
.PHONY: test
test: lab-build build probe ## Run all tests, those that need real clusters included
	@# The lab's own tests need the machine for themselves: beside others a reset takes so long that clusters are made again.
	$(MAKE) --no-print-directory test-lab
	@# The others run side by side, since clusters are waited for while unit tests compute.
	$(MAKE) --no-print-directory -j 2 --output-sync=line test-clusters test-packages

# The packages whose tests use clusters. They always run: Go's cache of results cannot know when a cluster would differ.
CLUSTER_TESTS = $(shell go list -f '{{.ImportPath}} {{.TestImports}} {{.XTestImports}}' ./... | awk '/test\/labtest[] ]/ { print $$1 }')

.PHONY: test-clusters test-lab test-packages
test-clusters:
	@# The packages with the most to do begin first.
	go test -count=1 -p 8 -timeout 40m ./test/e2e ./test/faults $(CLUSTER_TESTS)
test-lab:
	go test -C test/lab -count=1 -p 1 -timeout 20m ./...
test-packages:
	go test -p 2 -timeout 20m $(filter-out $(CLUSTER_TESTS),$(shell go list ./...))

.PHONY: test-unit
test-unit: ## Run the tests that need neither root nor clusters
	go test -short ./...
	@# Only the lab's packages that have tests: `go test` builds the others too, and one of them is Kubernetes.
	go list -C test/lab -find -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}' ./... | xargs -r go test -C test/lab -short

.PHONY: test-e2e
test-e2e: lab-build build probe ## Run the end-to-end tests only
	go test -count=1 -p 1 -timeout 40m ./test/e2e/...

.PHONY: fuzz
fuzz: ## Feed nonsense to what parses, for FUZZTIME=30s each; the first build takes minutes
	@grep -ro --include='*_test.go' '^func Fuzz[A-Za-z]*' pkg | sed 's|/[^/]*:func | |' | sort | while read -r folder target; do \
		echo "$$target ($$folder)"; go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "./$$folder" || exit 1; \
	done

.PHONY: bench
bench: lab-build build probe ## Measure the plugin on real clusters
	go test -count=1 -p 1 -timeout 60m -run '^$$' -bench . ./test/bench/...

##@ Release
DIST := $(CURDIR)/dist

# goreleaser asks git for more than the commit. Here it needs no tag and no remote, and may read a checkout of another user.
RELEASE_ENV = GORELEASER_CURRENT_TAG=$(VERSION) PATH="$$(dirname "$$($(TOOL) -n cyclonedx-gomod)"):$$PATH" \
	GIT_CONFIG_COUNT=2 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0=$(CURDIR) \
	GIT_CONFIG_KEY_1=remote.origin.url GIT_CONFIG_VALUE_1=https://github.com/kubectl-mesh/kubectl-mesh

.PHONY: release
release: ## Make the archives, sums, SBOMs and krew manifest of VERSION=vX.Y.Z in dist; publishes nothing
	@echo '$(VERSION)' | grep -Eqx 'v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?' || \
		{ echo "error: $(VERSION) is no version of a release: make release VERSION=v0.1.0"; exit 2; }
	$(RELEASE_ENV) $(TOOL) goreleaser release --clean --skip=publish,announce,validate
	go run $(BUILD_FLAGS) ./krew -tag $(VERSION) -dist $(DIST)

.PHONY: release-check
release-check: lab-build ## Make a release and prove it: sizes, sums, stamps, krew, the same bytes again
	$(MAKE) --no-print-directory release VERSION=$(if $(filter file,$(origin VERSION)),v0.0.0-check,$(VERSION))
	RELEASE_DIST=$(DIST) go test -count=1 -v -timeout 60m ./krew

##@ Code
.PHONY: fmt
fmt: ## Format the code and sort its imports
	$(call each_module,$(TOOL) golangci-lint fmt)

.PHONY: lint
lint: ## Check format, vet, and the rules of .golangci.yml
	@echo "gofmt -l ."; files=$$(gofmt -l .) && [ -z "$$files" ] || { echo "$$files"; echo "error: not gofmt's format: make fmt"; exit 1; }
	$(call each_module,go vet ./...)
	$(call each_module,$(TOOL) golangci-lint run)

.PHONY: vuln
vuln: ## Look for known vulnerabilities in what the plugin calls (needs the internet)
	$(TOOL) govulncheck ./...

.PHONY: help
help: ## Show this
	@awk -F ':.*## ' ' \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z0-9-]+:.*## / { printf "  %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
