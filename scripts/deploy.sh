#!/usr/bin/env bash
# Builds the functions and deploys the stack: scripts/deploy.sh STACK PARAMETERS [option of `sam deploy` …]
# STACK: its name. PARAMETERS: a YAML file like infra/parameters.example.yaml.
# BUILT=folder deploys what scripts/build.sh has built there before. Account and Region are those that the AWS command line
# would take: AWS_PROFILE, AWS_REGION.
set -euo pipefail
cd "$(dirname "$0")/.."

complain() {
    printf 'deploy: %s\n' "$@" >&2
    exit 2
}

stack=${1:-} parameters=${2:-}
[[ $stack =~ ^[a-zA-Z][a-zA-Z0-9-]{0,48}$ && $stack != default ]] ||
    complain "name the stack, a letter and up to 48 letters, digits and hyphens: make deploy STACK=shop-keyring PARAMETERS=…"
[ -f "$parameters" ] ||
    complain "there is no file '$parameters': copy infra/parameters.example.yaml, fill it in, and set PARAMETERS to its path"
shift 2

scripts/deploy-tools.sh
.tools/deploy/bin/python scripts/check_parameters.py "$parameters"
[ -n "${BUILT:-}" ] || scripts/build.sh "$parameters"
target=${CARGO_TARGET_DIR:-target}
# SAM knows only the older of the two names.
[ -z "${AWS_REGION:-}" ] || export AWS_DEFAULT_REGION=$AWS_REGION
chosen=$(.tools/deploy/bin/python scripts/concurrency.py "$parameters")
PATH=$PWD/.tools/deploy/bin:$PATH SAM_CLI_TELEMETRY=${SAM_CLI_TELEMETRY:-0} \
    sam deploy --template "${BUILT:-$target/stack}/template.yaml" --stack-name "$stack" --resolve-s3 --s3-prefix "$stack" \
    --capabilities CAPABILITY_IAM CAPABILITY_AUTO_EXPAND --no-fail-on-empty-changeset --confirm-changeset \
    --parameter-overrides "file://$(realpath "$parameters")" ${chosen:+"$chosen"} "$@"
