#!/usr/bin/env bash
# Builds what is deployed into target/stack: the templates, and beside them a zip of each function: build.sh PARAMETERS
# PARAMETERS: the YAML file that the stack is deployed with; its Architecture is built for.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/deploy-tools.sh
.tools/deploy/bin/python scripts/check_parameters.py "$1"
ARCHITECTURE=$(.tools/deploy/bin/python -c 'import sys, yaml; print(yaml.safe_load(open(sys.argv[1]))["Architecture"])' "$1")
export ARCHITECTURE
scripts/artefacts.sh

target=${CARGO_TARGET_DIR:-target}
rm -rf "$target/stack"
mkdir "$target/stack"
cp infra/*.yaml "$target/stack"
for function in oauth-callback refresh-sweep token-lookup; do
    cp "$target"/artefacts/shop-keyring-*-"$ARCHITECTURE-$function".zip "$target/stack/$function.zip"
done
