#!/usr/bin/env bash
# Installs the tools of the tests into .tools: tools.sh [test | verify], `test` by default. Does nothing if all are
# installed in these versions.
#   test    .tools/test, from tests/requirements.txt, and .tools/typescript, from the lock file of examples/typescript
#   verify  also .tools/verify, from tests/verify/requirements.txt, and .tools/redocly, from tests/verify/redocly
set -euo pipefail
cd "$(dirname "$0")/.."

complain() {
    printf 'tools: %s\n' "$@" >&2
    exit 1
}

find_python() {
    python=${PYTHON:-python3}
    command -v "$python" >/dev/null ||
        complain "$python is not on the PATH: install Python 3.11 or later, or set PYTHON to its path"
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        complain "$("$python" --version) is too old: install Python 3.11 or later, or set PYTHON to its path"
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        complain "$python has no module venv: install it (on Debian and Ubuntu the package python3-venv)"
}

# Installs the packages that a file lists into a virtual environment of their own.
install_python() {
    local requirements=$1 venv=$2
    # A copy of the requirements that were installed last.
    local installed=$venv/installed-requirements.txt
    if cmp -s "$requirements" "$installed" && "$venv/bin/python" -c '' 2>/dev/null; then
        return
    fi
    find_python
    echo "tools: installing $requirements into $venv"
    # From nothing: no package of an earlier list stays.
    "$python" -m venv --clear "$venv"
    # The lists are complete, so pip resolves nothing; Python compiles the modules that are used when they are used.
    "$venv/bin/python" -m pip install --disable-pip-version-check --no-input --quiet --no-deps --no-compile \
        --requirement "$requirements" ||
        complain "pip could not install $requirements: see above. Without access to its usual index, set PIP_INDEX_URL or PIP_FIND_LINKS"
    cp "$requirements" "$installed"
}

# Installs the packages of a folder's lock file into a folder of their own. `command` is one of theirs.
install_node() {
    local folder=$1 target=$2 command=$3
    # A copy of the lock file that was installed last.
    local locked=$target/installed-package-lock.json
    if cmp -s "$folder/package-lock.json" "$locked" && [ -x "$target/node_modules/.bin/$command" ]; then
        return
    fi
    echo "tools: installing what $folder needs into $target"
    mkdir -p "$target"
    rm -f "$locked"
    cp "$folder/package.json" "$folder/package-lock.json" "$target/"
    PATH=$PWD/.tools/test/bin:$PATH npm ci --prefix "$target" --no-audit --no-fund --ignore-scripts --loglevel=error ||
        complain "npm could not install $folder/package-lock.json: see above"
    cp "$folder/package-lock.json" "$locked"
}

install_python tests/requirements.txt .tools/test
install_node examples/typescript .tools/typescript tsc
case ${1:-test} in
    test) ;;
    verify)
        install_python tests/verify/requirements.txt .tools/verify
        install_node tests/verify/redocly .tools/redocly redocly
        ;;
    *) complain "'$1' is no set of tools: test or verify" ;;
esac
