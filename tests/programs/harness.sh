# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# For the tests of unmodified programs: a script that sources this runs itself under `xmem run` with
# the RAM disk of the examples, and reports its cases by TAP.
#
#   source harness.sh          everything behind it runs with the devices
#   same NAME COMMAND          a case: COMMAND does to the device what it does to a file
#   check NAME COMMAND...      a case: the command (a function, mostly) succeeds
#   finish                     the last line
#
# From the environment (meson sets them): XMEM_TEST_COMMAND the xmem command, XMEM_TEST_RAMDISK the
# extension, XMEM_TEST_INFO its ioctl client.  XMEM_TEST_FILTER: a pattern for the names of cases.
#
# $disk is /dev/rd1, of 1 MiB; $large is /dev/rd0, of 64 MiB; $exclusive is /dev/rd2, of 1 MiB, which
# can be opened again when its last close has reached the driver.
set -u
export LC_ALL=C
disk=/dev/rd1
large=/dev/rd0
exclusive=/dev/rd2
size=1048576
export disk large exclusive size

if [ -z "${work:-}" ]; then
    # shellcheck source=tests/programs/possible.sh
    source "$(dirname "$0")/possible.sh"
    work=$(mktemp -d "${TMPDIR:-/tmp}/xmem-test.XXXXXX") || exit 1
    export work
    trap 'rm -rf "$work"' EXIT
    "$XMEM_TEST_COMMAND" run --extension "$XMEM_TEST_RAMDISK" -- "$BASH" "$(realpath "$0")"
    exit
fi

cd "$work" || exit 1
cases=0
not_ok=0
# A pattern in which every byte tells its place, to fill disks with; and the same, but different.
seq -f 'line %08g' 75000 | head -c $size >pattern
seq -f 'LINE %08g' 9 75008 | head -c $size >other

wanted() {
    # shellcheck disable=SC2254 # a pattern on purpose
    case $1 in
    ${XMEM_TEST_FILTER:-*}) return 0 ;;
    esac
    return 1
}

report() { # report STATUS NAME: the file `words` has what there is to say
    cases=$((cases + 1))
    if [ "$1" = 0 ]; then
        echo "ok $cases - $2"
        return
    fi
    not_ok=$((not_ok + 1))
    echo "not ok $cases - $2"
    sed 's/^/#   /' words
}

skip() { # skip NAME REASON
    cases=$((cases + 1))
    echo "ok $cases - $1 # SKIP $2"
}

check() { # check NAME COMMAND...
    local name=$1
    wanted "$name" || return 0
    shift
    ("$@") >words 2>&1
    report $? "$name"
}

# Runs COMMAND with $T set, and leaves what can be seen of it: status, output, messages.
observe() { # observe RESULT TARGET COMMAND
    T=$2 timeout 60 bash -c "$3" >out 2>err </dev/null
    echo "status $?" >"$1"
    sed "s,$2,TARGET,g" out err >>"$1"
}

same() { # same NAME COMMAND: COMMAND calls its target $T
    wanted "$1" || return 0
    dd if=pattern of=$disk bs=64K conv=notrunc status=none
    cp pattern file
    observe by-device $disk "$2"
    observe by-file "$work/file" "$2"
    # A file may be cut, which leaves less to be compared.
    { diff by-file by-device && contents file; } >words 2>&1
    report $? "$1"
}

# contents EXPECTED: the disk holds what the file EXPECTED does, from its beginning
contents() {
    cmp -n "$(stat -c %s "$1")" "$1" $disk
}

fails_with() { # fails_with WORDS COMMAND...: with an exit status of 1 to 125, and the words
    local words=$1 status
    shift
    "$@" >failure 2>&1
    status=$?
    cat failure
    if [ $status = 0 ] || [ $status -gt 125 ]; then
        echo "exit status $status"
        return 1
    fi
    grep -q -- "$words" failure
}

finish() {
    echo "1..$cases"
    [ $not_ok = 0 ]
    exit
}
