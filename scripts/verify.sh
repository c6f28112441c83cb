#!/usr/bin/env bash
# What `make verify` checks: what takes long and changes rarely. verify.sh [STEP…], all by default:
#   dependencies  licences, sources and versions, against deny.toml
#   static        templates, roles, policies, alarms, scripts, documents and the contract
#   rust          the tests in modules named `verify`, and the examples in the documentation of crates
#   artefacts     the functions packed as for a release, but not optimized
#   deployed      the stack with these, on an emulator of AWS that enforces IAM
#   browser       the sandbox clicked through in Chromium: the command `chromium`, or what CHROMIUM names. Without it the
#                 step is skipped; REQUIRE_BROWSER=1 makes that a failure
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh
. scripts/tests-environment.sh

[ $# -gt 0 ] || set -- dependencies static rust artefacts deployed browser
python=.tools/verify/bin/python

run_static() {
    local test
    for test in template roles policies monitoring scripts documents; do
        "$python" "tests/infra/${test}_test.py"
    done
    lint_contract
}

# Generators and gateways read the contract, each with rules of its own. Warnings are errors; nothing is sent anywhere.
lint_contract() {
    PATH=$PWD/.tools/test/bin:$PATH REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true \
        .tools/redocly/node_modules/.bin/redocly lint --extends recommended-strict docs/openapi.json
}

run_rust() {
    # The end-to-end tests run the functions' binaries, which `cargo test` does not build.
    cargo build --locked --workspace --all-targets
    cargo test --locked --workspace --all-targets -- verify::
    cargo test --locked --workspace --doc
}

# As released but for the optimization, which takes minutes more per function; the programs behave the same.
# cargo-lambda would have rustup fetch what it misses. Here it misses nothing, and must not ask.
unoptimized() {
    env -u RUSTC_WORKSPACE_WRAPPER RUSTUP_DIST_SERVER=http://127.0.0.1:1 RUSTUP_UPDATE_ROOT=http://127.0.0.1:1 \
        CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_OPT_LEVEL=0 "$@"
}

run_artefacts() {
    local architecture
    architecture=$(uname -m)
    [ "$architecture" != aarch64 ] || architecture=arm64
    ARCHITECTURE=$architecture unoptimized scripts/artefacts.sh
    "$python" tests/infra/artefacts_test.py
}

run_deployed() {
    # As part of the workspace: built alone it would want other features of its dependencies, and all of them again.
    cargo build --locked --workspace --bin marketplaces
    unoptimized "$python" tests/infra/deployed_test.py
}

run_browser() {
    local chromium=${CHROMIUM:-chromium}
    if ! command -v "$chromium" >/dev/null; then
        local why="there is no $chromium on the PATH. Install it (on Debian the package chromium), or set CHROMIUM to the path of a Chromium or Chrome"
        # One that was named or is required has to be there.
        if [ -n "${CHROMIUM:-}${REQUIRE_BROWSER:-}" ]; then
            echo "verify: $why" >&2
            return 1
        fi
        skipped="SKIPPED browser: $why"
        echo "$skipped"
        return
    fi
    # All targets, as in the steps before: only the binaries would want other features of their dependencies.
    cargo build --locked --workspace --all-targets
    "$python" tests/browser/sandbox_test.py
}

skipped=
step tools scripts/tools.sh verify
for name in "$@"; do
    case $name in
        dependencies) step dependencies scripts/deny.sh ;;
        static) step static run_static ;;
        rust) step rust run_rust ;;
        browser) step browser run_browser ;;
        artefacts | deployed)
            step 'deploy tools' scripts/deploy-tools.sh
            step "$name" "run_$name"
            ;;
        *)
            echo "verify: there is no step '$name', only: dependencies static rust artefacts deployed browser" >&2
            exit 2
            ;;
    esac
done
report_steps
if [ -n "$skipped" ]; then
    printf '\n%s\nAll other checks passed.\n' "$skipped"
else
    printf '\nAll checks passed.\n'
fi
