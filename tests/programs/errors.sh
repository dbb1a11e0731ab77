#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Runs the client of errors.so under `xmem run`.
#
# From the environment: XMEM_TEST_COMMAND, XMEM_TEST_ERRORS the extension, XMEM_TEST_ERRORS_CLIENT.
# shellcheck source=tests/programs/possible.sh
. "$(dirname "$0")/possible.sh"
exec "$XMEM_TEST_COMMAND" run --extension "$XMEM_TEST_ERRORS" -- "$XMEM_TEST_ERRORS_CLIENT"
