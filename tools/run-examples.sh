#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Runs the examples one after the other.
#
#   tools/run-examples.sh [FILE]
set -eu
cd "$(dirname "$0")/.."
build/examples/peek
build/examples/exchange "$@"
