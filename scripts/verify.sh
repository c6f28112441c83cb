#!/usr/bin/env bash
# What `make verify` checks: what takes long and changes rarely. verify.sh [STEP…], all but the last by default:
#   dependencies  licences, sources and versions, against deny.toml
#   static        templates, roles, policies, alarms, scripts and documents
#   rust          the tests in modules named `verify`, and the examples in the documentation of crates
#   deployed      the stack with release binaries, on an emulator of AWS that enforces IAM
#   artefacts     one function packed as for a release, without link-time optimization: five minutes, for changes to
#                 scripts/artefacts.sh
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh
. scripts/tests-environment.sh

[ $# -gt 0 ] || set -- dependencies static rust deployed
python=.tools/verify/bin/python

run_static() {
    local test
    for test in template roles policies monitoring scripts documents; do
        "$python" "tests/infra/${test}_test.py"
    done
}

run_rust() {
    # The end-to-end tests run the functions' binaries, which `cargo test` does not build.
    cargo build --locked --workspace --all-targets
    cargo test --locked --workspace --all-targets -- verify::
    cargo test --locked --workspace --doc
}

# The shipped profile takes minutes more per function, and the programs behave the same; `make artefacts` builds it.
# cargo-lambda would have rustup fetch what it misses. Here it misses nothing, and must not ask.
quickly() {
    env -u RUSTC_WORKSPACE_WRAPPER RUSTUP_DIST_SERVER=http://127.0.0.1:1 RUSTUP_UPDATE_ROOT=http://127.0.0.1:1 \
        CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_OPT_LEVEL=1 "$@"
}

run_artefacts() {
    local architecture
    architecture=$(uname -m)
    [ "$architecture" != aarch64 ] || architecture=arm64
    ARCHITECTURE=$architecture quickly scripts/artefacts.sh refresh-sweep
    "$python" tests/infra/artefacts_test.py
}

run_deployed() {
    # As part of the workspace: built alone it would want other features of its dependencies, and all of them again.
    cargo build --locked --workspace --bin marketplaces
    quickly "$python" tests/infra/deployed_test.py
}

step tools scripts/tools.sh verify
for name in "$@"; do
    case $name in
        dependencies) step dependencies scripts/deny.sh ;;
        static) step static run_static ;;
        rust) step rust run_rust ;;
        artefacts) step artefacts run_artefacts ;;
        deployed)
            step 'deploy tools' scripts/deploy-tools.sh
            step deployed run_deployed
            ;;
        *)
            echo "verify: there is no step '$name', only: dependencies static rust deployed artefacts" >&2
            exit 2
            ;;
    esac
done
report_steps
printf '\nAll checks passed.\n'
