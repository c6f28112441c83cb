#!/usr/bin/env bash
# What `make test` checks. CONTRIBUTING.md says what belongs here, and what into scripts/verify.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh
. scripts/tests-environment.sh

log=$(mktemp)
trap 'rm -f "$log"' EXIT
[ -t 1 ] && export CARGO_TERM_COLOR=always

run_tests() {
    cargo test --locked --no-fail-fast "$@" 2>&1 | tee "$log"
}

step tools scripts/tools.sh
step format cargo fmt --all --check
# All targets at once: the end-to-end tests run the functions' binaries, and all share one build of the dependencies.
step 'lint and build' cargo build --locked --workspace --all-targets
# What lies in a module `verify` is for `make verify`.
step tests run_tests --workspace --all-targets -- --skip verify::

printf '\n== Skipped\n'
# Tests that cannot run here say so on a line of their own.
grep -E '^SKIPPED: ' "$log" | sort -u || echo 'nothing'
report_steps
printf '\nAll checks passed.\n'
