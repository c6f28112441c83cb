.DEFAULT_GOAL := help
.PHONY: help test quick verify model torture fuzz bench-sweep sandbox lint deny build tools artefacts deploy app breakers smoke

# boto3 and SAM know only the older of the two names.
ifdef AWS_REGION
export AWS_DEFAULT_REGION := $(AWS_REGION)
endif

# Where cargo puts what it builds.
TARGET := $(or $(CARGO_TARGET_DIR),target)
FUNCTIONS := oauth-callback refresh-sweep token-lookup

help: ## Lists these targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

test: ## Checks format and lints, builds, runs the tests: every change
	@scripts/test.sh

quick: ## The part of `test` that a change to one file of shared/ concerns, within a minute
	@scripts/quick.sh

verify: ## Checks what takes long and changes rarely; ARGS="static deployed": these steps only
	@scripts/verify.sh $(ARGS)

deploy: ## Builds the functions and deploys them; STACK=shop-keyring PARAMETERS=shop-keyring.yaml, docs/deploy.md
	@scripts/deploy.sh "$(STACK)" "$(PARAMETERS)" $(ARGS)

app: ## Sets an app up or changes it; STACK=… APP=temu/us, ARGS="--settings FILE", --rotate, --remove; ARGS=--list lists all
	@scripts/deploy-tools.sh
	@.tools/deploy/bin/python scripts/app.py $(ARGS) "$(STACK)" "$(APP)"

breakers: ## Lists the circuit breakers of a stack; STACK=shop-keyring, ARGS="--reset lane/tiktok-shop/us" resets one
	@scripts/deploy-tools.sh
	@.tools/deploy/bin/python scripts/breakers.py $(ARGS) "$(STACK)"

smoke: ## Looks whether a deployed stack works, with a signed request; STACK=shop-keyring
	@scripts/deploy-tools.sh
	@.tools/deploy/bin/python scripts/smoke.py "$(STACK)"

model: ## Explores the protocol's states at length (minutes), and prints how many
	cargo test --locked -p model -- --include-ignored --nocapture --test-threads=1

fuzz: ## Looks for inputs that break a parser, with nightly Rust; ARGS="names 10": this target only, for 10 s
	@scripts/fuzz.sh $(ARGS)

sandbox: ## Runs everything on this machine, to click through; ARGS="--once" walks through it and ends
	@echo 'Building the functions and the sandbox (a few minutes the first time)'
	@# The tools are downloaded while cargo compiles.
	@scripts/tools.sh & cargo build --locked --workspace $(FUNCTIONS:%=--bin %) --bin sandbox && wait $$!
	@exec $(TARGET)/debug/sandbox $(ARGS)

torture: tools ## What must hold when things go wrong; ARGS="--only herd --short", --help for more
	@echo 'Building the functions and the torture (a few minutes the first time)'
	@cargo build --locked --workspace $(FUNCTIONS:%=--bin %) --bin torture
	@exec $(TARGET)/debug/torture $(ARGS)

bench-sweep: tools ## Measures the sweep with a million connections; ARGS="--help" tells the options
	@echo 'Building refresh-sweep and the benchmark as released (some minutes the first time)'
	@# One by one: the function with its own features only, as it is deployed.
	@cargo build --locked --release -p refresh-sweep
	@cargo build --locked --release -p bench
	@exec $(TARGET)/release/bench-sweep $(ARGS)

lint: ## Checks format and lints only
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings

deny: ## Checks the dependencies against deny.toml; ARGS=advisories: against known vulnerabilities
	@scripts/deny.sh $(ARGS)

build: ## Builds everything, tests included
	cargo build --locked --workspace --all-targets

tools: ## Installs the tools of the tests into .tools/
	@scripts/tools.sh

artefacts: ## Builds the functions as released into target/artefacts; ARCHITECTURE=x86_64, arm64 unless told
	@scripts/artefacts.sh
