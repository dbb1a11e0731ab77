#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Runs one stage of tools/check-all.sh, which see, with its output on standard output.
#
#   tools/check-stage.sh STAGE
#
# Exit status: 0 passed, 77 not possible on this machine, other failed.  Lines that begin with
# "report: " are shown in the summary.
set -eu
cd "$(dirname "$0")/.."
stage=$1
build=build-check/$stage
jobs=$(nproc)
least_branch_coverage=80

configure() { # configure [argument of meson setup]...
    local log=$build.setup.log
    [ ! -e "$build/build.ninja" ] || return 0
    meson setup "$build" "$@" >"$log" 2>&1 || {
        cat "$log"
        return 1
    }
}

build() {
    configure "$@"
    ninja -C "$build" -j "$jobs"
}

run_tests() { # run_tests [argument of meson test]...
    tools/run-tests.sh "$build" --no-suite bench --no-suite long "$@"
}

# The same with everything slower: sanitizers and valgrind.
run_tests_slowly() {
    XMEM_TEST_SLOW=1 run_tests --timeout-multiplier 10 "$@"
}

# Sanitizers reserve fixed addresses, which a much randomised layout can hit.
fixed_layout() {
    if setarch -R true 2>/dev/null; then
        setarch -R "$@"
    else
        "$@"
    fi
}

stage_gcc() {
    CC=gcc build --werror
    run_tests
}

stage_clang() {
    CC=clang build --werror
    run_tests
}

stage_asan() {
    export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:strict_string_checks=1}
    export UBSAN_OPTIONS=${UBSAN_OPTIONS:-halt_on_error=1:print_stacktrace=1}
    build -Db_sanitize=address,undefined --optimization=1 -Dparts=aix,tests
    export -f run_tests run_tests_slowly
    build=$build fixed_layout bash -c run_tests_slowly
}

stage_tsan() {
    export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1:second_deadlock_stack=1}
    build -Db_sanitize=thread --optimization=1 -Dparts=aix,tests -Dread_section=c11
    export -f run_tests run_tests_slowly
    build=$build fixed_layout bash -c run_tests_slowly
}

stage_valgrind() {
    build --optimization=1 -Dparts=aix,tests
    run_tests_slowly --suite valgrind \
        --wrapper 'valgrind --quiet --error-exitcode=99 --leak-check=full --trace-children=no'
}

stage_coverage() {
    local data=$build/coverage.json directory status=0
    # Functions that are inlined by force would count once for every caller, with the branches that
    # the caller's constants rule out; so they are left to be functions, and count once.
    # Threads count too, and what they count must not come out negative.
    build -Db_coverage=true --optimization=0 -Dparts=aix,tests \
        '-Dc_args=-Dalways_inline=unused -fprofile-update=atomic'
    find "$build" -name '*.gcda' -delete
    run_tests || status=$?
    gcovr --gcov-ignore-parse-errors --root . --object-directory "$build" --filter src/ \
        --json "$data" "$build"
    gcovr --root . --add-tracefile "$data" --branches
    for directory in src/engine src/segments src/aix; do
        branch_coverage "$data" "$directory" || status=1
    done
    return $status
}

# Reports the share of branches taken in a directory, and fails when it is too low.
branch_coverage() {
    local line
    # Not to /dev/null: gcovr deletes the file that it is to write, and as root it can.
    gcovr --root . --add-tracefile "$1" --filter "$2/" --output "$build/lines.txt" \
        --print-summary >"$build/summary.txt"
    line=$(grep '^branches:' "$build/summary.txt")
    echo "report: $2 $line"
    awk -v least=$least_branch_coverage '{ exit $2 + 0 < least }' <<<"$line"
}

stage_cppcheck() {
    # Its preprocessor does not know the machine, which liburcu's headers must.
    configure -Dparts=aix -Dread_section=c11
    cppcheck --project="$build/compile_commands.json" --cppcheck-build-dir="$build" -j "$jobs" \
        --enable=warning,performance,portability --inline-suppr --error-exitcode=1 --quiet \
        --suppress=missingIncludeSystem
}

stage_tidy() {
    CC=clang configure -Dparts=aix
    find src -name '*.c' -print0 |
        xargs -0 -n 4 -P "$jobs" clang-tidy --quiet --warnings-as-errors='*' -p "$build" \
            2> >(grep -v ' warnings\? generated\.$')
}

stage_scan() {
    rm -rf "$build"
    scan-build meson setup "$build" -Dparts=aix
    scan-build --status-bugs -o "$build/scan" ninja -C "$build" -j "$jobs"
}

# Does the portable half compile for another machine?
stage_aarch64() {
    local cross=aarch64-linux-gnu-gcc source
    if ! command -v $cross >/dev/null; then
        echo "report: not done: $cross (package gcc-aarch64-linux-gnu) is not installed"
        return 77
    fi
    for source in src/*/*.c; do
        $cross -std=gnu11 -D_GNU_SOURCE -DXMEM_READ_SECTION_C11=1 -Wall -Wextra -Werror \
            -fsyntax-only -Iinclude -Iinclude/aix -Isrc "$source"
    done
}

# Two minutes for each race, a million interrupts, every offset of the grid; about an hour.
stage_long() {
    build -Dparts=aix,tests
    export XMEM_TEST_SECONDS=${XMEM_TEST_SECONDS:-120}
    export XMEM_TEST_ROUNDS=${XMEM_TEST_ROUNDS:-1000000}
    tools/run-tests.sh "$build" --no-suite bench --timeout-multiplier 20
}

if ! declare -F "stage_$stage" >/dev/null; then
    echo "no such stage: $stage" >&2
    exit 2
fi
"stage_$stage"
