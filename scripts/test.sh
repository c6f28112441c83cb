#!/usr/bin/env bash
# Everything that `make test` checks, what fails soonest first. The first step that fails ends it.
set -euo pipefail
cd "$(dirname "$0")/.."

log=$(mktemp)
trap 'rm -f "$log"' EXIT

step() {
    printf '\n== %s\n' "$*"
    "$@"
}

step scripts/tools.sh
step scripts/test-infra.sh static
step cargo fmt --all --check
step scripts/deny.sh
step cargo clippy --locked --workspace --all-targets -- -D warnings
# All targets in one go: the end-to-end tests run the functions' binaries, and both share one build of the dependencies.
step cargo build --locked --workspace --all-targets
[ -t 1 ] && export CARGO_TERM_COLOR=always
step cargo test --locked --workspace --no-fail-fast 2>&1 | tee "$log"

step scripts/test-infra.sh deployed

printf '\n== Skipped\n'
# Tests that cannot run here say so on a line of their own.
grep -E '^SKIPPED: ' "$log" | sort -u || echo 'nothing'
printf '\nAll checks passed.\n'
