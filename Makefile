# Everything here needs Go, make and git, and nothing else: the tools are pinned in
# hack/tools and compiled from source, and so is the control plane (hack/kubebox).
# The first `make test` or `make demo` on a machine compiles Kubernetes once, which
# takes minutes and says so; after that both start in seconds.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

GO        ?= go
# More arguments for go test: make test TESTFLAGS='-run TestDerive -v'
TESTFLAGS ?=

TOOL    := $(GO) tool -modfile=hack/tools/go.mod
HELM    := $(GO) tool -modfile=hack/release/go.mod helm
# The directories of the Go modules in this repository.
MODULES := . hack/actionlint hack/argocd hack/kubebox hack/release hack/tools
# These linters read the sources of all that a package imports. In the modules that wrap Argo CD,
# Kubernetes, golangci-lint, ko and Prometheus that takes minutes and 4 GB, for a few files of ours.
DEEP_LINTERS := bodyclose,exhaustive,govet,kubeapilinter,nilerr,noctx,staticcheck,unparam

##@ General

.PHONY: help
help: ## Show this help
	@awk 'BEGIN { FS = ":.*## "; print "usage: make <target>" } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z0-9.-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

##@ See it work

.PHONY: demo
demo: build ## The story from start to end: releases that work, one that crashes and is rolled back; exits
	bin/lab --mode=demo --speed=25

.PHONY: lab
lab: build ## The same world, left running; prints what to paste to look around
	bin/lab --mode=lab

.PHONY: e2e-argocd
e2e-argocd: build bin/e2e/argobox ## From git push to running tasks: CI's scripts, Git, Argo CD and the controller; exits
	cd hack/tools && $(GO) build -o $(CURDIR)/bin/e2e/kustomize sigs.k8s.io/kustomize/kustomize/v5
	$(GO) build -o bin/e2e/docker ./hack/docker
	$(GO) run ./hack/e2e-argocd --tools bin/e2e \
		--argocd-manifests "$$(cd hack/argocd && $(GO) list -m -f '{{.Dir}}' github.com/argoproj/argo-cd/v3)/manifests"

bin/e2e/argobox: hack/argocd/go.mod hack/argocd/go.sum hack/argocd/main.go
	@echo "Compiling Argo CD, once; this takes some minutes ..."
	cd hack/argocd && $(GO) build -ldflags='-s -w' -o $(CURDIR)/$@ .

# make bench RELEASES=1000 has a smaller fleet; BENCH='-only latency' measures less.
RELEASES ?= 10000
BENCH ?=
.PHONY: bench
bench: build bench-programs ## Measure what the controller costs and how quick it is, as a Markdown table; takes hours (RELEASES=n)
	bin/bench -releases=$(RELEASES) $(BENCH)

.PHONY: bench-smoke
bench-smoke: build bench-programs ## Measure next to nothing, in minutes, to see that every row of the table comes out
	bin/bench -smoke $(BENCH)

.PHONY: bench-programs
bench-programs:
	$(GO) build -o bin/ ./hack/bench
	$(GO) test -c -o bin/simulation.test ./internal/simulation

##@ Build

.PHONY: build
build: ## Build bin/manager, bin/kubectl-ecsrelease, bin/awssim, bin/lab and bin/kubebox
	@echo "Compiling; the first time this takes some minutes ..."
	$(GO) build -o bin/ ./cmd/... ./hack/lab
	hack/control-plane.sh --link bin/kubebox >/dev/null

# The manager's image in install.yaml; by default the one that config/manager names.
IMAGE ?=
.PHONY: install.yaml
install.yaml: ## Write install.yaml: the CRDs, RBAC and the manager, to kubectl apply (IMAGE=repository:tag)
	hack/install-yaml.sh '$(IMAGE)' >$@

# make images PUSH=ghcr.io/heliumai VERSION=1.2.3 pushes them instead. IMAGES are those whose program
# is there, unless they are named.
VERSION ?= 0.0.0-dev
PUSH ?=
IMAGES ?=
SOURCE ?= https://github.com/heliumai/ecsrelease
.PHONY: images
images: ## Build the images for amd64 and arm64 into bin/images, without a registry (PUSH=registry/namespace VERSION=x.y.z)
	@mkdir -p bin/sbom && cd hack/release && $(GO) build -o $(CURDIR)/bin/build-images ./images
	@bin/build-images --dir=. --version=$(VERSION) --source=$(SOURCE) --sbom=bin/sbom $(if $(PUSH),--push=$(PUSH),--layout=bin/images) $(IMAGES)

.PHONY: chart
chart: ## Package the Helm chart into bin (VERSION=x.y.z)
	$(HELM) package config/chart --version $(VERSION) --app-version $(VERSION) --destination bin

.PHONY: clean
clean: ## Remove what was built here; Go's caches and the compiled control plane stay
	rm -rf bin install.yaml

##@ Develop

.PHONY: generate
generate: ## Write deep copies, CRDs, RBAC, the chart's files and Argo CD's settings from their sources
	$(TOOL) controller-gen object paths=./api/...
	$(TOOL) controller-gen crd paths=./api/... output:crd:artifacts:config=config/crd/bases
	$(TOOL) controller-gen rbac:roleName=manager paths=./controllers/... output:rbac:artifacts:config=config/rbac
	hack/chart-files.sh
	$(GO) run ./hack/argocd-settings

.PHONY: fmt
fmt: ## Format all Go sources
	$(TOOL) gofumpt -l -w .

.PHONY: tidy
tidy: ## Tidy the go.mod and go.sum of every module
	for module in $(MODULES); do (cd $$module && $(GO) mod tidy) || exit; done

##@ Check

# What the tests run and takes minutes to compile on a new machine, before their time begins to count.
.PHONY: test-programs
test-programs:
	@echo "Compiling what the tests run; the first time this takes some minutes ..."
	@$(HELM) version >/dev/null
	@cd hack/release && $(GO) build ./...
	@CGO_ENABLED=0 $(GO) build -trimpath -o /dev/null ./cmd/manager
	@CGO_ENABLED=0 $(GO) build -trimpath -o /dev/null ./cmd/kubectl-ecsrelease

# go vet is among the linters; here it would read the sources of Kubernetes once more.
# No cached results: tests run programs and read files that Go's cache does not look at.
.PHONY: test
test: test-programs ## Run all tests, against a real API server and the local AWS
	@assets=$$(hack/control-plane.sh) && \
	export KUBEBUILDER_ASSETS="$$assets" && \
	for module in $(MODULES); do \
		echo "== go test: module $$module" && \
		(cd $$module && $(GO) test -count=1 -vet=off -timeout=20m $(TESTFLAGS) ./...) || exit; \
	done

# make simulate SEEDS=10000 runs many worlds, SEED=n one of them, with its story.
SEEDS ?= 2000
SEED ?=
.PHONY: simulate
simulate: ## Simulate days of many worlds with faults at every call, each from its seed (SEEDS=n, SEED=n)
	@mkdir -p bin && $(GO) test -c -o bin/simulation.test ./internal/simulation
	cd internal/simulation && SEEDS=$(SEEDS) SEED=$(SEED) ../../bin/simulation.test -test.run=Seed -test.timeout=0

.PHONY: test-the-tests
test-the-tests: ## Take out one safety line of the sources at a time; a test must notice each
	$(GO) run ./hack/mutate

# How long each fuzz test runs: make fuzz FUZZTIME=10m
FUZZTIME ?= 60s
.PHONY: fuzz
fuzz: ## Fuzz references, task definitions and AWS's answers, each for FUZZTIME
	for package in image taskdef cloud; do \
		for target in $$($(GO) test -list '^Fuzz' ./internal/$$package | grep '^Fuzz'); do \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) ./internal/$$package || exit; \
		done; \
	done

.PHONY: lint
lint: bin/golangci-lint ## Run the linters of .golangci.yml on every module
	bin/golangci-lint run ./...
	cd hack/tools && ../../bin/golangci-lint run --disable=$(DEEP_LINTERS) ./...
	cd hack/kubebox && ../../bin/golangci-lint run --disable=$(DEEP_LINTERS) ./...
	cd hack/argocd && ../../bin/golangci-lint run --disable=$(DEEP_LINTERS) ./...
	cd hack/actionlint && ../../bin/golangci-lint run ./...
	cd hack/release && ../../bin/golangci-lint run --disable=$(DEEP_LINTERS) ./...

.PHONY: verify
verify: security ## Generate, tidy and format again; fail, naming the files, if that changes anything; and security
	MAKE='$(MAKE)' hack/verify.sh generate install.yaml tidy fmt

.PHONY: security
security: bin/golangci-lint ## Look for known vulnerabilities that are called, and lint what is shipped for security
	bin/golangci-lint run --enable-only gosec ./...
	cd hack/tools && $(GO) build -o $(CURDIR)/bin/vulncheck ./vulncheck
	bin/vulncheck ./...

# golangci-lint has to be compiled for kube-api-linter to be in it: two minutes once,
# then nothing until a version in hack/tools changes.
bin/golangci-lint: hack/tools/go.mod hack/tools/go.sum $(wildcard hack/tools/golangci-lint/*.go)
	@echo "Compiling golangci-lint with kube-api-linter, once; this takes some minutes ..."
	cd hack/tools && $(GO) build -o $(CURDIR)/$@ ./golangci-lint
