#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Runs the tests of a build directory and ends with the line "N passed, N failed, N skipped".
#
#   tools/run-tests.sh BUILD [argument of meson test]...
#
# The exit status is 0 only if tests ran and none failed.
set -u
tools=$(cd "$(dirname "$0")" && pwd)
build=$1
shift
rm -f "$build"/meson-logs/testlog*
meson test -C "$build" --no-rebuild --print-errorlogs "$@" </dev/null
status=$?
python3 "$tools/summary.py" "$build" || exit 1
exit $status
