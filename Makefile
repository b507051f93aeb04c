# `make` alone lists what there is. Everything needs Go, make and a C compiler (for the race detector), and no more.

GO    ?= go
BIN   := bin
# How long each fuzz target runs: in `make test`, and in `make fuzz`.
SHORT ?= 3s
# A package that hangs is ended after this.
LIMIT ?= 4m
FUZZTIME ?= 5m
# Linters have a module of their own, so that the gateway's dependencies stay the gateway's.
TOOL  := $(GO) tool -modfile=tools/go.mod

.DEFAULT_GOAL := help
.PHONY: help run build test check format bench fuzz clean

help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build ## Run the petstore example; Ctrl-C stops everything.
	@$(GO) build -o $(BIN)/petstore-backend ./examples/petstore/backend
	@$(GO) build -o $(BIN)/petstore ./examples/petstore/run
	@exec $(BIN)/petstore -bin $(BIN) -dir examples/petstore

build: ## Build bin/gatehouse.
	@mkdir -p $(BIN)
	$(GO) build -trimpath -o $(BIN)/gatehouse ./cmd/gatehouse

test: ## Run everything that can fail: tests, the race detector, each fuzz target briefly.
	$(GO) test -timeout $(LIMIT) ./...
	$(GO) test -race -timeout $(LIMIT) ./internal/dataplane/... ./internal/publish/... ./internal/daemon/... ./test/...
	@FUZZTIME=$(SHORT) GO=$(GO) tools/fuzz

check: ## Check format, vet, linters, layer rules and module files.
	@out=$$($(TOOL) gofumpt -l .); [ -z "$$out" ] || { echo "not formatted, run make format:"; echo "$$out"; exit 1; }
	$(GO) vet ./...
	$(TOOL) golangci-lint run
	$(GO) test .
	$(GO) mod tidy -diff
	$(GO) -C tools mod tidy -diff

format: ## Format the code.
	$(TOOL) gofumpt -w .

bench: ## Measure side by side with nginx; writes bench/RESULTS.md.
	$(GO) run ./bench all

fuzz: ## Run each fuzz target for FUZZTIME (5m).
	@FUZZTIME=$(FUZZTIME) GO=$(GO) tools/fuzz

clean: ## Remove what was built and what the example kept.
	rm -rf $(BIN) examples/petstore/data
