#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Signals to programs that wait for a device, whose disk seeks for a long time: they end at once, as
# from any interruptible sleep; their requests are taken back; the device is closed; everybody else
# goes on.
# shellcheck source=tests/programs/harness.sh
# shellcheck disable=SC2154 # set there
source "$(dirname "$0")/harness.sh"

info() {
    "$XMEM_TEST_INFO" "$@"
}

statistic() { # statistic NAME DEVICE
    info "$2" | awk -v name="$1" '$1 == name { print $2 }'
}

# becomes NAME DEVICE NUMBER: a program may be gone before its call is
becomes() {
    local round
    for ((round = 0; round < 100; round++)); do
        [ "$(statistic "$1" "$2")" != "$3" ] || return 0
        sleep 0.1
    done
    echo "$1: $(statistic "$1" "$2"), and not $3"
    return 1
}

# A reader that waits on a slow disk and is sent a signal; its request is taken back, not served.
ends_by() { # ends_by SIGNAL STATUS DEVICE
    local cancelled reads program status
    info --delay 10000 "$3" || return
    cancelled=$(statistic cancelled "$3")
    reads=$(statistic reads "$3")
    dd if="$3" of=/dev/null bs=512 count=1 status=none 2>/dev/null &
    program=$!
    sleep 0.5
    kill -"$1" $program
    wait $program
    status=$?
    becomes cancelled "$3" $((cancelled + 1)) || return
    info --delay 0 "$3" || return
    [ "$status $(statistic reads "$3")" = "$2 $reads" ] || {
        echo "exit status $status, $(statistic reads "$3") reads"
        return 1
    }
    dd if="$3" of=/dev/null bs=512 count=4 status=none
}

ignored_signals_do_not_end_it() {
    info --delay 300 $large || return
    (
        trap '' HUP
        exec dd if=$large of=/dev/null bs=512 count=1 status=none
    ) &
    local program=$!
    sleep 0.1
    kill -HUP $program
    wait $program
    local status=$?
    info --delay 0 $large
    [ $status = 0 ]
}

# A handler with SA_RESTART (python's own) and one without.
handled() { # handled RESTARTS
    info --delay 600 $large || return
    timeout 30 python3 - "$1" <<END
import os, signal, sys
restarts = sys.argv[1] == 'restarts'
count = 0
def handler(number, frame):
    global count
    count += 1
    if not restarts:
        raise InterruptedError
signal.signal(signal.SIGALRM, handler)
signal.siginterrupt(signal.SIGALRM, not restarts)
file = os.open('$large', os.O_RDONLY)
signal.setitimer(signal.ITIMER_REAL, 0.2)
try:
    data = os.read(file, 512)
except InterruptedError:
    sys.exit(0 if not restarts and count == 1 else 1)
sys.exit(0 if restarts and count == 1 and len(data) == 512 else 1)
END
    local status=$?
    info --delay 0 $large
    return $status
}

# uphysio() waits to the end; the program need not.
raw_kill() {
    local reads failed status program
    info --delay 3000 $large || return
    reads=$(statistic reads $large)
    failed=$(statistic failed $large)
    dd if=/dev/rrd0 of=/dev/null bs=4096 count=1 status=none &
    program=$!
    sleep 0.3
    kill -KILL $program
    wait $program
    status=$?
    [ "$status $(statistic reads $large)" = "137 $reads" ] || return
    becomes failed $large $((failed + 1)) || return # its memory is gone by then
    info --delay 0 $large || return
    dd if=/dev/rrd0 bs=4096 count=1 status=none | cmp -n 4096 - $large
}

others_go_on() {
    dd if=pattern of=$large bs=4K conv=notrunc status=none &
    local other=$! round program
    for round in 1 2 3 4 5 6 7 8; do
        dd if=$large of=/dev/null bs=700 status=none 2>/dev/null &
        program=$!
        sleep 0.0$round
        kill -KILL $program
        wait $program
    done
    wait $other || return
    cmp -n $size pattern $large
}

many_kills() { # and the exclusive device is closed each time
    local round
    for ((round = 0; round < 40; round++)); do
        dd if=pattern of=$exclusive bs=512 conv=notrunc status=none 2>/dev/null &
        sleep 0.0$((RANDOM % 90 + 10))
        kill -KILL $! 2>/dev/null
        wait $!
        dd if=$exclusive of=/dev/null bs=512 count=1 status=none || return
    done
    dd if=pattern of=$exclusive bs=64K conv=notrunc status=none && cmp $exclusive pattern
}

check 'SIGKILL' ends_by KILL 137 $large
check 'SIGKILL, and an exclusive device' ends_by KILL 137 $exclusive
check 'SIGTERM' ends_by TERM 143 $large
check 'SIGHUP' ends_by HUP 129 $large
check 'SIGALRM' ends_by ALRM 142 $large
check 'SIGKILL, and a transfer that no signal interrupts' raw_kill
check 'ignored signals' ignored_signals_do_not_end_it
check 'a handler that restarts the call' handled restarts
check 'a handler that does not' handled interrupts
check 'others go on' others_go_on
check 'many kills' many_kills
finish
