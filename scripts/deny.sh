#!/usr/bin/env bash
# Holds the dependencies against deny.toml: deny.sh [CHECK...], `licenses bans sources` unless told. `advisories` fetches
# the database of known vulnerabilities from GitHub. Installs cargo-deny into .tools/ when it is not there.
set -euo pipefail
cd "$(dirname "$0")/.."

version=0.20.2
[ $# -gt 0 ] || set -- licenses bans sources

if ! .tools/bin/cargo-deny --version 2>/dev/null | grep -qx "cargo-deny $version"; then
    echo "deny: installing cargo-deny $version into .tools; this takes some minutes, once"
    # Its release profile is made for speed and small binaries; here the build takes longer than all runs together.
    CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
        cargo install --locked --force --root .tools "cargo-deny@$version"
fi

# An exception that nothing needs any more is an error: the list stays what it says.
exec .tools/bin/cargo-deny --locked check -D unmatched-skip -D unnecessary-skip -D license-exception-not-encountered "$@"
