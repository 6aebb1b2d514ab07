# `make run` starts everything; `make test` runs everything that CI runs.
.DEFAULT_GOAL := help
.PHONY: help install web build run test bench clean

help: ## Say what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/'

install: ## Install what is missing on this machine (PostgreSQL, Redis)
	@scripts/install

web: ## Build the web app into bff/web/out
	@scripts/web

build: install web ## Build the program
	cargo build --release --locked --bin turnstile

run: build ## Start everything and print the address of the web app (RUN="--listen 127.0.0.1:9000" for options)
	@exec "$${CARGO_TARGET_DIR:-target}/release/turnstile" run $(RUN)

test: ## Run every check and test, with the minutes of each part
	@scripts/test

bench: install ## Measure decisions, the strategy and the risk gate, latency, and the running system (a quarter of an hour)
	cargo build --release --locked --workspace --bins
	@set -e; benches="$${CARGO_TARGET_DIR:-target}/release/turnstile-benches"; \
	"$$benches" exits; \
	"$$benches" reentry; \
	"$$benches" latency --rate 1000 --idle spin; \
	"$$benches" latency --rate 1000 --idle park; \
	"$$benches" latency --rate 100000 --idle spin; \
	"$$benches" risk; \
	"$$benches" load
	@scripts/bench-polars

clean: ## Remove what was built; the data in .turnstile stays
	cargo clean
	rm -rf bff/web/out bff/web/.next bff/web/node_modules
