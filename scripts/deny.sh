#!/usr/bin/env bash
# Checks the dependencies against deny.toml: deny.sh [CHECK…], `licenses bans sources` by default. `advisories` fetches the
# database of known vulnerabilities from GitHub.
set -euo pipefail
cd "$(dirname "$0")/.."

[ $# -gt 0 ] || set -- licenses bans sources
scripts/tools.sh verify
# An exception that nothing needs any more is an error: the list stays what it says.
exec .tools/verify/bin/cargo-deny --locked check \
    -D unmatched-skip -D unnecessary-skip -D license-exception-not-encountered "$@"
