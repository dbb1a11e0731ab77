#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A 32-bit program on a device.  XMEM_TEST_NARROW_CLIENT: the program; empty: the compiler makes none.
# shellcheck source=tests/programs/harness.sh
# shellcheck disable=SC2154 # set there
source "$(dirname "$0")/harness.sh"

client() {
    "$XMEM_TEST_NARROW_CLIENT" </dev/null
    local status=$?
    [ $status = 0 ] || echo "step $status went wrong"
    return $status
}

# Where the kernel does not run 32-bit programs at all, exec fails.
can_run_narrow() {
    "$XMEM_TEST_NARROW_CLIENT" </dev/null
    [ $? -lt 126 ]
}

if [ -z "${XMEM_TEST_NARROW_CLIENT:-}" ]; then
    skip 'a 32-bit program' 'the compiler makes no 32-bit programs'
elif ! can_run_narrow; then
    skip 'a 32-bit program' 'this machine runs no 32-bit programs'
else
    check 'a 32-bit program' client
fi
finish
