#!/usr/bin/env bash
# Installs what deploying needs into .tools/deploy, from infra/requirements.txt: AWS SAM, cargo-lambda, boto3. Does nothing
# when all is there in these versions.
set -euo pipefail
cd "$(dirname "$0")/.."

requirements=infra/requirements.txt
venv=.tools/deploy
# A copy of the requirements that were installed last.
installed=$venv/installed-requirements.txt

complain() {
    printf 'deploy-tools: %s\n' "$@" >&2
    exit 1
}

if cmp -s "$requirements" "$installed" && "$venv/bin/python" -c '' 2>/dev/null; then
    exit 0
fi
python=${PYTHON:-python3}
command -v "$python" >/dev/null || complain "$python is not on the PATH: install Python 3.11 or later, or set PYTHON to its path"
echo "deploy-tools: installing AWS SAM and cargo-lambda into $venv; this takes a minute, once"
rm -f "$installed"
"$venv/bin/python" -c '' 2>/dev/null || "$python" -m venv --clear "$venv"
"$venv/bin/python" -m pip install --disable-pip-version-check --no-input --quiet --no-compile --requirement "$requirements" ||
    complain "pip could not install $requirements: see above"
cp "$requirements" "$installed"
