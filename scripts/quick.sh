#!/usr/bin/env bash
# The part of `make test` that a change to one file of `shared/` concerns: format and lints, all unit tests, the rules of
# the model, and the end-to-end tests of refreshing. It builds on what `make test` has built.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh
. scripts/tests-environment.sh

step format cargo fmt --all --check
# Always the whole workspace, with a test among the targets: otherwise the dependencies have other features, and all of
# them are built again.
step 'lint and build' cargo build --locked --workspace --lib --bins --test keyring
step 'unit tests' cargo test --locked --workspace --lib
step model cargo test --locked --workspace --test rules
step 'end to end' cargo test --locked --workspace --test keyring -- refresh::
report_steps
printf '\nAll checks of `make quick` passed; `make test` has the others.\n'
