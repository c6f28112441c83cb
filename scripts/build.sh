#!/usr/bin/env bash
# Builds the functions as released, and the template with them, into target/sam: scripts/build.sh PARAMETERS
# PARAMETERS: the YAML file that the stack is deployed with; its Architecture is built for.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/deploy-tools.sh
# SAM builds without --locked: a lock file that does not fit must not be written anew here.
cargo metadata --locked --format-version 1 >/dev/null
PATH=$PWD/.tools/deploy/bin:$PATH SAM_CLI_TELEMETRY=${SAM_CLI_TELEMETRY:-0} \
    sam build --beta-features --template infra/template.yaml --build-dir target/sam \
    --parameter-overrides "file://$(realpath "$1")"
