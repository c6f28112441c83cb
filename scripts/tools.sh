#!/usr/bin/env bash
# Installs the tests' tools into .tools. Into .tools/venv, from tests/requirements.txt: cargo-lambda, which runs the
# functions; moto, a second opinion on the emulators; schemathesis, which holds the API against its contract; parliament,
# which checks the IAM policies; ministack with SAM's translator, an AWS to deploy to; Node. Into .tools/typescript: what
# examples/typescript needs, from its lock file. Does nothing when all is there in these versions.
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

example=examples/typescript
typescript=.tools/typescript
# A copy of the lock file that was installed last.
locked=$typescript/installed-package-lock.json

install_typescript() {
    if cmp -s "$example/package-lock.json" "$locked" && [ -x "$typescript/node_modules/.bin/tsc" ]; then
        return
    fi
    echo "tools: installing what $example needs into $typescript"
    mkdir -p "$typescript"
    rm -f "$locked"
    cp "$example/package.json" "$example/package-lock.json" "$typescript/"
    PATH=$PWD/$venv/bin:$PATH npm ci --prefix "$typescript" --no-audit --no-fund --ignore-scripts ||
        complain "npm could not install $example/package-lock.json: see above"
    cp "$example/package-lock.json" "$locked"
}

if cmp -s "$requirements" "$installed" && "$venv/bin/python" -c '' 2>/dev/null && [ -x "$venv/bin/cargo-lambda" ]; then
    install_typescript
    exit 0
fi

python=${PYTHON:-python3}
command -v "$python" >/dev/null ||
    complain "$python is not on the PATH: install Python 3.11 or later, or set PYTHON to its path"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    complain "$("$python" --version) is too old: install Python 3.11 or later, or set PYTHON to its path"
"$python" -c 'import ensurepip, venv' 2>/dev/null ||
    complain "$python has no module venv: install it (on Debian and Ubuntu the package python3-venv)"

echo "tools: installing the Python tools and Node into $venv; this takes a minute, once"
rm -f "$installed"
"$venv/bin/python" -c '' 2>/dev/null || "$python" -m venv --clear "$venv"
"$venv/bin/python" -m pip install --disable-pip-version-check --no-input --requirement "$requirements" ||
    complain "pip could not install $requirements: see above. Without access to its usual index, set PIP_INDEX_URL or PIP_FIND_LINKS"
cp "$requirements" "$installed"
install_typescript
echo "tools: ready"
