#!/usr/bin/env bash
# Measures how long the sandbox and the checks take from nothing: clean-runs.sh [RUNS [NAME…]], by default one run of
# `sandbox test quick verify`. Each run has fresh clones of what is committed, with empty CARGO_HOME, .tools and target, and
# pip's and npm's caches off: one clone for `make sandbox ARGS=--once`, another for the rest. Prints a table of the steps
# with the seconds of each run.
set -euo pipefail
cd "$(dirname "$0")/.."

runs=${1:-1}
[[ $runs =~ ^[1-9][0-9]*$ ]] || {
    echo 'clean-runs: the number of runs must be a whole number from 1 up' >&2
    exit 2
}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- sandbox test quick verify
source=$PWD
folder=$(mktemp -d) results=$(mktemp -d)
trap 'report; rm -rf "$folder" "$results"' EXIT

# What cargo, pip and npm use in place of the user's caches; the user's settings of cargo stay.
user_cargo=${CARGO_HOME:-$HOME/.cargo}
export CARGO_HOME=$folder/cargo PIP_NO_CACHE_DIR=1 npm_config_cache=$folder/npm
unset CARGO_TARGET_DIR

# The table of what was measured, also if a run fails.
report() {
    awk -F '\t' '
        { key = $1 "\t" $2; if (!(key in seen)) { seen[key]; order[++count] = key } seconds[key, FILENAME] += $3 }
        END {
            runs = ARGC - 1
            printf "| script | step |"; for (i = 1; i <= runs; i++) printf " run %d |", i
            printf "\n|---|---|"; for (i = 1; i <= runs; i++) printf "---:|"; print ""
            for (n = 1; n <= count; n++) {
                split(order[n], part, "\t"); printf "| %s | %s |", part[1], part[2]
                for (i = 1; i <= runs; i++) printf " %s |", seconds[order[n], ARGV[i]]
                print ""
            }
        }' "$results"/*
}

fresh() {
    cd "$folder"
    rm -rf ./*
    mkdir "$CARGO_HOME"
    cp "$user_cargo"/config.toml "$CARGO_HOME" 2>/dev/null || true
    git clone --quiet "$source" "$folder/clone"
    cd "$folder/clone"
}

# In the clone that is there, if one is.
cloned() {
    [ "$PWD" = "$folder/clone" ] || fresh
}

# Appends `name <tab> step <tab> seconds` for the whole command to the file of this run.
timed() {
    local name=$1 begun=$EPOCHREALTIME
    shift
    "$@" >"$folder/log" 2>&1 </dev/null || {
        tail -n 50 "$folder/log" >&2
        exit 1
    }
    awk -v name="$name" -v from="$begun" -v to="$EPOCHREALTIME" \
        'BEGIN { printf "%s\ttotal\t%.1f\n", name, to - from }' >>"$STEPS_FILE"
}

for run in $(seq "$runs"); do
    export STEPS_FILE=$results/$run
    for name in "$@"; do
        case $name in
            sandbox)
                fresh
                timed sandbox make sandbox ARGS=--once
                ;;
            test)
                fresh
                timed test make test
                ;;
            quick)
                cloned
                # One more line of code in `shared/`, on what `make test` has built.
                sed -i '0,/^#\[cfg(test)\]/s//const _: () = ();\n\n&/' shared/src/connection/claim.rs
                timed quick make quick
                git checkout --quiet shared
                ;;
            verify)
                cloned
                timed verify make verify
                ;;
            *)
                echo "clean-runs: there is no $name, only: sandbox test quick verify" >&2
                exit 2
                ;;
        esac
    done
    echo "run $run is over" >&2
done

