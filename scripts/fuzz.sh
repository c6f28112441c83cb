#!/usr/bin/env bash
# Looks for inputs that break a property of `fuzz/`: fuzz.sh [TARGET|all] [SECONDS], each target for 60 s unless told.
# Installs cargo-fuzz into .tools/ when it is not there; nightly Rust must be. What it has tried and found worth keeping
# goes to fuzz/corpus/, an input that breaks a property to fuzz/artifacts/; neither is in the repository.
#
# FUZZ_TOOLCHAIN: another toolchain than `nightly`. FUZZ_SANITIZER: `none` unless told, for our own code has no `unsafe`;
# `address` looks at the dependencies too, and is slow.
set -euo pipefail
cd "$(dirname "$0")/.."

version=0.13.1
toolchain=${FUZZ_TOOLCHAIN:-nightly}
target=${1:-all}
seconds=${2:-60}

complain() {
    printf 'fuzz: %s\n' "$@" >&2
    exit 1
}

all=$(cd fuzz/seeds && echo *)
[ "$target" = all ] && target=$all
for name in $target; do
    [ -d "fuzz/seeds/$name" ] || complain "there is no target $name, only: $all"
done
[[ $seconds =~ ^[1-9][0-9]*$ ]] || complain "the seconds must be a whole number from 1 up"

# Whatever is missing, rustup installs nothing by itself.
export RUSTUP_AUTO_INSTALL=0 RUSTUP_DIST_SERVER=http://127.0.0.1:1 RUSTUP_UPDATE_ROOT=http://127.0.0.1:1
RUSTUP_TOOLCHAIN=$toolchain rustc --version 2>/dev/null | grep -q nightly ||
    complain "Rust's nightly toolchain is needed and not installed as \`$toolchain\`:" \
        "install it with \`rustup toolchain install nightly --profile minimal\`, or name another one in FUZZ_TOOLCHAIN"

if ! .tools/bin/cargo-fuzz fuzz --version 2>/dev/null | grep -qx "cargo-fuzz $version"; then
    echo "fuzz: installing cargo-fuzz $version into .tools; this takes a minute, once"
    cargo install --locked --force --root .tools "cargo-fuzz@$version"
fi

export RUSTUP_TOOLCHAIN=$toolchain
# The release profile is made for small binaries, which take long to link.
export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=2 CARGO_PROFILE_RELEASE_STRIP=none
fuzz() {
    .tools/bin/cargo-fuzz fuzz "$@"
}
options=(--sanitizer "${FUZZ_SANITIZER:-none}" --codegen-units 16 --features libfuzzer-sys --target-dir target/fuzz)

failed=
for name in $target; do
    printf '\n== %s, %s s\n' "$name" "$seconds"
    mkdir -p "fuzz/corpus/$name"
    # Into the first directory go new entries.
    fuzz run "${options[@]}" "$name" "fuzz/corpus/$name" "fuzz/seeds/$name" -- \
        -max_total_time="$seconds" -max_len=4096 -timeout=10 -print_final_stats=1 || failed+=" $name"
done
[ -z "$failed" ] || complain "broken:$failed; see above, and add the input to fuzz/seeds/ when it is mended"
printf '\nNothing was found.\n'
