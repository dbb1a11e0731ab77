#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Shows unmodified programs on /dev/rd0, a device that exists in the driver of this directory only:
# they write a file there in many ways and read it back, at the same time, and one is killed in the
# middle.  Ends with a table of rates, beside those of the same programs on a file in memory.
#
#   demo.sh BUILD [FILE]         BUILD: where xmem was built
#
# Exit status: 0: every byte was where it should be; 1: not so; 77: Linux does not let xmem watch
# system calls here.
set -u
export LC_ALL=C.UTF-8
self=$(realpath "$0")
mib=1048576
disk_size=$((64 * mib))
blocks='512 777 4096 65536 1048576'
most_calls=4096 # with small blocks not the whole disk

fail() {
    echo "demo: $*" >&2
    exit 1
}

# ---- what is timed: the same on the device and on a file ----

# timed RESULTS PROGRAM BLOCK BYTES COMMAND...
timed() {
    local results=$1 program=$2 block=$3 bytes=$4 begin end
    shift 4
    begin=$EPOCHREALTIME
    "$@" >/dev/null || fail "ended with $?: $*"
    end=$EPOCHREALTIME
    printf '%s\t%s\t%s\t%s\n' "$program" "$block" "$bytes" $((${end/./} - ${begin/./})) >>"$results"
}

# bytes_with BLOCK: how much is moved with it
bytes_with() {
    local bytes=$(($1 * most_calls))
    [ $bytes -lt $disk_size ] || bytes=$disk_size
    echo $((bytes / $1 * $1))
}

# time_programs RESULTS DEVICE RAW: both hold what $source does afterwards
time_programs() {
    local results=$1 device=$2 raw=$3 block bytes
    for block in $blocks; do
        bytes=$(bytes_with "$block")
        head -c "$bytes" /dev/zero | dd of="$device" bs=1M iflag=fullblock conv=notrunc status=none
        timed "$results" 'dd, write' "$block" "$bytes" dd if="$source" of="$device" bs="$block" \
            count=$((bytes / block)) conv=notrunc status=none
        cmp -n "$bytes" "$source" "$device" || fail "dd with blocks of $block wrote something else"
    done
    dd if="$source" of="$device" bs=1M conv=notrunc status=none
    for block in $blocks; do
        bytes=$(bytes_with "$block")
        timed "$results" 'dd, read' "$block" "$bytes" dd if="$device" of="$work/copy" bs="$block" \
            count=$((bytes / block)) status=none
        cmp -n "$bytes" "$source" "$work/copy" || fail "dd with blocks of $block read something else"
    done
    timed "$results" 'dd, raw write' $mib $disk_size dd if="$source" of="$raw" bs=1M conv=notrunc \
        status=none
    timed "$results" 'dd, raw read' $mib $disk_size dd if="$raw" of="$work/copy" bs=1M status=none
    cmp "$source" "$work/copy" || fail "the raw device read something else"
    timed "$results" cat - $disk_size cat "$device"
    timed "$results" cp - $disk_size cp "$device" "$work/copy"
    cmp "$source" "$work/copy" || fail "cp read something else"
    timed "$results" cmp - $disk_size cmp "$source" "$device"
    timed "$results" sha256sum - $disk_size sha256sum "$device"
}

# ---- what runs on the device ----

show_device() {
    echo "The special file, as ls sees it, and what the driver tells of the disk after all these"
    echo "transfers (by ioctl; the last line by a command whose argument points to a text):"
    ls -l /dev/rd0
    "$info" /dev/rd0 ELF || fail "the driver did not answer"
}

show_checksums() {
    echo
    echo "The same bytes, by way of the device and of the file:"
    (cd "$work" && sha256sum /dev/rd0 source)
    [ "$(sha256sum </dev/rd0)" = "$(sha256sum <"$source")" ] || fail "the checksums differ"
}

show_two_at_once() {
    local half=$((disk_size / 2)) first second
    dd if=/dev/zero of=/dev/rd0 bs=1M count=64 conv=notrunc status=none
    dd if="$source" of=/dev/rd0 bs=64K count=$((half / 65536)) conv=notrunc status=none &
    first=$!
    dd if="$source" of=/dev/rd0 bs=4K skip=$((half / 4096)) seek=$((half / 4096)) conv=notrunc \
        status=none &
    second=$!
    wait $first || fail "the first of two programs at once failed"
    wait $second || fail "the second of two programs at once failed"
    cmp "$source" /dev/rd0 || fail "two programs at once wrote something else"
    echo
    echo "Two programs at once wrote a half each, with blocks of 64 KiB and of 4 KiB: the disk is right."
}

show_kill() {
    local program status
    "$info" --delay 50 /dev/rd0
    dd if=/dev/zero of=/dev/rd0 bs=4K conv=notrunc status=none &
    program=$!
    sleep 0.5
    kill -KILL $program
    wait $program 2>/dev/null
    status=$?
    "$info" --delay 0 /dev/rd0
    [ $status = 137 ] || fail "a killed program ended with $status"
    dd if="$source" of=/dev/rd0 bs=1M conv=notrunc status=none
    cmp "$source" /dev/rd0 || fail "the disk is wrong after a program was killed"
    echo
    echo "A dd was killed in the middle of its writes, with a disk that seeks for 50 ms: its exit"
    echo "status is $status, its last request was taken back, and the disk still does its work:"
    "$info" /dev/rd0
}

inside() {
    time_programs "$work/device" /dev/rd0 /dev/rrd0
    show_device
    show_checksums
    show_two_at_once
    show_kill
}

# ---- around it ----

# The largest of some files that everybody has.
any_file() {
    local file
    for file in /usr/lib/gcc/*/*/cc1 /usr/bin/gdb /usr/bin/git /usr/bin/perl /bin/bash; do
        [ -r "$file" ] && echo "$file" && return
    done
}

make_source() {
    [ -r "$1" ] || fail "$1 cannot be read"
    head -c $disk_size "$1" >"$source"
    truncate -s $disk_size "$source"
    : >"$work/file"
    truncate -s $disk_size "$work/file"
}

print_table() {
    echo
    echo "Rates in MB/s, on the device and, without xmem, on a file in memory:"
    echo
    printf '%-14s %8s %9s %9s %9s\n' program block bytes /dev/rd0 memory
    paste "$work/device" "$work/plain" | awk -F '\t' '{
        printf "%-14s %8s %9d %9.1f %9.1f\n", $1, $2, $3, $3 / $4, $7 / $8 }'
}

outside() {
    local build=$1 file=${2:-$(any_file)} place=/dev/shm status
    "$build/tools/xmem/xmem" check >/dev/null
    case $? in
    0) ;;
    1) exit 77 ;;
    *) fail "xmem does not work" ;;
    esac
    [ -w $place ] || place=${TMPDIR:-/tmp}
    work=$(mktemp -d "$place/xmem-demo.XXXXXX") || fail "no temporary directory"
    trap 'rm -rf "$work"' EXIT
    source=$work/source
    make_source "$file"
    echo "ramdisk: unmodified programs write $file,"
    echo "made to 64 MiB, to /dev/rd0 and read it back"
    echo
    export work source info="$build/examples/ramdisk/ramdisk-info"
    "$build/tools/xmem/xmem" run --extension "$build/examples/ramdisk/ramdisk.so" -- "$self" --inside
    status=$?
    [ $status = 0 ] || fail "ended with $status"
    time_programs "$work/plain" "$work/file" "$work/file"
    print_table
    echo
    echo "ramdisk: every byte was where it should be"
}

if [ "${1:-}" = --inside ]; then
    inside
else
    outside "$(realpath "$1")" "${2:-}"
fi
