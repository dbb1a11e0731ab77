#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Runs the examples one after the other.  The last one is left out, with the reason, where Linux lets
# nobody watch system calls.
#
#   tools/run-examples.sh [FILE]
set -eu
cd "$(dirname "$0")/.."
build/examples/peek
build/examples/exchange "$@"
echo
examples/ramdisk/demo.sh build "$@" || [ $? = 77 ]
