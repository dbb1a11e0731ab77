#!/bin/bash
# SPDX-License-Identifier: MIT
#
# `xmem run` itself: how it ends, what it says, what it leaves alone.
#
# From the environment: XMEM_TEST_COMMAND, XMEM_TEST_RAMDISK, XMEM_TEST_MODULE (an extension without
# special files).  Reports by TAP.
set -u
export LC_ALL=C
# shellcheck source=tests/programs/possible.sh
source "$(dirname "$0")/possible.sh"
PATH=/usr/bin:/bin # without directories that cannot be looked into, which is another error
cases=0
not_ok=0
work=$(mktemp -d "${TMPDIR:-/tmp}/xmem-test.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1


run() {
    "$XMEM_TEST_COMMAND" run --extension "$XMEM_TEST_RAMDISK" "$@"
}

check() { # check NAME COMMAND...
    local name=$1 result=ok
    shift
    cases=$((cases + 1))
    ("$@") >words 2>&1 || result='not ok'
    echo "$result $cases - $name"
    [ "$result" = ok ] && return
    not_ok=$((not_ok + 1))
    sed 's/^/#   /' words
}

# ends STATUS WORDS COMMAND...: with this status, and with these words among its messages
ends() {
    local wanted=$1 words=$2 status
    shift 2
    "$@" >said 2>&1
    status=$?
    cat said
    echo "exit status $status"
    [ $status = "$wanted" ] && { [ -z "$words" ] || grep -q -e "$words" said; }
}

same_output() { # what a program says is what it says without xmem
    "$@" >plain 2>plain.err </dev/null
    local status=$?
    run -- "$@" >with 2>with.err </dev/null
    [ $? = $status ] && cmp plain with && cmp plain.err with.err
}

by_signal() { # the shell sees a signal, not a number
    local status
    bash -c '"$XMEM_TEST_COMMAND" run -e "$XMEM_TEST_RAMDISK" sh -c "kill -TERM \$\$"; :' 2>said
    run sh -c 'kill -TERM $$'
    status=$?
    cat said
    [ $status = 143 ] && grep -q Terminated said
}

standard_input() {
    [ "$(printf 'one\ntwo\n' | run -- tail -n 1)" = two ]
}

closed_descriptors() { # stay closed for the program, and become nothing of xmem's own
    "$XMEM_TEST_COMMAND" run --extension "$XMEM_TEST_RAMDISK" -- sh -c '
        for fd in 0 1 2; do [ -e /proc/$$/fd/$fd ] && exit 1; done
        : >closed
        while [ -e closed ]; do sleep 0.05; done' <&- >&- 2>&- &
    local program=$! round fd
    for ((round = 0; round < 200; round++)); do
        [ -e closed ] && break
        sleep 0.05
    done
    for fd in 0 1 2; do
        [ "$(readlink /proc/$program/fd/$fd)" = /dev/null ] || echo "$fd is something else"
    done >others
    rm -f closed
    wait $program && [ ! -s others ]
}

few_descriptors() { # more processes at a time than xmem may have descriptors
    (ulimit -n 64 && timeout 30 "$XMEM_TEST_COMMAND" run --extension "$XMEM_TEST_RAMDISK" -- bash -c '
        printf words | dd of=/dev/rd0 conv=notrunc status=none
        exec 3</dev/rd0
        for process in {1..80}; do
            { read -rN1 one </dev/rd0 && dd bs=1 count=0 <&3 && echo $one >>few; kill -STOP $BASHPID; } &
        done 2>/dev/null
        until [ "$(wc -l <few)" = 80 ]; do sleep 0.1; done
        kill -CONT $(jobs -p)
        wait') &&
        [ "$(sort few | uniq -c | tr -s " ")" = " 80 w" ]
}

environment_and_directory() {
    [ "$(SOME=thing run -- sh -c 'echo $SOME; pwd')" = "thing
$(pwd)" ]
}

passes_signals_on() {
    "$XMEM_TEST_COMMAND" run --extension "$XMEM_TEST_RAMDISK" -- \
        sh -c 'trap "echo got it; exit 7" TERM; echo ready; while :; do sleep 0.05; done' >said &
    local program=$! status
    until grep -q ready said; do sleep 0.05; done
    kill -TERM $program
    wait $program
    status=$?
    cat said
    [ $status = 7 ] && grep -q 'got it' said
}

is_gone() { # PID, within some seconds
    local round
    for ((round = 0; round < 100; round++)); do
        grep -q '^State:.[^ZX]' "/proc/$1/status" 2>/dev/null || return 0
        sleep 0.1
    done
    return 1
}

serves_those_behind() { # which outlive the program
    run -- sh -c '(sleep 0.6; cat /etc/passwd >later) & exit 3'
    [ $? = 3 ] && cmp later /etc/passwd
}

ends_those_behind() { # when it is asked to end itself
    "$XMEM_TEST_COMMAND" run --extension "$XMEM_TEST_RAMDISK" -- \
        sh -c '(setsid sh -c "trap : TERM INT HUP; echo \$\$ >left; while :; do sleep 300; done") & exit 4' &
    until [ -s left ]; do sleep 0.05; done
    sleep 0.3
    kill -TERM $!
    wait $!
    [ $? = 4 ] && is_gone "$(cat left)"
}

waits_for_devices() { # of processes that outlive the program
    run -- sh -c 'exec 3<>/dev/rd0; (sleep 0.6; dd if=/dev/zero bs=512 count=1 >&3; echo written >later) &'
    grep -q written later
}

killed_with_xmem() {
    "$XMEM_TEST_COMMAND" run --extension "$XMEM_TEST_RAMDISK" -- sh -c '
        sleep 300 & echo $! >child
        (setsid sleep 300 & echo $! >orphan)
        sh -c "echo \$\$ >storm; while :; do dd if=/dev/rd0 of=/dev/null count=1 2>/dev/null; done" &
        echo $$ >pid; exec sleep 300' &
    until [ -s pid ] && [ -s storm ]; do sleep 0.05; done
    sleep 0.2
    kill -KILL $!
    wait $!
    is_gone "$(cat pid)" && is_gone "$(cat child)" && is_gone "$(cat orphan)" && is_gone "$(cat storm)"
}

module() {
    "$XMEM_TEST_COMMAND" run -e "$XMEM_TEST_MODULE" -e "$XMEM_TEST_RAMDISK" -- sh -c '
        echo words >/dev/module-null && [ -z "$(cat /dev/module-null)" ] && head -c 5 /dev/rd0' >said 2>&1
    local status=$?
    cat said
    [ $status = 0 ] && [ "$(wc -c <said)" = 5 ]
}

privileges() {
    run -- grep -q '^NoNewPrivs:.1' /proc/self/status
}

one_more_name() {
    run --special-file "$work/name=with=c:42:0" -- sh -c "
        printf words | dd of='$work/name=with' conv=notrunc status=none && dd if=/dev/rd0 bs=5 count=1"
    [ ! -e "$work/name=with" ]
}

extension=$XMEM_TEST_RAMDISK
check 'the exit status is the program'\''s' ends 42 '' run -- sh -c 'exit 42'
check 'success' ends 0 '' run -- true
check 'without --' ends 3 '' run sh -c 'exit 3'
check 'options of the program are its own' ends 0 '^-x --help$' run echo -x --help
check 'a program that died of a signal' by_signal
check 'output and messages' same_output ls /usr /nonexistent
check 'output of many lines' same_output seq 100000
check 'standard input' standard_input
check 'closed standard descriptors' closed_descriptors
check 'few descriptors' few_descriptors
check 'environment and directory' environment_and_directory
check 'a program that is not there' ends 127 'xmem run: no-such-program: not found in PATH' \
    run no-such-program
check 'a path that is not there' ends 127 '/no/such/program: not found' run /no/such/program
touch plain-file
check 'a program that cannot be run' ends 126 'plain-file cannot be run: Permission denied' \
    run ./plain-file
check 'a directory' ends 126 'cannot be run' run /usr
check 'no arguments' ends 125 'usage: xmem run' "$XMEM_TEST_COMMAND"
check 'a command that is not there' ends 125 "no command 'walk'" "$XMEM_TEST_COMMAND" walk
check 'no extension' ends 125 'no --extension was named' "$XMEM_TEST_COMMAND" run true
check 'no program' ends 125 'no program was named' run
check 'an option that is not there' ends 125 'see xmem run --help' run --walk true
check 'an extension that is not there' ends 125 'the extension no-such.so cannot be found: No such file' \
    "$XMEM_TEST_COMMAND" run -e no-such.so true
check 'an extension that is none' ends 125 'cannot be loaded: .*plain-file' \
    "$XMEM_TEST_COMMAND" run -e plain-file true
check 'an extension twice' ends 125 'ramdisk.so is named twice' run -e "$extension" true
cp "$extension" copy.so
check 'devices that are there already' ends 125 'cannot be made: File exists' run -e ./copy.so true
check '--special-file without an extension' ends 125 'no --extension before it' \
    "$XMEM_TEST_COMMAND" run -s /dev/x=c:1:2 true
check '--special-file that is none' ends 125 'must be PATH=c:MAJOR:MINOR' run -s /dev/x=1:2 true
check '--special-file with a relative path' ends 125 'must be PATH=c:MAJOR:MINOR' run -s x=c:1:2 true
check '--special-file that its driver refuses' ends 125 'refuses to configure /dev/x' \
    run -s /dev/x=c:42:100 true
check '--special-file' one_more_name
check '--help' ends 0 'usage: xmem run' "$XMEM_TEST_COMMAND" --help
check 'run --help' ends 0 'Exit status' "$XMEM_TEST_COMMAND" run --help
check '--version' ends 0 '^xmem [0-9]' "$XMEM_TEST_COMMAND" --version
check 'check' ends 0 'can be run' "$XMEM_TEST_COMMAND" check
check 'signals are passed on' passes_signals_on
check 'processes left behind are served' serves_those_behind
check 'processes left behind end with xmem run' ends_those_behind
check 'processes left behind with a device' waits_for_devices
check 'xmem is killed, and the program with it' killed_with_xmem
check 'two extensions, one of them without special files' module
check 'no new privileges' privileges
echo "1..$cases"
[ $not_ok = 0 ]
