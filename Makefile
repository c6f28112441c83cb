.DEFAULT_GOAL := help
.PHONY: help test model sandbox torture lint build tools

# Where cargo puts what it builds.
TARGET := $(or $(CARGO_TARGET_DIR),target)

help: ## Lists these targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

test: ## Checks format and lints, builds, runs all tests
	@scripts/test.sh

model: ## Explores the protocol's states at length (minutes), and prints how many
	cargo test --locked -p model -- --include-ignored --nocapture --test-threads=1

sandbox: tools ## Runs everything on this machine, to click through; ARGS="--once" walks through it and ends
	@echo 'Building the functions and the sandbox (a few minutes the first time)'
	@cargo build --locked --workspace --bins
	@exec $(TARGET)/debug/sandbox $(ARGS)

torture: tools ## What must hold when things go wrong; ARGS="--only herd --short", --help for more
	@echo 'Building the functions and the torture (a few minutes the first time)'
	@cargo build --locked --workspace --bins
	@exec $(TARGET)/debug/torture $(ARGS)

lint: ## Checks format and lints only
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings

build: ## Builds everything, tests included
	cargo build --locked --workspace --all-targets

tools: ## Installs the tests' Python tools into .tools/venv
	@scripts/tools.sh
