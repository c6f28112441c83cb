#!/usr/bin/env bash
# Builds functions as they are released, one zip each, into target/artefacts, and SHA256SUMS beside them:
# artefacts.sh [FUNCTION…], all three by default. ARCHITECTURE: arm64 by default, or x86_64. The same source gives the same
# bytes, on any x86-64 Linux and in any directory.
set -euo pipefail
cd "$(dirname "$0")/.."

architecture=${ARCHITECTURE:-arm64}
[ $# -gt 0 ] || set -- oauth-callback refresh-sweep token-lookup

complain() {
    printf 'artefacts: %s\n' "$@" >&2
    exit 1
}

# 2.34 is the glibc of provided.al2023.
case $architecture in
    arm64) triple=aarch64-unknown-linux-gnu ;;
    x86_64) triple=x86_64-unknown-linux-gnu ;;
    *) complain "there is no architecture $architecture, only: arm64 x86_64" ;;
esac
[ -d "$(rustc --print sysroot)/lib/rustlib/$triple/lib" ] ||
    complain "Rust's standard library for $triple is missing: install it with \`rustup target add $triple\`"

# The time of the files in the zips.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)} ||
    complain "this is no git repository: set SOURCE_DATE_EPOCH to the time of the release, in seconds"
[ -z "$(git status --porcelain 2>/dev/null)" ] ||
    echo 'artefacts: there are changes that are not committed: nobody else will get these bytes' >&2

scripts/deploy-tools.sh
# cargo-lambda finds zig there, the linker and C compiler.
export SOURCE_DATE_EPOCH PATH=$PWD/.tools/deploy/bin:$PATH

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
cargo_home=$(realpath "${CARGO_HOME:-$HOME/.cargo}")
# Panic messages, assertions in C and debug information name source files: without the directories of this machine.
# The standard library's own are there only where rust-src is. rustc takes the last one that fits.
std=$(rustc --print sysroot)/lib/rustlib/src/rust
commit=$(rustc --version --verbose | sed -n 's/^commit-hash: //p')
unset CARGO_ENCODED_RUSTFLAGS RUSTFLAGS CFLAGS
for remap in "$std=/rustc/$commit" "$cargo_home=cargo" "$PWD=." "$target=target"; do
    case $remap in *[[:space:]]*) complain "no directory may have a space in its name: $remap" ;; esac
    RUSTFLAGS+=" --remap-path-prefix=$remap"
    CFLAGS+=" -ffile-prefix-map=$remap"
done
export RUSTFLAGS CFLAGS

version=$(cargo pkgid --locked -p shop-keyring)
version=${version##*[@#]}
artefacts=$target/artefacts
# Nothing of an earlier run stays beside the sums.
rm -rf "$artefacts"
mkdir -p "$artefacts"
sums=$artefacts/SHA256SUMS

for function in "$@"; do
    printf '\n== %s, %s\n' "$function" "$architecture"
    # One by one: each with its own features only.
    cargo lambda build --locked --release --package "$function" --target "$triple.2.34" --lambda-dir "$target/lambda/$triple"
    zip=shop-keyring-$version-$architecture-$function.zip
    scripts/zip-bootstrap.py "$target/lambda/$triple/$function/bootstrap" "$artefacts/$zip"
    (cd "$artefacts" && sha256sum "$zip") >>"$sums"
done

printf '\n'
cat "$sums"
