# For the scripts that consist of steps; to be sourced. `step NAME COMMAND…` runs one, `report_steps` prints how long
# each took. The first step that fails ends the script. STEPS_FILE: also appends the times to this file, as
# `script <tab> step <tab> seconds`, for scripts/clean-runs.sh.
# shellcheck shell=bash

steps_suite=$(basename "$0" .sh)
steps_names=()
steps_times=()

step() {
    local name=$1 begun=$EPOCHREALTIME
    shift
    printf '\n== %s: %s\n' "$name" "$*"
    "$@"
    local seconds
    seconds=$(awk -v from="$begun" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.1f", to - from }')
    steps_names+=("$name")
    steps_times+=("$seconds")
    if [ -n "${STEPS_FILE:-}" ]; then
        printf '%s\t%s\t%s\n' "$steps_suite" "$name" "$seconds" >>"$STEPS_FILE"
    fi
}

report_steps() {
    printf '\n== Seconds per step\n'
    local i
    for i in "${!steps_names[@]}"; do
        printf '%8s  %s\n' "${steps_times[i]}" "${steps_names[i]}"
    done
}
