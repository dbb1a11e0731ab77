#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Runs named stages of checks, each in a build directory of its own under build-check/, goes on
# after a failure, shows the end of a failed stage's log, and sums up.
#
#   tools/check-all.sh [--list | STAGE...]        (no stage: all of them)
#
# XMEM_STAGE_LIMIT: seconds a stage may take (7200).
# build-check/results.tsv has the table: stage, passed, failed, skipped, seconds.
# The last line is "N passed, N failed"; the exit status is 0 only if nothing failed.
set -u
cd "$(dirname "$0")/.." || exit 1
every=(gcc clang asan tsan valgrind coverage cppcheck tidy scan aarch64 long)
limit=${XMEM_STAGE_LIMIT:-7200}
results=build-check/results.tsv
tail_lines=200

if [ "${1:-}" = --list ]; then
    printf '%s\n' "${every[@]}"
    exit 0
fi

# Sets passed, failed and skipped from a stage's log and exit status.
count() {
    local log=$1 status=$2 line
    passed=0 failed=0 skipped=0
    line=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$log" | tail -n 1)
    if [[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed(,\ ([0-9]+)\ skipped)? ]]; then
        passed=${BASH_REMATCH[1]} failed=${BASH_REMATCH[2]} skipped=${BASH_REMATCH[4]:-0}
    elif [ "$status" = 0 ]; then
        passed=1
    elif [ "$status" = 77 ]; then
        skipped=1
    fi
    if [ "$status" != 0 ] && [ "$status" != 77 ] && [ "$failed" = 0 ]; then
        failed=1
    fi
}

run_stage() {
    local stage=$1 log=build-check/$1.log started=$SECONDS status passed failed skipped
    printf '== %-9s ' "$stage"
    timeout --kill-after=15 "$limit" tools/check-stage.sh "$stage" </dev/null >"$log" 2>&1
    status=$?
    count "$log" "$status"
    printf '%s\t%s\t%s\t%s\t%s\n' "$stage" "$passed" "$failed" "$skipped" \
        $((SECONDS - started)) >>"$results"
    printf '%5s passed %3s failed %3s skipped %5s s\n' "$passed" "$failed" "$skipped" \
        $((SECONDS - started))
    grep '^report: ' "$log" | sed 's/^report: /   /'
    if [ "$failed" != 0 ]; then
        if [ "$status" = 124 ] || [ "$status" = 137 ]; then
            echo "   out of time after $limit s"
        fi
        echo "   the last $tail_lines lines of $log:"
        tail -n "$tail_lines" "$log" | sed 's/^/   | /'
    fi
}

mkdir -p build-check
printf 'stage\tpassed\tfailed\tskipped\tseconds\n' >"$results"
[ $# -gt 0 ] || set -- "${every[@]}"
for stage in "$@"; do
    run_stage "$stage"
done

awk -F '\t' 'NR > 1 { passed += $2; failed += $3; if ($3) bad = bad " " $1 }
    END { if (bad) print "failed stages:" bad
          print passed + 0 " passed, " failed + 0 " failed"; exit failed > 0 }' "$results"
