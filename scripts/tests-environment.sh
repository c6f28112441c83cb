# The environment in which the scripts build and run the tests; to be sourced.
# shellcheck shell=bash

# clippy-driver is rustc with more lints. As the compiler of the workspace's own crates it makes one build serve the lints
# and the tests; `cargo clippy` would check every dependency first, only for the build to compile them all again.
RUSTC_WORKSPACE_WRAPPER=$(command -v clippy-driver) || {
    echo 'clippy is missing: install it with `rustup component add clippy`' >&2
    exit 1
}
# A warning is an error. This is how `cargo clippy` hands over the arguments behind its `--`.
CLIPPY_ARGS='-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__'
# End-to-end tests wait for processes and time limits about half of the time.
RUST_TEST_THREADS=${RUST_TEST_THREADS:-$((2 * $(getconf _NPROCESSORS_ONLN) + 1))}
export RUSTC_WORKSPACE_WRAPPER CLIPPY_ARGS RUST_TEST_THREADS
