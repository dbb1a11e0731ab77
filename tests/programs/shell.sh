#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What shells do with the descriptors of a device: redirections, pipelines, background jobs, in bash
# and in dash; and that the last close reaches the driver, before anybody can open the device again.
# shellcheck source=tests/programs/harness.sh
# shellcheck disable=SC2154 # set there
source "$(dirname "$0")/harness.sh"

for shell in bash dash; do
    command -v $shell >/dev/null || {
        skip "$shell" 'it is not installed'
        continue
    }
    same "$shell: redirected output" "$shell -c 'head -c 5000 other 1<>\$T'"
    same "$shell: redirected input" "$shell -c 'read -r line <\$T; echo \"\$line\"'"
    same "$shell: several reads of one descriptor" \
        "$shell -c 'exec 3<\$T; head -c 600 <&3; read -r line <&3; echo \"\$line\"; exec 3<&-'"
    same "$shell: one descriptor for reading and writing" \
        "$shell -c 'exec 3<>\$T; head -c 13 <&3; printf CHANGED >&3; head -c 20 <&3; exec 3>&-'"
    same "$shell: a descriptor that children inherit" \
        "$shell -c 'exec 3<>\$T; (head -c 100 other >&3); (printf x >&3); dd bs=1 count=9 status=none <&3'"
    same "$shell: copies of a descriptor share its offset" \
        "$shell -c 'exec 3<\$T 4<&3; head -c 512 <&3 >/dev/null; dd bs=10 count=1 status=none <&4'"
    same "$shell: standard input is the target" "$shell -c 'read -r a; read -r b; echo \"\$b\"; head -c 100' <\$T"
    same "$shell: a pipeline through the target" \
        "$shell -c 'tr a-z A-Z <other | head -c 3000 1<>\$T; cat \$T | tail -c 100'"
    same "$shell: a pipeline that ends early" "$shell -c 'cat \$T | head -c 10'"
    same "$shell: a loop that reads lines" \
        "$shell -c 'n=0; while read -r line && [ \$n -lt 5 ]; do echo \"\$line\"; n=\$((n + 1)); done <\$T'"
    same "$shell: a background job" "$shell -c 'dd if=other of=\$T bs=4k conv=notrunc status=none & wait'"
    same "$shell: many one after the other" \
        "$shell -c 'n=0; while [ \$n -lt 40 ]; do dd if=other of=\$T bs=100 seek=\$n count=1 conv=notrunc status=none; n=\$((n + 1)); done'"
done
same 'appending goes to the end of what it says' 'printf abc | dd of=$T bs=1 conv=notrunc status=none'
same 'here documents' 'cat 1<>$T <<END
words
END'
same 'a process substitution' 'cmp $T <(cat $T)'
same 'exec of a program with the descriptor' 'exec 5<$T; exec dd bs=700 count=2 status=none <&5'
same 'descriptors of high numbers' 'exec 200<$T; head -c 30 <&200'
same '/dev/fd and /proc/self/fd' 'head -c 40 /dev/fd/7 7<$T; head -c 40 /proc/self/fd/8 8<$T'
same '/dev/stdin' 'head -c 40 /dev/stdin <$T'
same 'closed descriptors are closed' 'exec 3<$T; exec 3<&-; head -c 1 <&3'

two_at_once() {
    dd if=/dev/zero of=$large bs=1M count=2 conv=notrunc status=none
    dd if=pattern of=$large bs=4K conv=notrunc status=none &
    local first=$!
    dd if=other of=$large bs=1000 oflag=seek_bytes seek=$size conv=notrunc status=none &
    local second=$!
    wait $first || return
    wait $second || return
    cmp -n $size pattern $large || return
    cmp -i 0:$size -n $size other $large
}
eight_at_once() {
    local job jobs=()
    for job in 0 1 2 3 4 5 6 7; do
        dd if=pattern of=$large bs=700 skip=$((job * 100)) seek=$((job * 100)) count=100 \
            conv=notrunc status=none &
        jobs+=($!)
    done
    for job in "${jobs[@]}"; do
        wait "$job" || return
    done
    cmp -n 560000 pattern $large
}
readers_and_writers() {
    dd if=pattern of=$large bs=64K conv=notrunc status=none
    dd if=pattern of=$large bs=512 conv=notrunc status=none &
    local writer=$! round
    for ((round = 0; round < 3; round++)); do
        cmp -n $size pattern $large || return
    done
    wait $writer
}
relative_paths() {
    dd if=pattern of=$disk bs=64K conv=notrunc status=none
    (cd /dev && head -n 1 rd1 && cd / && head -n 1 dev/rd1 && head -n 1 /dev/../dev/./rd1) >got
    [ "$(wc -l <got)" = 3 ] && [ "$(uniq got)" = 'line 00000001' ]
}
symbolic_links() {
    ln -sf $disk link && ln -sf link second || return
    dd if=pattern of=link bs=64K conv=notrunc status=none || return
    cmp -n 1000 second pattern || return
    [ "$(readlink -f second)" = $disk ]
}
check 'two at once' two_at_once
check 'eight at once' eight_at_once
check 'readers and a writer' readers_and_writers
one_after_the_other() { # as often as a shell can
    local round
    for ((round = 0; round < 60; round++)); do
        dd if=pattern of=$exclusive bs=512 seek=$round count=1 conv=notrunc status=none || return
        head -c 1 <$exclusive >/dev/null || return
    done
}
closed_by() { # closed_by COMMAND: which has it open and ends, or closes it
    local round
    for ((round = 0; round < 10; round++)); do
        bash -c "$1" || [ $? = 137 ] || return
        head -c 1 $exclusive >/dev/null || return
    done
}
check 'an exclusive device, one program after the other' one_after_the_other
check 'closed by an exit' closed_by "exec 7<$exclusive"
check 'closed by an exit of a child' closed_by "(exec 7<$exclusive; exit 0); true"
check 'closed by the shell' closed_by "exec 7<$exclusive; exec 7<&-; head -c 1 <$exclusive >/dev/null"
check 'closed by dup2 over it' closed_by "exec 7<$exclusive; exec 7</dev/null; exec 8<$exclusive"
check 'closed by a kill' closed_by "exec 7<$exclusive; kill -KILL \$\$" 2>/dev/null
check 'closed by exec' closed_by "python3 -c \"
import os
file = os.open('$exclusive', os.O_RDONLY | os.O_CLOEXEC)
os.execlp('head', 'head', '-c', '1', '$exclusive')\" >/dev/null"
check 'closed by the last of several' closed_by "exec 7<$exclusive 8<&7; exec 7<&-; (exit); exec 8<&-
    head -c 1 <$exclusive >/dev/null"
check 'relative paths' relative_paths
check 'symbolic links to a device' symbolic_links
finish
