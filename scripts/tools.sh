#!/usr/bin/env bash
# Installs the tests' Python tools into .tools/venv: cargo-lambda, which runs the functions, moto, a second opinion on the
# emulators, and schemathesis, which holds the API against its contract. Does nothing when they are there in the versions
# of tests/requirements.txt.
set -euo pipefail
cd "$(dirname "$0")/.."

requirements=tests/requirements.txt
venv=.tools/venv
# A copy of the requirements that were installed last.
installed=.tools/installed-requirements.txt

complain() {
    printf 'tools: %s\n' "$@" >&2
    exit 1
}

if cmp -s "$requirements" "$installed" && "$venv/bin/python" -c '' 2>/dev/null && [ -x "$venv/bin/cargo-lambda" ]; then
    exit 0
fi

python=${PYTHON:-python3}
command -v "$python" >/dev/null ||
    complain "$python is not on the PATH: install Python 3.11 or later, or set PYTHON to its path"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    complain "$("$python" --version) is too old: install Python 3.11 or later, or set PYTHON to its path"
"$python" -c 'import ensurepip, venv' 2>/dev/null ||
    complain "$python has no module venv: install it (on Debian and Ubuntu the package python3-venv)"

echo "tools: installing cargo-lambda, moto and schemathesis into $venv; this takes a minute, once"
rm -f "$installed"
"$venv/bin/python" -c '' 2>/dev/null || "$python" -m venv --clear "$venv"
"$venv/bin/python" -m pip install --disable-pip-version-check --no-input --requirement "$requirements" ||
    complain "pip could not install $requirements: see above. Without access to its usual index, set PIP_INDEX_URL or PIP_FIND_LINKS"
cp "$requirements" "$installed"
echo "tools: ready"
