#!/usr/bin/env bash
# Checks what is deployed. test-infra.sh [static | deployed], both unless told:
#   static    templates, roles, policies, alarms, documents
#   deployed  the stack itself, with the release binaries, on an emulator of AWS that enforces IAM
set -euo pipefail
cd "$(dirname "$0")/.."

step() {
    printf '\n== %s\n' "$*"
    "$@"
}

if [ "${1:-static}" = static ]; then
    for test in template roles policies monitoring scripts documents; do
        step .tools/venv/bin/python "tests/infra/${test}_test.py"
    done
fi
if [ "${1:-deployed}" = deployed ]; then
    step cargo build --locked -p simulators --bins
    # cargo-lambda would have rustup fetch what it misses. Here it misses nothing, and must not ask.
    export RUSTUP_DIST_SERVER=http://127.0.0.1:1 RUSTUP_UPDATE_ROOT=http://127.0.0.1:1
    step .tools/venv/bin/python tests/infra/deployed_test.py
fi
